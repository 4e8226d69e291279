"""Outputs of a live run: one module each, none of which can stop another."""
