"""Write docs/cli.md from the commands' help: ``python docs/make_cli_reference.py [--check]``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["COLUMNS"] = os.environ["TERMINAL_WIDTH"] = "96"

import click
import typer.main

from edgeemo.cli.app import app

TARGET = Path(__file__).with_name("cli.md")


def reference() -> str:
    """The whole page."""
    group = typer.main.get_command(app)
    context = click.Context(group, info_name="edgeemo")
    parts = [
        "# Commands\n",
        "Made by `make docs` from the commands' own help; do not edit.\n",
        "Exit status: 0 fine, 1 an error, 2 wrong usage, 3 a gate of the verification failed.\n",
        _block(group.get_help(context)),
    ]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        sub = click.Context(command, info_name=name, parent=context)
        parts += [f"## edgeemo {name}\n", _block(command.get_help(sub))]
    return "\n".join(parts)


def _block(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
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
