"""Write docs/cli.md from the commands' help: ``python docs/make_cli_reference.py [--check]``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from edgeemo.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = Path(__file__).with_name("cli.md")
WIDTH = 80

_OUTPUT = (
    "Results are written to standard output; progress, notes, warnings and errors to standard\n"
    "error. `--quiet` leaves out progress and notes, `--verbose` adds what libraries print, and\n"
    "the traceback of an error. Both may stand before or after the name of a command.\n",
    "Tables fit the terminal, or `COLUMNS` where that is set; one that cannot is written as a\n"
    "list. In a file or a pipe a row is one line. `--json` prints JSON and nothing else.\n",
    "`edgeemo --install-completion` makes the Tab key complete commands, options, their values\n"
    "and paths in bash, zsh, fish and PowerShell.\n",
)


def reference() -> str:
    """Return the whole page."""
    (_, overview), *commands = help_pages(typer.main.get_command(app), "edgeemo")
    parts = [
        "# Commands\n",
        "Made by `make docs` from the commands' own help; do not edit.\n",
        "Exit status: 0 fine, 1 an error, 2 wrong usage, 3 a gate failed, 130 Ctrl-C, 143 "
        "SIGTERM.\n",
        *_OUTPUT,
        _block(overview),
    ]
    for name, text in commands:
        parts += [f"## {name}\n", _block(text)]
    return "\n".join(parts)


def help_pages(command: Any, name: str, parent: Any = None) -> Iterator[tuple[str, str]]:
    """Yield name and help of a command, and of the commands below it.

    Args:
        command: A command or a group, as Typer makes it.
        name: Its name.
        parent: The context of the group that it belongs to.
    """
    context = typer.Context(
        command, parent, info_name=name, terminal_width=WIDTH, **command.context_settings
    )
    yield context.command_path, context.get_help()
    for below in getattr(command, "commands", ()):
        yield from help_pages(command.get_command(context, below), below, context)


def _block(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.rstrip().splitlines())
    return f"```text\n{lines}\n```\n"


def main() -> int:
    """Write the page, or with --check report whether it is current."""
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
