"""The networks and what they see: pure functions from configuration to Keras models."""
