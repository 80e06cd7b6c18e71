"""What TensorFlow Serving does, a row for each behaviour, and what judges a server by them."""
