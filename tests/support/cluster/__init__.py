"""A real Kubernetes: its objects, an application in it, and what goes wrong with pods."""
