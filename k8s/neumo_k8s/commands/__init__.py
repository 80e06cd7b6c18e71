"""The subcommands of ``neumo`` that need a Kubernetes cluster."""
