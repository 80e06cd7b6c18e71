"""Pure: numpy <-> TensorFlow Serving's protobuf messages and JSON. No network, no clock.

Whatever is malformed raises ``ValueError``; the transports turn that into ``BadResponse``.
"""
