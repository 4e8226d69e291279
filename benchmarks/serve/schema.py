"""Compare a running server with its /openapi.json by schemathesis, with all its checks.

    python -m benchmarks.serve.schema URL TOKEN [--cases N]

The two responses without an end, /v1/events and /v1/stream.mjpg, have tests of their own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.serve.process import TOKEN, Server

CASES = 400
"""Cases per operation of the whole run: more than 2,000 in all."""

ENDLESS = r"^/v1/(events|stream\.mjpg)$"


def measure_schema() -> None:
    """Run it against a server of its own."""
    with Server("test", "--token", TOKEN) as server:
        print(f"schema: status {run(server.url, TOKEN, CASES)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--cases", type=int, default=100, help="most cases per operation and phase")
    given = parser.parse_args()
    sys.exit(run(given.url, given.token, given.cases))


def run(url: str, token: str, cases: int) -> int:
    words = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json",
        "--header", f"Authorization: Bearer {token}", "--checks", "all",
        "--exclude-path-regex", ENDLESS, "--max-examples", str(cases), "--seed", "1",
        "--phases", "examples,coverage,fuzzing", "--generation-database", "none",
        "--continue-on-failure", "--no-color", "--request-timeout", "60",
        "--max-response-time", "50", "--warnings", "off",
    ]  # fmt: skip
    hooks = {"SCHEMATHESIS_HOOKS": "benchmarks.serve.hooks"}
    repository = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory() as folder:
        path = {"PYTHONPATH": str(repository)}
        done = subprocess.run(words, cwd=folder, env={**os.environ, **hooks, **path}, check=False)
    return done.returncode


if __name__ == "__main__":
    main()
