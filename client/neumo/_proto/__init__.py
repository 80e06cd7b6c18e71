"""Generated protobuf messages; private. See serving.proto."""
