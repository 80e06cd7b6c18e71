"""The embedded server: TensorFlow Serving's API without its container."""
