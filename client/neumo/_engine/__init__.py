"""Which calls a prediction takes and what their answers make: no network, no threads, no files."""
