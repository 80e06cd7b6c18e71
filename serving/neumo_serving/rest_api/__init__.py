"""REST: TensorFlow Serving's JSON API, thin over the engine."""
