"""Figures of `edgeemo live`, one subcommand per row of the table in docs/live.md.

    python -m benchmarks.live            # lists the rows
    python -m benchmarks.live kill -h    # options of one

A row is a module of `benchmarks.live_rows` with a function `main(arguments)`, which prints the
figure and returns the exit status: 1 where the goal is missed.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

_ROWS = Path(__file__).parent / "live_rows"


def main(arguments: list[str]) -> int:
    """Run a row; without one list them.

    Args:
        arguments: Words of the command line, the row first.
    """
    names = sorted(path.stem for path in _ROWS.glob("*.py") if path.stem != "__init__")
    if not arguments or arguments[0] not in names:
        for name in names:
            purpose = (import_module(f"benchmarks.live_rows.{name}").__doc__ or "").splitlines()
            print(f"{name:12} {purpose[0] if purpose else ''}")
        return 2 if arguments else 0
    module = import_module(f"benchmarks.live_rows.{arguments[0]}")
    status: int = module.main(arguments[1:])
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
