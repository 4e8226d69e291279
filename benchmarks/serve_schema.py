"""Compare a running server with its /openapi.json by schemathesis, with all its checks.

    python -m benchmarks.serve_schema URL TOKEN [--cases N]

The two responses without an end, /v1/events and /v1/stream.mjpg, have tests of their own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ENDLESS = r"^/v1/(events|stream\.mjpg)$"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--cases", type=int, default=100, help="most cases per operation and phase")
    given = parser.parse_args()
    words = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{given.url}/openapi.json",
        "--header", f"Authorization: Bearer {given.token}", "--checks", "all",
        "--exclude-path-regex", ENDLESS, "--max-examples", str(given.cases), "--seed", "1",
        "--phases", "examples,coverage,fuzzing", "--generation-database", "none",
        "--continue-on-failure", "--no-color", "--request-timeout", "20", "--warnings", "off",
    ]  # fmt: skip
    hooks = {"SCHEMATHESIS_HOOKS": "benchmarks.serve_hooks"}
    repository = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory() as folder:
        path = {"PYTHONPATH": str(repository)}
        done = subprocess.run(words, cwd=folder, env={**os.environ, **hooks, **path}, check=False)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
