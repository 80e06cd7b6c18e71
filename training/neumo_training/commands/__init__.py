"""The subcommands of training: one module each, which imports nothing heavy at its top."""
