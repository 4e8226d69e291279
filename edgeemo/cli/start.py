"""The start of ``edgeemo``: a command line is run, and an error ends it in one line."""

from __future__ import annotations

import sys

from edgeemo.utils.command import prepare_streams, run_command
from edgeemo.utils.redirect import drop_image_warnings


def main() -> None:
    """Run the command line; an error that the user can mend is one line on standard error.

    Exit status: 0 fine, 1 an error, 2 wrong usage, 3 a gate failed, 130 Ctrl-C, 143 SIGTERM.
    """
    prepare_streams()
    drop_image_warnings()
    sys.exit(run_command(_run, memory_hint="try a smaller --size or --batch-size"))


def _run() -> int:
    from edgeemo.cli.plain import run_plain

    status = run_plain(sys.argv[1:])
    if status is not None:
        return status
    from edgeemo.cli.app import run_app

    return run_app()


if __name__ == "__main__":
    main()
