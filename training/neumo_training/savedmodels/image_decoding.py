"""Encoded images to the contract's input, in TensorFlow's graph, as Pillow does it in the SDK.

Pillow's luma and its two-pass bicubic resampling with 8-bit rounding between the passes are
followed step by step (``src/libImaging/{Convert,Resample}.c``), so that ``encoded`` answers what
the SDK would. Orientation in EXIF is not read here, and 16-bit images keep their high byte.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from neumo import contract

# ITU-R 601's .299, .587 and .114 of 65,536, as Pillow rounds them.
_LUMA = (19595, 38470, 7471)
_LUMA_SHIFT = 16


def decode(image_bytes: Any) -> Any:
    """Files' bytes, string [n] (JPEG, PNG, GIF, BMP), to uint8 [n, 256, 256, 1]."""
    size = contract.IMAGE_SIZE_PX
    spec = tf.TensorSpec((size, size, 1), tf.uint8)
    # One by one: until they are decoded, files differ in size.
    return tf.map_fn(_decode_one, image_bytes, fn_output_signature=spec)


def _decode_one(content: Any) -> Any:
    pixels = tf.cond(
        tf.io.is_jpeg(content),
        # TensorFlow's default transform is a faster one that is up to 5 grey levels off Pillow's.
        lambda: tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE"),
        # No animations: they have a fourth axis, and the SDK reads the first frame alone.
        lambda: tf.io.decode_image(content, channels=3, expand_animations=False),
    )
    pixels.set_shape((None, None, 3))
    weighted = tf.reduce_sum(tf.cast(pixels, tf.int32) * _LUMA, axis=-1, keepdims=True)
    grey = tf.bitwise.right_shift(weighted + (1 << (_LUMA_SHIFT - 1)), _LUMA_SHIFT)
    height, size = tf.shape(grey)[0], contract.IMAGE_SIZE_PX

    def resampled() -> Any:
        # Width first, then height, and rounded between: two passes, as Pillow's.
        across = _resampled(tf.cast(grey, tf.float32), tf.stack([height, size]))
        return tf.cast(_resampled(across, tf.constant([size, size])), tf.uint8)

    # What has the size already, as the SDK sends it over REST, comes through 4 ms sooner.
    is_of_size = tf.reduce_all(tf.shape(grey)[:2] == size)
    return tf.cond(is_of_size, lambda: tf.cast(grey, tf.uint8), resampled)


def _resampled(pixels: Any, size: Any) -> Any:
    smooth = tf.image.resize(pixels, size, method="bicubic", antialias=True)
    # Half goes up in Pillow; tf.round takes it to the even neighbour.
    return tf.clip_by_value(tf.floor(smooth + 0.5), 0.0, 255.0)
