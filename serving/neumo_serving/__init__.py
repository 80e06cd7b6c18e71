"""The embedded server: TensorFlow Serving's API and version handling, on TensorFlow in Python."""
