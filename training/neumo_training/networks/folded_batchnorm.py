"""Batch normalisation folded into convolutions: the same answers, fewer operations."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers


def fold(model: Any) -> Any:
    """A copy of ``model`` for inference, without batch normalisation (Jacob et al. 2018, 3.2).

    Every ``BatchNormalization`` of it follows a ``Conv2D`` without bias, see
    ``layers.convolution``. A model that has none is returned as it is.
    """
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    if not norms:
        return model
    normed = {_before(norm).name: norm for norm in norms}

    def copied(layer: Any) -> Any:
        bias = {"use_bias": True} if layer.name in normed else {}
        return type(layer).from_config(layer.get_config() | bias)

    def called(layer: Any, *inputs: Any, **options: Any) -> Any:
        passed_by = isinstance(layer, layers.BatchNormalization)
        return inputs[0] if passed_by else layer(*inputs, **options)

    # The first makes layers, the second wires them: normalisations are made, and left unwired.
    folded = keras.models.clone_model(model, clone_function=copied, call_function=called)
    for layer in folded.layers:
        trained = model.get_layer(layer.name)
        norm = normed.get(layer.name)
        # By name: layers without a normalisation keep their weights as they are.
        layer.set_weights(_folded(trained, norm) if norm else trained.get_weights())
    return folded


def _before(norm: Any) -> Any:
    # Keras has no public way from a layer to the one before it.
    return norm.input._keras_history.operation


def _folded(convolution: Any, norm: Any) -> list[Any]:
    (kernel,) = convolution.get_weights()
    gamma, beta, mean, variance = norm.get_weights()
    scale = gamma / np.sqrt(variance + norm.epsilon)
    # The output channel is the kernel's last axis, along which the scale is spread.
    return [kernel * scale, beta - mean * scale]
