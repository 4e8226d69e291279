"""Load models whose bytes were mutated and whose digest is right again, and predict with them.

    python -m benchmarks.reliability.run resealed

Each is loaded as a user's program loads it, by `Classifier.load`, and predicts three images: a
black one, a white one and noise. Counted are deaths of that program, exceptions other than an
`EdgeEmoError`, and predictions that are not finite numbers. One process loads many, and is started
again behind one that ends it.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections import Counter
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.reliability.check import Check, check_counts
from benchmarks.reliability.mutants import mutate
from edgeemo.errors import EdgeEmoError
from edgeemo.model.container import seal, unseal

if TYPE_CHECKING:
    from edgeemo import Classifier

COUNT = 2000
_GOLDEN = Path(__file__).parents[2] / "tests" / "golden"
_FILES = ("int8.tflite", "float32.tflite", "int8.onnx", "float32.onnx")
_OUTCOMES = ("death", "traceback", "NaN")


def measure(count: int = COUNT) -> list[Check]:
    """Return the check of mutated models, and print how they ended."""
    rows: list[str] = []
    while len(rows) < count:
        command = [sys.executable, "-m", __name__, str(len(rows)), str(count)]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        rows += map(json.loads, run.stdout.splitlines())
        if len(rows) < count:
            print(f"{len(rows)}: death: {run.returncode}", file=sys.stderr)
            rows.append("death")
    found = Counter(rows)
    print(dict(found), flush=True)
    name = f"{count:,} resealed models: deaths / tracebacks / NaN predictions"
    return [check_counts(name, [found[outcome] for outcome in _OUTCOMES])]


def make_model(number: int) -> tuple[str, bytes]:
    """Return the name and the bytes of a sealed model that was mutated; the same every time."""
    path = _GOLDEN / _FILES[number % len(_FILES)]
    original = unseal(path)
    content = bytearray(_cut_trailer(path.read_bytes()))
    mutate(random.Random(number), content)
    return path.name, seal(bytes(content), original.spec, format=original.format)


def load_and_predict(path: Path) -> str:
    """Return how a model ended: one of `_OUTCOMES`, "refused" or "predicted"."""
    from edgeemo import Classifier

    try:
        classifier = Classifier.load(path)
    except EdgeEmoError as error:
        return "traceback" if "\n" in str(error) else "refused"
    except Exception as error:
        print(f"{path.name}: {type(error).__name__}: {error}", file=sys.stderr)
        return "traceback"
    return _predict(classifier)


def _predict(classifier: Classifier) -> str:
    shape = classifier.spec.input_shape
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    for pixels in (np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8), noise):
        try:
            prediction = classifier.predict_pixels(pixels)
        except EdgeEmoError:
            return "refused"
        except Exception as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return "traceback"
        if not all(map(isfinite, prediction.scores.values())):
            return "NaN"
    return "predicted"


def _cut_trailer(content: bytes) -> bytes:
    (length,) = re.findall(rb'"model_bytes": (\d+)', content)
    return content[: int(length)]


def main() -> None:
    """Load the models of these numbers; print a line of JSON for each."""
    from edgeemo.runtime.fast_start import start_fast

    start_fast()
    first, end = map(int, sys.argv[1:])
    with TemporaryDirectory() as folder:
        for number in range(first, end):
            name, content = make_model(number)
            path = Path(folder, f"{number}.{name}")
            path.write_bytes(content)
            print(json.dumps(load_and_predict(path)), flush=True)
            path.unlink()


if __name__ == "__main__":
    main()
