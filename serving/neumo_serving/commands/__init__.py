"""The subcommands of serving: one module each, which imports nothing heavy at its top."""
