"""Write the models that the conformance rows ask about, and the files that serve them.

``python tests/store.py DIR`` fills DIR; ``--mount PATH`` is what DIR is called where the server
runs (a container's mount). Start a server with the flags in ``DIR/server.flags``, and judge it:
``pytest tests/serving --server HOST:PORT --rest HOST:PORT``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

MODELS_CONFIG = "models.config"
MONITORING_CONFIG = "monitoring.config"
BATCHING_CONFIGS = ("batching.config", "waiting.config", "splitting.config")
FLAGS = "server.flags"

MONITORING = 'prometheus_config { enable: true path: "/monitoring/prometheus/metrics" }\n'
BATCHING = """max_batch_size { value: 8 }
batch_timeout_micros { value: 1000 }
max_enqueued_batches { value: 100 }
num_batch_threads { value: 2 }
"""
WAITING = """max_batch_size { value: 64 }
batch_timeout_micros { value: 3000000 }
max_enqueued_batches { value: 100 }
num_batch_threads { value: 2 }
"""
"""What is asked waits for company, and is under way meanwhile."""
SPLITTING = """max_batch_size { value: 64 }
batch_timeout_micros { value: 0 }
max_enqueued_batches { value: 100 }
num_batch_threads { value: 2 }
enable_large_batch_splitting { value: true }
max_execution_batch_size { value: 8 }
"""
ENTRY = """  config {{
    name: "{name}" base_path: "{path}" model_platform: "tensorflow"{rest}
  }}
"""
TOY_VERSIONS = """
    model_version_policy { latest { num_versions: 2 } }
    version_labels { key: "stable" value: 1 }
    version_labels { key: "lost" value: 9 }"""


def write(folder: Path, mount: Path) -> None:
    """Fill ``folder``, which the server will know as ``mount``, in a process of its own."""
    models = _models()
    for name, save in models.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        save(folder / name)
    (folder / MODELS_CONFIG).write_text(config(mount, list(models)))
    (folder / MONITORING_CONFIG).write_text(MONITORING)
    for file, text in zip(BATCHING_CONFIGS, (BATCHING, WAITING, SPLITTING), strict=True):
        (folder / file).write_text(text)
    (folder / FLAGS).write_text("\n".join(plain_flags(mount)) + "\n")


def config(mount: Path, models: list[str]) -> str:
    """A ``ModelServerConfig`` of ``models``; the toy's has two versions and labels."""
    entries = [
        ENTRY.format(
            name=name,
            # One by a URI, whose host TensorFlow ignores (``file_system_storage_path_source.cc``).
            path=f"file://any{mount / name}" if name == "checkpoint" else mount / name,
            rest=TOY_VERSIONS if name == "toy" else "",
        )
        for name in models
    ]
    return "model_config_list {\n" + "".join(entries) + "}\n"


def plain_flags(mount: Path) -> list[str]:
    """The flags of the server that most rows ask."""
    return [
        f"--model_config_file={mount / MODELS_CONFIG}",
        "--allow_version_labels_for_unavailable_models=true",
        f"--monitoring_config_file={mount / MONITORING_CONFIG}",
    ]


def _models() -> dict[str, Callable[[Path], None]]:
    from support import saved_models

    saved_models.split_processor()
    return {
        "toy": _save_toys,
        "half_plus_two": partial(saved_models.save_half_plus, offset=2.0),
        "half_plus_three": partial(saved_models.save_half_plus, offset=3.0),
        "half_plus_two_tf2": saved_models.save_half_plus_two_module,
        "judges": saved_models.save_judges,
        "kinds": saved_models.save_kinds,
        "checkpoint": saved_models.save_checkpoint_function,
        "constants": saved_models.save_constants,
        "keras": saved_models.save_keras,
        "mirrored": saved_models.save_mirrored,
    }


def _save_toys(folder: Path) -> None:
    from support import toy_model

    folder.mkdir()
    toy_model.save_toy(folder, 1).rename(folder / "00001")
    toy_model.save_toy(folder, 2)
    (folder / "notes").mkdir()


def main() -> None:
    """Read the command line and write the store."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where the store is written")
    parser.add_argument("--mount", type=Path, help="what the server calls that folder")
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    write(arguments.folder, (arguments.mount or arguments.folder).absolute())
