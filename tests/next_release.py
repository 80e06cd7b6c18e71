"""A release after the newest in a store, made of it without training: other answers, all sound.

``python tests/next_release.py STORE`` adds one; its probabilities are half of what they were, so
that an answer tells which release it is of.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from neumo import contract, golden, release

SHARE = 0.5


def add(store: Path) -> int:
    """Write the next release into ``store``, the manifest last, and return its number."""
    newest = release.newest(store)
    number = newest.release + 1
    folders = {name: store / name / str(number) for name in newest.models}
    for name, folder in folders.items():
        staged = store / f".{name}-{number}"
        _save(store / name / str(newest.release), staged, contract.model(name), number)
        staged.rename(folder)
    manifest = replace(
        newest,
        release=number,
        models={n: release.ModelFiles(release.sha256_of_files(f)) for n, f in folders.items()},
        golden=replace(newest.golden, outputs=_golden(newest.golden, folders)),
    )
    path = release.manifest_path(store, number)
    path.write_text(manifest.to_json(), encoding="utf-8")
    return number


def _save(source: Path, staged: Path, model: contract.Model, number: int) -> None:
    import tensorflow as tf

    module: Any = tf.Module()
    module.before = tf.saved_model.load(str(source))

    def changed(signature: contract.Signature) -> Any:
        (tensor,) = signature.inputs
        run = module.before.signatures[signature.name]
        dtype = getattr(tf, tensor.dtype.removeprefix("DT_").lower())

        @tf.function(input_signature=[tf.TensorSpec(tensor.shape, dtype, tensor.name)])
        def body(value: Any) -> dict[str, Any]:
            found = dict(run(**{tensor.name: value}))
            found[contract.RELEASE.name] = tf.fill(
                tf.shape(found[contract.RELEASE.name]), tf.constant(number, tf.int64)
            )
            if contract.PROBABILITY.name in found:
                found[contract.PROBABILITY.name] *= SHARE
            return found

        return body.get_concrete_function()

    signatures = {one.name: changed(one) for one in model.signatures}
    tf.saved_model.save(module, str(staged), signatures=signatures)
    (staged / contract.CONTRACT_ASSET).parent.mkdir(exist_ok=True)
    (staged / contract.CONTRACT_ASSET).write_text(contract.to_json(model, number))
    shutil.copyfile(source / contract.WARMUP_ASSET, staged / contract.WARMUP_ASSET)


def _golden(of: release.Golden, folders: dict[str, Path]) -> dict[str, Any]:
    from neumo_serving import savedmodel

    outputs, asked = {}, {contract.IMAGE.name: golden.images(of)}
    for name, folder in folders.items():
        with savedmodel.opened(folder) as model:
            outputs[name] = golden.recorded(model.run(contract.SERVING_DEFAULT, asked))
    return outputs


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stdout.write(f"release {add(Path(sys.argv[1]))}\n")
