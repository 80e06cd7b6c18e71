"""Warm-up records: what TensorFlow Serving replays before it calls a version AVAILABLE."""

from neumo._wire.grpc_messages import warmup_record

__all__ = ["warmup_record"]
