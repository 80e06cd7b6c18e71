"""How benchmarks measure."""
