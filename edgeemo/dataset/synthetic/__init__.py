"""Drawn faces: for practice, for tests and for golden vectors."""
