"""The fuzzer's process, which `fuzz.py` starts: atheris, and the oracle on every input."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import NoReturn

import atheris

from benchmarks.reliability.fuzz import MAX_GROWTH_MB, MAX_SECONDS

with atheris.instrument_imports(include=["edgeemo", "PIL"]):
    from benchmarks.reliability.fuzz_oracle import Fault, judge, make_scratch_folder
    from benchmarks.reliability.fuzz_targets import TARGETS

    for seed in TARGETS[sys.argv[1]].list_seeds():  # imports what is imported when it is needed
        judge(TARGETS[sys.argv[1]].check, seed)

_STATUS_SECONDS = 10.0
_HANG_SECONDS = 20.0
_OUT_OF_MEMORY = 77
_MAX_SHOWN = 3  # inputs kept of one fault


class Worker:
    """One input after another, with limits of time, memory and output.

    Args:
        name: The target.
        folder: The folder of corpus and faults.
        current: File that holds the current input, for the process that started this one.
        seconds: Processor time.
    """

    def __init__(self, name: str, folder: Path, current: Path, seconds: float) -> None:
        self.target, self._folder, self._seconds = TARGETS[name], folder, seconds
        self.executions = 0
        self._told, self._began = time.monotonic(), 0.0
        self._seen: dict[str, int] = {}
        self._reports = os.dup(2)
        current.write_bytes(bytes(8 + self.target.max_bytes))
        with current.open("r+b") as stream:
            self._current = mmap.mmap(stream.fileno(), 0)
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - open to the end
        self._max_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + 1024 * MAX_GROWTH_MB

    def take(self, data: bytes) -> None:
        """Judge an input."""
        if not self.executions:
            for descriptor in (1, 2):  # libFuzzer writes to a copy of its own
                os.dup2(self._output.fileno(), descriptor)
        self.executions += 1
        self._current[: 8 + len(data)] = len(data).to_bytes(8, "little") + data
        self._began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, _HANG_SECONDS)  # whose signal ends the process
        fault = judge(self.target.check, data)
        signal.setitimer(signal.ITIMER_PROF, 0)
        fault = fault or self._find_excess()
        if fault:
            self._keep(fault, data)
        if self.executions % 16 == 0 and time.monotonic() - self._told > _STATUS_SECONDS:
            self.tell()

    def _find_excess(self) -> Fault | None:
        """Return what the last input took too much of, if anything."""
        seconds = time.process_time() - self._began
        if seconds > MAX_SECONDS:
            return Fault("slow", f"{seconds:.1f} seconds of the processor")
        if os.fstat(self._output.fileno()).st_size:
            shown = os.pread(self._output.fileno(), 2000, 0).decode(errors="replace")
            os.ftruncate(self._output.fileno(), 0)
            os.lseek(self._output.fileno(), 0, os.SEEK_SET)
            return Fault(f"output: {shown[:40]!r}", shown)
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > self._max_kb:
            self.tell()
            self._leave(_OUT_OF_MEMORY)
        return None

    def _keep(self, fault: Fault, data: bytes) -> None:
        count = self._seen[fault.kind] = self._seen.get(fault.kind, 0) + 1
        if count > _MAX_SHOWN:
            return
        name = hashlib.sha256(fault.kind.encode()).hexdigest()[:12]
        (self._folder / "faults" / f"{name}-{count}").write_bytes(data)
        path = self._folder / "faults" / f"{name}.txt"
        path.write_text(f"{fault.kind}\n\n{fault.text}\n", errors="backslashreplace")

    def change(self, data: bytes, max_size: int, seed: int) -> bytes:
        """Return a changed input: the fuzzer's change, and one that suits the target."""
        drawn = random.Random(seed)
        if drawn.random() < self.target.mend_alone:
            return self.target.mend(data, drawn)[:max_size]
        return self.target.mend(atheris.Mutate(data, max_size), drawn)[:max_size]

    def tell(self) -> None:
        """Report the figures so far; end where the time is up."""
        self._told, spent = time.monotonic(), time.process_time()
        os.write(self._reports, f"STATUS {json.dumps([spent, self.executions])}\n".encode())
        if spent > self._seconds:
            self._leave(0)

    def fail(self) -> NoReturn:
        """Report the exception that is handled, a mistake in the fuzzer, and end."""
        os.write(self._reports, traceback.format_exc().encode())
        self._leave(1)

    def end(self, *_: object) -> None:
        """Report, and end: for SIGTERM."""
        self.tell()
        self._leave(0)

    def _leave(self, status: int) -> NoReturn:
        """End the process from within the fuzzer, which does not return."""
        shutil.rmtree(make_scratch_folder(), ignore_errors=True)
        os._exit(status)


def main() -> None:
    name, folder, current, seconds = sys.argv[1:]
    worker = Worker(name, Path(folder), Path(current), float(seconds))
    corpus = Path(folder, "corpus")
    for data in worker.target.list_seeds():
        (corpus / hashlib.sha1(data).hexdigest()).write_bytes(data)
    signal.signal(signal.SIGTERM, worker.end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: `fuzz.py` ends this process
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    flags = [
        f"-max_len={worker.target.max_bytes}", "-close_fd_mask=3", "-handle_term=0",
        "-handle_int=0", "-detect_leaks=0", "-rss_limit_mb=0", "-timeout=100000",
        f"-artifact_prefix={current}.",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *flags, str(corpus)], worker.take, custom_mutator=worker.change)
    try:
        atheris.Fuzz()
    except BaseException:  # an orderly end would wait for ever for what libFuzzer holds
        worker.fail()


if __name__ == "__main__":
    main()
