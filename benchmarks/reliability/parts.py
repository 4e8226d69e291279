"""The parts of the reliability campaign, and one of them run in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.machine import describe, wait_for
from benchmarks.reliability.check import Check

if TYPE_CHECKING:
    from collections.abc import Callable

_ONE_CORE = {"TF_NUM_INTRAOP_THREADS": "1"}
"""Environment of a part: another runs beside it."""

_PACKAGES = ("numpy", "pillow", "ai-edge-litert", "onnxruntime", "tensorflow", "keras")


@dataclass(frozen=True)
class Part:
    """A part of the campaign.

    Attributes:
        function: Module of this package and function, which takes no arguments and returns the
            checks.
        alone: Whether nothing may run beside it, since it measures time.
    """

    function: str
    alone: bool = False

    def load(self) -> Callable[[], list[Check]]:
        """Import the function."""
        module, _, name = self.function.partition(":")
        function: Callable[[], list[Check]] = getattr(
            import_module(f"benchmarks.reliability.{module}"), name
        )
        return function


PARTS = {
    "faces": Part("predictions:measure_faces"),
    "kills": Part("kills:measure"),
    "predictions": Part("predictions:measure_whole"),
    "mutations": Part("mutations:measure"),
    "bundles": Part("bundles:measure"),
    "traces": Part("traces:measure"),
    "folder": Part("folder:measure"),
    "resealed": Part("resealed:measure"),
    "flips": Part("bit_flips:measure"),
    "images": Part("images:measure", alone=True),
}
"""Name of each part, the longest first."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """Outcome of a part.

    Attributes:
        checks: Its rows of the table; none if it failed to measure.
        wall_s: Its time.
        cpu_s: Processor time of its processes.
        machine: Processor, cores and versions.
    """

    checks: tuple[Check, ...]
    wall_s: float
    cpu_s: float
    machine: str

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Result:
        """Read what `asdict` made."""
        return cls(**{**fields, "checks": tuple(Check(**each) for each in fields["checks"])})


def run_part(name: str) -> Result:
    """Run a part in a process of its own, which writes its own errors."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "checks.json"
        start = time.monotonic()
        command = [sys.executable, "-m", __spec__.name, name, str(out)]
        usage = wait_for(subprocess.Popen(command, env={**os.environ, **_ONE_CORE}))
        rows = json.loads(out.read_text()) if out.exists() else []
    return Result(
        checks=tuple(Check(**row) for row in rows),
        wall_s=round(time.monotonic() - start, 1),
        cpu_s=round(usage.cpu_ms / 1000, 1),
        machine=describe(*_PACKAGES),
    )


def main() -> None:
    """Measure the part that the command line names, and write its checks to a file."""
    name, out = sys.argv[1:]
    checks = [asdict(check) for check in PARTS[name].load()()]
    Path(out).write_text(json.dumps(checks))


if __name__ == "__main__":
    main()
