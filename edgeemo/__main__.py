"""The command ``edgeemo``, also as ``python -m edgeemo``.

It imports nothing before Ctrl-C is taken care of.
"""

from edgeemo.utils.interrupt import exit_on_interrupt


def main() -> None:
    """Run the command line; see `edgeemo.cli.start.main`."""
    exit_on_interrupt()
    from edgeemo.cli.start import main as run

    run()


if __name__ == "__main__":
    main()
