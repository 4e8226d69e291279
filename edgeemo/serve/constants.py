"""Numbers that the options state, too. Standard library only."""

from __future__ import annotations

MIN_TOKEN = 16
"""Fewest characters of a token: too many to try them all."""
