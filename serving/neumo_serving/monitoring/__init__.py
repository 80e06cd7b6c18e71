"""What is counted and timed, by TensorFlow Serving's names, and Prometheus' page of it."""
