"""The web gateway: an API and a page for people, over the SDK; it needs no TensorFlow.

``app`` puts the parts together. A request passes ``guard`` (headers, counting), ``callers`` (who
asks, and may they), ``bodies`` and ``forms`` (its films, in memory), ``admission`` (whether there
is room) and ``api``, which asks the SDK. What goes wrong is a ``Refusal`` with a problem.
"""
