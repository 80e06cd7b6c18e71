"""Kubernetes manifests live beside this package; its rollout tool comes with a later issue."""
