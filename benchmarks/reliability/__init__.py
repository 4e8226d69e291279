"""Programs that attack edgeemo, with fixed seeds, and count what gets through."""
