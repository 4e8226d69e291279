"""Kill the commands that write, at random moments, and see what is left and whether they run again.

    python -m benchmarks.reliability.kills [--count 200] [--seed 0]

Needs the ``train`` extra. Every command runs once to its end, for its duration and its files. Then
it is killed with SIGKILL, SIGTERM or SIGINT, half of the trainings after their first checkpoint,
and where ``unshare`` may, every fourth process is number 1 of a container. Counted are results that
are half-written, commands that then do not run again, trainings that ``--resume`` brings to other
files, and hidden files that stay.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from edgeemo.utils.files import sha256_file

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
_CONTAINER = ("unshare", "--pid", "--fork", "--kill-child")
_STATE = ".m.training/state.npz"


@dataclass(frozen=True)
class Case:
    """A command that writes.

    Attributes:
        words: Its arguments.
        out: The file or folder that it writes.
        same: Files of that folder which every run writes alike; () for all of them.
        prepared: What it needs: folders and files of the prepared place.
        weight: How often it is drawn.
    """

    words: str
    out: str
    same: tuple[str, ...] = ()
    prepared: tuple[str, ...] = ("faces",)
    weight: int = 1

    @property
    def trains(self) -> bool:
        """Return whether it can be resumed."""
        return self.words.startswith("train")


_MODELS = ("float32.tflite", "int8.tflite", "float32.onnx", "int8.onnx")
_TRAIN = "train --data faces --epochs 6 --size 32 --arch cnn-4-4-4-d16 --out m"
CASES = (
    Case("data draw drawn --count 60 --size 64", "drawn", prepared=()),
    Case("data clean faces --out clean", "clean"),
    Case("data split faces --out split", "split"),
    Case("data crop faces --out crops", "crops"),
    Case("bundle ready --out b.pyz --force", "b.pyz", prepared=("ready",)),
    Case(
        "export ready --int8 --force", "ready", same=_MODELS, prepared=("faces", "ready"), weight=2
    ),
    Case("verify ready", "ready", same=_MODELS, prepared=("faces", "ready")),
    Case(_TRAIN, "m", same=("history.csv", "reference.csv", "split.csv"), weight=8),
)


@dataclass(frozen=True)
class Whole:
    """A run to the end: seconds, and the files by name with their SHA-256."""

    seconds: float
    files: dict[str, str]


def start(words: str, place: Path, *, container: bool = False) -> subprocess.Popen[bytes]:
    """Start a command, silent, with the default reaction to Ctrl-C."""
    code = (
        "import signal, runpy; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "runpy.run_module('edgeemo', run_name='__main__', alter_sys=True)"
    )
    command = [*(_CONTAINER if container else ()), sys.executable, "-c", code, *words.split()]
    return subprocess.Popen(
        command, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, process_group=0
    )


def fingerprint(case: Case, place: Path) -> dict[str, str]:
    """Return the SHA-256 of the files that a case writes alike, by name; {} without any."""
    out = place / case.out
    if out.is_file():
        return {case.out: sha256_file(out)}
    names = case.same or [str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()]
    return {name: sha256_file(out / name) for name in names if (out / name).is_file()}


def list_hidden(place: Path) -> list[str]:
    """Return the hidden files and folders that no finished command leaves."""
    return sorted(path.name for path in place.glob(".*"))


def prepare(place: Path) -> None:
    """Make the images and the exported model that the cases need."""
    for words in (
        "data draw faces --count 40 --size 48",
        _TRAIN.replace("--out m", "--out ready"),
        "export ready --int8",
    ):
        subprocess.run([sys.executable, "-m", "edgeemo", *words.split()], cwd=place, check=True)


def copy_prepared(case: Case, source: Path, place: Path) -> None:
    """Copy what a case needs into an empty folder."""
    for name in case.prepared:
        shutil.copytree(source / name, place / name)


def run_whole(case: Case, source: Path) -> Whole:
    """Run a case to its end.

    Raises:
        RuntimeError: If it fails.
    """
    with TemporaryDirectory() as folder:
        place = Path(folder)
        copy_prepared(case, source, place)
        begin = time.monotonic()
        process = start(case.words, place)
        _, err = process.communicate()
        if process.returncode:
            raise RuntimeError(f"{case.words}: {err.decode()}")
        return Whole(time.monotonic() - begin, fingerprint(case, place))


def kill(case: Case, place: Path, whole: Whole, rng: random.Random, *, container: bool) -> str:
    """Start a case, kill it at some moment, and return how: "SIGINT after a checkpoint"."""
    process = start(case.words, place, container=container)
    checkpoint = case.trains and rng.random() < 0.7
    if checkpoint:
        while not (place / _STATE).exists() and process.poll() is None:
            time.sleep(0.02)
        time.sleep(rng.uniform(0, whole.seconds / 4))
    else:
        time.sleep(rng.uniform(0, whole.seconds))
    number = rng.choice(SIGNALS)
    if process.poll() is None:
        os.killpg(process.pid, number)
    process.communicate()
    return f"{number.name}{' after a checkpoint' if checkpoint else ''}"


def judge(case: Case, place: Path, whole: Whole, before: dict[str, str]) -> list[str]:
    """Return the faults: of what is there now, and of what the same command then writes."""
    faults = []
    now = fingerprint(case, place)
    if before and not (before.items() | whole.files.items()) >= now.items():
        faults.append("half-written")
    exists = (place / case.out).exists() and not before
    if exists and now != whole.files and not (case.trains and now.keys() == whole.files.keys()):
        faults.append("half-written")  # a training keeps its best epoch on Ctrl-C
    resumes = case.trains and (place / _STATE).exists() and not exists
    if not exists:
        again = start(f"{case.words}{' --resume' if resumes else ''}", place)
        _, err = again.communicate()
        if again.returncode:
            faults.append(f"blocked ({err.decode().strip().splitlines()[-1:]})")
        elif fingerprint(case, place) != whole.files:
            faults.append("not resumed to the same files" if resumes else "other files")
    left = list_hidden(place)
    if left and not exists:
        faults.append(f"left {', '.join(left)}")
    return faults


def main() -> int:
    """Kill and count; 1 if there is any fault."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    container = _can_unshare()
    kinds: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    with TemporaryDirectory() as folder:
        prepare(Path(folder))
        wholes = {case: run_whole(case, Path(folder)) for case in CASES}
        for number in range(asked.count):
            (case,) = rng.choices(CASES, [case.weight for case in CASES])
            inside = container and number % 4 == 3
            with TemporaryDirectory() as work:
                place = Path(work)
                copy_prepared(case, Path(folder), place)
                before = fingerprint(case, place)
                how = kill(case, place, wholes[case], rng, container=inside)
                found = judge(case, place, wholes[case], before)
            kinds[f"{how}{', as process 1' if inside else ''}"] += 1
            faults.update(fault.split(" (")[0] for fault in found)
            for fault in found:
                print(f"{case.words}: {how}: {fault}", flush=True)
    for kind, count in sorted(kinds.items()):
        print(f"{count:4} x {kind}")
    print(f"{asked.count} kills; faults: {dict(faults) or 'none'}")
    return int(bool(faults))


def _can_unshare() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_CONTAINER, "true"], check=False, capture_output=True).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
