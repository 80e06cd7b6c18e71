"""What both HTTP servers share: the socket, uvicorn's settings, and the reader of bodies.

The gateway runs where there is no TensorFlow, so nothing here may import it.
"""
