"""Run the command line: ``python -m edgeemo``."""

from edgeemo.cli.app import main

if __name__ == "__main__":
    main()
