"""What the commands print: tables, JSON and progress."""
