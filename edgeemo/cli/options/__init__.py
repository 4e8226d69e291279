"""The options of the commands, and how their text becomes values."""
