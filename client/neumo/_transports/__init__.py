"""How calls reach a server: gRPC and REST, blocking and awaited, thin over ``neumo._wire``."""
