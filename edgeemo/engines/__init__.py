"""The inference engines behind one protocol, one module each."""
