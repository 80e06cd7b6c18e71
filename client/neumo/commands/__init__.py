"""The SDK's subcommands of ``neumo``; the entry-point group ``neumo.commands`` lists them."""
