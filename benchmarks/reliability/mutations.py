"""Read mutated images on every path; count exceptions, warnings on standard error, and crashes.

    python benchmarks/reliability/mutations.py [--count 10000] [--seed 0] [--bundle NAME.pyz]

Paths: `predict`, `faces` (predict --faces), `check` (data check), and a bundle's predict. Each path
runs in processes of its own; one that crashes is started again behind the image that crashed it.
Exit status 1 where anything was counted, or an image took longer than `MAX_SECONDS`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MAX_SECONDS = 2.0
_ROOT = Path(__file__).parents[2]
_PATHS = ("predict", "faces", "check")
_BATCH = 200  # images of one run of a bundle
_COLUMNS = ("exceptions", "warned", "crashes", "slow")


def read_mutants(path: str, first: int, end: int, seed: int) -> None:
    """Read mutants in this process; print a line of JSON for each."""
    from mutants import make_mutant

    from edgeemo.utils.redirect import drop_image_warnings

    drop_image_warnings()  # as the entry points do
    out = os.fdopen(os.dup(1), "w")
    with tempfile.TemporaryDirectory() as folder:
        read = _make_reader(path, Path(folder))
        errors = os.open(Path(folder, "errors"), os.O_RDWR | os.O_CREAT)
        os.dup2(errors, 2)
        for number in range(first, end):
            content, said = make_mutant(number, seed=seed), os.fstat(errors).st_size
            start = time.process_time()
            try:
                problem, outcome = "", read(content)
            except Exception as error:
                problem, outcome = f"{type(error).__name__}: {error}", "exception"
            sys.stderr.flush()
            row = {
                "number": number,
                "outcome": outcome,
                "exceptions": problem,
                "warned": os.pread(errors, 1000, said).decode(errors="replace"),
                "slow": (time.process_time() - start) > MAX_SECONDS,
            }
            print(json.dumps(row), file=out, flush=True)


def _make_reader(path: str, folder: Path):
    if path == "check":
        return _make_check(folder)
    from edgeemo import Classifier
    from edgeemo.model.face_request import FaceRequest

    model = _ROOT / "models/happy-sad/int8.tflite"
    classifier = Classifier.load(model, faces=FaceRequest(enabled=path == "faces"))

    def read(content: bytes) -> str:
        result = classifier.predict_result(content)
        if result.error is not None and "\n" in result.error:
            raise ValueError(f"not one line: {result.error}")
        return "refused" if result.error else "read"

    return read


def _make_check(folder: Path):
    from edgeemo.dataset.check.inspection import inspect_files
    from edgeemo.dataset.ingest.find import LabelledFile
    from edgeemo.imaging.faces import build_detector
    from edgeemo.model.face_settings import FaceSettings
    from edgeemo.utils.progress import Silent

    detector, file = build_detector(FaceSettings()), LabelledFile("image", "a", None)

    def read(content: bytes) -> str:
        (folder / "image").write_bytes(content)
        accept = ("webp", "gif")
        (found,) = inspect_files(
            folder, [file], accept=accept, detector=detector, progress=Silent()
        )
        return "read" if found.statistics else "refused"

    return read


def measure_path(path: str, count: int, seed: int) -> list[dict]:
    """Return a row for each image; one that crashed the process has "crashes"."""
    rows: list[dict] = []
    while len(rows) < count:
        command = [sys.executable, __file__, "--read", path, str(len(rows)), str(count), str(seed)]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        rows += map(json.loads, run.stdout.splitlines())
        if len(rows) < count:
            number = len(rows)
            rows.append({"number": number, "outcome": "crash", "crashes": str(run.returncode)})
    return rows


def measure_bundle(bundle: str, count: int, seed: int) -> list[dict]:
    """Return a row for each run of a bundle on `_BATCH` images."""
    from mutants import make_mutant

    rows = []
    for first in range(0, count, _BATCH):
        with tempfile.TemporaryDirectory() as folder:
            numbers = range(first, min(first + _BATCH, count))
            for number in numbers:
                Path(folder, f"{number:06}.png").write_bytes(make_mutant(number, seed=seed))
            command = [sys.executable, bundle, "predict", "--json", folder]
            run = subprocess.run(command, capture_output=True, text=True, check=False)
        printed = len(run.stdout.splitlines())
        rows.append(
            {
                "number": first,
                "outcome": "read",
                "warned": run.stderr,
                "crashes": "" if run.returncode in (0, 1) else str(run.returncode),
                "exceptions": "" if printed == len(numbers) else f"{printed} results",
            }
        )
    return rows


def main() -> int:
    if sys.argv[1:2] == ["--read"]:
        path, *numbers = sys.argv[2:]
        read_mutants(path, *map(int, numbers))
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bundle", help="a bundle, which predicts them too")
    parser.add_argument("--paths", nargs="*", default=_PATHS, choices=_PATHS)
    options = parser.parse_args()
    print(f"| path | images | read | {' | '.join(_COLUMNS)} |\n|{'---|' * (3 + len(_COLUMNS))}")
    found = 0
    measured = {path: measure_path(path, options.count, options.seed) for path in options.paths}
    if options.bundle:
        measured["bundle"] = measure_bundle(options.bundle, options.count, options.seed)
    for path, rows in measured.items():
        counts = [sum(bool(row.get(name)) for row in rows) for name in _COLUMNS]
        read = sum(row["outcome"] == "read" for row in rows)
        print(f"| {path} | {len(rows)} | {read} | {' | '.join(map(str, counts))} |")
        found += sum(counts)
        for row in [row for row in rows if any(row.get(name) for name in _COLUMNS)][:10]:
            print(f"  {row}"[:600], file=sys.stderr)
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
