"""The web gateway: an API and a page for people, over the SDK; it needs no TensorFlow.

``gateway_app`` puts the parts together. A request passes ``middleware`` (headers, counting),
``auth`` (who asks, and may they), ``rate_limit`` and ``admission`` (whether there is room),
``upload_bodies`` and ``multipart_films`` (its films, in memory), ``film_routes`` and
``film_outcomes``, which asks the SDK. What goes wrong is a ``Refusal`` with a problem.
"""
