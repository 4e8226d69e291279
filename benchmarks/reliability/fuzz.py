"""Feed edgeemo inputs that a fuzzer makes by coverage, for hours of the processor's time.

    python -m pip install 'atheris>=3,<4'
    python -m benchmarks.reliability.fuzz TARGET [--hours H] [--corpus DIR]

Targets: `image` (the bytes of an image on every path), `container` (exported files; the digest is
made right, so that what is behind it is reached), `spec` (JSON files of a model folder) and
`manifest` (manifest and archive of a bundle). For every input there must be a value, or one of
edgeemo's errors in one line. Anything else is a fault: another exception, a warning, output, a
crash, more than `MAX_SECONDS` of the processor, `MAX_GROWTH_MB` more memory than at the start, or
changed bytes that are accepted under an unchanged digest. An input that shows a fault is kept in
DIR/faults, with the reason; the fuzzer goes on.

The fuzzer (`fuzz_worker.py`) runs in a process of its own, which is started again after a crash.
Hours are its processor time, instrumentation included; DIR/runs holds those of every run, so that
hours add up over runs, several at the same time included. Ends at SIGTERM or Ctrl-C, too. Exit
status 1 if DIR/faults is not empty.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

NAMES = ("image", "container", "spec", "manifest")
MAX_SECONDS, MAX_GROWTH_MB = 4.0, 260
_PROGRESS = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")
_REPORT_SECONDS = 60.0
_PATIENCE_SECONDS = 10  # with a fuzzer that ends
_CRASHES = {-signal.SIGPROF: "hang", 77: "memory"}  # exit statuses of the worker; 0 is its end


@dataclass
class Run:
    """Figures of one run, as DIR/runs holds them.

    Attributes:
        cpu_seconds: Processor time of the fuzzer.
        clean_cpu_seconds: That since the last new fault.
        executions: Number of inputs.
        edges: Number of branches of edgeemo's code, and of Pillow's Python code, that were taken.
        features: Number of such branches by how often each was taken.
        inputs: Number of inputs in the corpus.
        faults: Number of new faults.
    """

    cpu_seconds: float = 0.0
    clean_cpu_seconds: float = 0.0
    executions: int = 0
    edges: int = 0
    features: int = 0
    inputs: int = 0
    faults: int = 0


@dataclass
class Supervisor:
    """A run that starts the fuzzer, and again after a crash.

    Attributes:
        target: One of `NAMES`.
        folder: The folder of corpus, faults and runs.
        hours: Processor time of this run.
    """

    target: str
    folder: Path
    hours: float
    run: Run = field(default_factory=Run)

    def __post_init__(self) -> None:
        self.folder = self.folder.resolve()
        for name in ("corpus", "faults", "runs"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._record = self.folder / "runs" / f"{time.time_ns()}-{os.getpid()}.json"
        self._current = self.folder / "runs" / f"{self._record.stem}.input"
        self._known = self._list_faults()
        self._process: subprocess.Popen[str] | None = None
        self._is_ending = False
        self._reported = time.monotonic()

    def feed(self) -> None:
        """Run the fuzzer until its time is up, or a signal comes."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        while not self._is_ending and self.run.cpu_seconds < 3600 * self.hours:
            status = self._feed_once()
            if status and not self._is_ending:
                self._keep_crash(status)
        self._report()
        self._current.unlink(missing_ok=True)

    def _end(self, *_: object) -> None:
        self._is_ending = True
        if process := self._process:
            process.terminate()
            signal.signal(signal.SIGALRM, lambda *_: process.kill())
            signal.alarm(_PATIENCE_SECONDS)

    def _feed_once(self) -> int:
        """Run the fuzzer once, and return its exit status."""
        before, executed = self.run.cpu_seconds, self.run.executions
        left = 3600 * self.hours - before
        command = [
            sys.executable, "-m", "benchmarks.reliability.fuzz_worker",
            self.target, str(self.folder), str(self._current), str(left),
        ]  # fmt: skip
        last: list[str] = []
        with subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, errors="replace"
        ) as self._process:
            for line in self._process.stderr or ():
                if line.startswith("STATUS "):
                    seconds, executions = json.loads(line.removeprefix("STATUS "))
                    self._take(before + seconds, executed + executions)
                elif found := _PROGRESS.search(line):
                    self.run.edges, self.run.features, self.run.inputs = map(int, found.groups())
                else:
                    last = [*last[-40:], line]
        if self._process.returncode and not self._is_ending:
            sys.stdout.write("".join(last))
        return self._process.returncode

    def _take(self, cpu_seconds: float, executions: int) -> None:
        """Take the figures that the fuzzer reports."""
        faults = self._list_faults()
        if new := faults - self._known:
            self._known = faults
            self.run.faults += len(new)
            self.run.clean_cpu_seconds = 0.0
            for name in sorted(new):
                print(f"FAULT {self.folder / 'faults' / name}", flush=True)
        self.run.clean_cpu_seconds += cpu_seconds - self.run.cpu_seconds
        self.run.cpu_seconds, self.run.executions = cpu_seconds, executions
        if time.monotonic() - self._reported > _REPORT_SECONDS:
            self._report()

    def _keep_crash(self, status: int) -> None:
        """Keep the input that ended the fuzzer, whose bytes are in `_current`."""
        kind = _CRASHES.get(status, f"status {status}")
        content = self._current.read_bytes()
        content = content[8 : 8 + int.from_bytes(content[:8], "little")]
        path = self.folder / "faults" / f"crash-{time.time_ns()}"
        path.write_bytes(content)
        path.with_suffix(".txt").write_text(f"{kind}\n")
        self._take(self.run.cpu_seconds, self.run.executions)
        time.sleep(1)

    def _list_faults(self) -> set[str]:
        return {path.name for path in (self.folder / "faults").glob("*.txt")}

    def _report(self) -> None:
        """Write the figures of this run, and print them with those of all runs."""
        self._reported = time.monotonic()
        self._record.write_text(json.dumps(asdict(self.run)) + "\n")
        print(f"{time.strftime('%F %T')} {describe(self.folder)}", flush=True)


def describe(folder: Path) -> str:
    """Return the figures of all runs into a folder as a line."""
    runs = [
        Run(**json.loads(path.read_text())) for path in sorted((folder / "runs").glob("*.json"))
    ]
    hours = sum(run.cpu_seconds for run in runs) / 3600
    clean = 0.0
    for run in runs:
        clean = run.clean_cpu_seconds + (0.0 if run.faults else clean)
    return (
        f"{folder.name}: {hours:.3f} CPU hours, {clean / 3600:.3f} without a new fault; "
        f"{sum(run.executions for run in runs):,} inputs, "
        f"{max((run.edges for run in runs), default=0):,} branches, "
        f"{len(list((folder / 'corpus').iterdir())):,} inputs kept, "
        f"{len(list((folder / 'faults').glob('*.txt'))):,} faults"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=NAMES)
    parser.add_argument("--hours", type=float, default=4.0, help="processor time (4)")
    parser.add_argument("--corpus", type=Path, help="folder to continue (build/fuzz/TARGET)")
    options = parser.parse_args()
    folder = options.corpus or Path("build/fuzz", options.target)
    supervisor = Supervisor(options.target, folder, options.hours)
    supervisor.feed()
    return int(any((supervisor.folder / "faults").iterdir()))


if __name__ == "__main__":
    sys.exit(main())
