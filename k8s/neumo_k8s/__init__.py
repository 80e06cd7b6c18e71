"""Kubernetes: the manifests lie beside this package, and ``neumo rollout`` is in it."""
