"""What a server is told: flags, the list of models, the release that neumo ships."""
