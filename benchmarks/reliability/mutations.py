"""Read mutated images on every path; count exceptions, warnings on standard error, and crashes.

    python -m benchmarks.reliability.run mutations

Paths: predict, predict --faces, data check --faces, and predict of a bundle with faces; and the
ingest of a training. The first three run in one process each, which is started again behind an
image that crashes it. An image that takes more than `MAX_SECONDS` counts, too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.reliability.check import Check, check_counts
from benchmarks.reliability.mutants import make_mutant
from benchmarks.reliability.subjects import SHIPPED, make_face_bundle

if TYPE_CHECKING:
    from collections.abc import Callable

    Row = dict[str, Any]

COUNT = 10_000
MAX_SECONDS = 2.0
PATHS = ("predict", "faces", "check")
_FAULTS = ("exceptions", "warned", "crashes", "slow")
_BATCH = 500  # images of one run of a bundle or of an ingest
_INGEST = """
import sys
from pathlib import Path
from edgeemo.dataset import IngestOptions, ingest_folder
dataset = ingest_folder(Path(sys.argv[1]), options=IngestOptions(accept=("webp", "gif")))
print(*[None] * (len(dataset.samples) + len(dataset.rejected)), sep="\\n")
"""


def measure(count: int = COUNT) -> list[Check]:
    """Return the checks of mutated images on every path, and print the worst of them."""
    rows = {path: _measure_path(path, count) for path in PATHS}
    with TemporaryDirectory() as folder:
        bundle = [sys.executable, str(make_face_bundle(Path(folder))), "predict", "--json"]
        rows["bundle"] = _measure_batches(bundle, count)
    figures = "exceptions / files with warnings / crashes / slower than 2 s"
    name = f"{count:,} mutated images × {len(rows)} paths ({', '.join(rows)}): {figures}"
    ingested = {"ingest": _measure_batches([sys.executable, "-c", _INGEST], count)}
    return [
        check_counts(name, _count_faults(rows)),
        check_counts(
            f"{count:,} mutated images through ingest: {figures}", _count_faults(ingested)
        ),
    ]


def _count_faults(measured: dict[str, list[Row]]) -> list[int]:
    """Return the number of faults of each kind; print the outcomes and some faults."""
    found: Counter[str] = Counter()
    for path, rows in measured.items():
        print(path, dict(Counter(row["outcome"] for row in rows)), flush=True)
        faulty = [row for row in rows if any(row.get(fault) for fault in _FAULTS)]
        print(*(f"  {row}"[:600] for row in faulty[:10]), sep="\n", file=sys.stderr)
        found.update(fault for row in faulty for fault in _FAULTS if row.get(fault))
    return [found[fault] for fault in _FAULTS]


def _measure_path(path: str, count: int) -> list[Row]:
    """Return a row for each image; one that crashed the process has "crashes"."""
    rows: list[Row] = []
    while len(rows) < count:
        command = [sys.executable, "-m", __name__, path, str(len(rows)), str(count)]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        rows += map(json.loads, run.stdout.splitlines())
        if len(rows) < count:
            rows.append({"number": len(rows), "outcome": "crash", "crashes": run.returncode})
    return rows


def _measure_batches(command: list[str], count: int) -> list[Row]:
    """Return a row for each run of a command on `_BATCH` images, which prints a line for each."""
    rows = []
    for first in range(0, count, _BATCH):
        numbers = range(first, min(first + _BATCH, count))
        with TemporaryDirectory() as folder:
            for number in numbers:
                place = Path(folder, "ab"[number % 2])
                place.mkdir(exist_ok=True)
                (place / f"{number:06}.png").write_bytes(make_mutant(number))
            run = subprocess.run([*command, folder], capture_output=True, text=True, check=False)
        printed = len(run.stdout.splitlines())
        errors = [each for each in run.stderr.splitlines() if not each.startswith("error: ")]
        rows.append(
            {
                "number": first,
                "outcome": "batch",
                "warned": "\n".join(errors),
                "crashes": 0 if run.returncode in (0, 1) else run.returncode,
                "exceptions": "" if printed == len(numbers) else f"{printed} results",
            }
        )
    return rows


def read_mutants(path: str, first: int, end: int) -> None:
    """Read mutants in this process; print a line of JSON for each."""
    from edgeemo.utils.redirect import drop_image_warnings

    drop_image_warnings()  # as the entry points do
    out = os.fdopen(os.dup(1), "w")
    with TemporaryDirectory() as folder:
        read = make_reader(path, Path(folder))
        errors = os.open(Path(folder, "errors"), os.O_RDWR | os.O_CREAT)
        os.dup2(errors, 2)
        for number in range(first, end):
            content, said = make_mutant(number), os.fstat(errors).st_size
            start = time.process_time()
            try:
                problem, outcome = "", read(content)
            except Exception as error:
                problem, outcome = f"{type(error).__name__}: {error}", "exception"
            seconds = time.process_time() - start
            sys.stderr.flush()
            row = {
                "number": number,
                "outcome": outcome,
                "exceptions": problem,
                "warned": os.pread(errors, 1000, said).decode(errors="replace"),
                "slow": seconds > MAX_SECONDS,
            }
            print(json.dumps(row), file=out, flush=True)


def make_reader(path: str, folder: Path) -> Callable[[bytes], str]:
    """Return a function from an image to "read" or "refused"; it raises if it is neither."""
    if path == "check":
        return _make_check(folder)
    from edgeemo import Classifier
    from edgeemo.model.face_request import FaceRequest

    faces = FaceRequest(enabled=path == "faces")
    classifier = Classifier.load(SHIPPED / "int8.tflite", faces=faces)

    def read(content: bytes) -> str:
        result = classifier.predict_result(content)
        if result.error is not None and "\n" in result.error:
            raise ValueError(f"not one line: {result.error}")
        return "refused" if result.error else "read"

    return read


def _make_check(folder: Path) -> Callable[[bytes], str]:
    from edgeemo.dataset.check.inspect_work import InspectWork
    from edgeemo.dataset.ingest.find import LabelledFile
    from edgeemo.imaging.faces import build_detector
    from edgeemo.model.face_settings import FaceSettings

    file = LabelledFile("image", "a", None)
    detector = build_detector(FaceSettings())
    work = InspectWork(folder, accept=("webp", "gif"), detector=detector)

    def read(content: bytes) -> str:
        (folder / "image").write_bytes(content)
        (found,) = work.run([file], workers=1)
        return "read" if found.statistics else "refused"

    return read


if __name__ == "__main__":
    read_mutants(sys.argv[1], *map(int, sys.argv[2:]))
