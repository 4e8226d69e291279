"""Helpers that know nothing of models or images; standard library only."""
