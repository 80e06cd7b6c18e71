"""gRPC: TensorFlow Serving's services, thin over the engine."""
