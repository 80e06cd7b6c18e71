"""The docker daemon, and what images are built of."""
