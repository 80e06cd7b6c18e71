"""The SDK of neumo."""
