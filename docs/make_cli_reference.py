"""Write docs/cli.md from the commands' help: ``python docs/make_cli_reference.py [--check]``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TARGET = Path(__file__).with_name("cli.md")
COMMANDS = (
    "train",
    "tune",
    "recipes",
    "export",
    "verify",
    "predict",
    "info",
    "bench",
    "bundle",
    "data",
    "data check",
    "data clean",
    "data split",
    "data crop",
    "data draw",
)


def reference() -> str:
    """The whole page."""
    parts = [
        "# Commands\n",
        "Made by `make docs` from the commands' own help; do not edit.\n",
        "Exit status: 0 fine, 1 an error, 2 wrong usage, 3 a gate failed.\n",
        _help(),
    ]
    for command in COMMANDS:
        parts += [f"## edgeemo {command}\n", _help(*command.split())]
    return "\n".join(parts)


def _help(*command: str) -> str:
    program = "import sys; sys.argv[0] = 'edgeemo'; from edgeemo.cli.app import main; main()"
    shown = subprocess.run(
        [sys.executable, "-c", program, *command, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "96"},
    )
    lines = "\n".join(line.rstrip() for line in shown.stdout.rstrip().splitlines())
    return f"```text\n{lines}\n```\n"


def main() -> int:
    """Write the page, or with --check say whether it is current."""
    page = reference()
    if "--check" in sys.argv:
        if TARGET.read_text(encoding="utf-8") == page:
            return 0
        print(f"{TARGET.name} is not what the commands say: run 'make docs'", file=sys.stderr)
        return 1
    TARGET.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
