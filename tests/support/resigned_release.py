"""The shipped release's weights with the signatures that export writes today."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neumo import contract
from neumo_serving.config import shipped_release


def write(store: Path) -> list[str]:
    """Write its models into ``store``; the flags of a server for them."""
    import tensorflow as tf

    from neumo_training.savedmodels import warmup_records
    from neumo_training.savedmodels.image_decoding import decode

    for name, folder in shipped_release.folders().items():
        loaded = tf.saved_model.load(str(folder))
        root = tf.Module()
        root.loaded = loaded  # its weights are tracked, and so saved
        known = contract.model(name)

        def answering(served: Any, signature: contract.Signature) -> Any:
            names = [tensor.name for tensor in signature.outputs]

            def answer(image: Any) -> dict[str, Any]:
                found = served(image=image)
                return {name: found[name] for name in names}

            def answer_encoded(image_bytes: Any) -> dict[str, Any]:
                return answer(decode(image_bytes))

            is_encoded = signature.name == contract.ENCODED
            (tensor,) = signature.inputs
            dtype = tf.string if is_encoded else tf.uint8
            spec = [tf.TensorSpec(tensor.shape, dtype, tensor.name)]
            body = answer_encoded if is_encoded else answer
            return tf.function(body, input_signature=spec).get_concrete_function()

        default = loaded.signatures[contract.SERVING_DEFAULT]
        signatures = {
            signature.name: answering(
                loaded.signatures[contract.EXPLAIN]
                if signature.name == contract.EXPLAIN
                else default,
                signature,
            )
            for signature in known.signatures
        }
        saved = store / name / folder.name
        tf.saved_model.save(root, str(saved), signatures=signatures)
        assets = saved / contract.WARMUP_ASSET
        assets.parent.mkdir()
        warmup_records.write(known, assets)
    config = store / "models.config"
    entries = [
        f'config {{ name: "{name}" base_path: "{store / name}" model_platform: "tensorflow" }}'
        for name in shipped_release.folders()
    ]
    config.write_text("model_config_list { " + " ".join(entries) + " }")
    return [f"--model_config_file={config}"]
