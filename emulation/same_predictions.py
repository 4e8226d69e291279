"""Compare the predictions of a whole test split on the Pis' processors with this machine's.

    python -m emulation.same_predictions FILE $EDGEEMO_DATA/fer2013_original

Every image of the test split goes through the runtime, from file to probabilities, here and on an
emulated Cortex-A53, A72 and A76. The table shows the accuracy, the number of labels that differ
from this machine's, and the largest difference of a probability.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import edgeemo
from edgeemo.cli.default_model import choose_model
from edgeemo.dataset import IngestOptions, ingest_folder
from edgeemo.model.face_request import FaceRequest
from edgeemo.runtime.classifier import Classifier
from edgeemo.utils.command import run_command
from edgeemo.utils.text import markdown_head, markdown_row
from emulation.processors import PROCESSORS
from emulation.root import EmulationError, make_root
from emulation.user_mode import run_python

if TYPE_CHECKING:
    from emulation.processors import Processor
    from emulation.root import Root

_SCRIPT = """
import json, sys
sys.path.insert(0, sys.argv[1])
from edgeemo.model.face_request import FaceRequest
from edgeemo.runtime.classifier import Classifier
classifier = Classifier.load(sys.argv[2], faces=FaceRequest(enabled=False))
for line in sys.stdin:
    print(json.dumps(list(classifier.predict(line.rstrip("\\n")).scores.values())))
"""
_HEAD = ("processor", "accuracy", "labels that differ from here", "largest difference")

Scores = list[list[float]]
"""The probability of every label, for every image: N lists of K."""


def predict_emulated(root: Root, processor: Processor, file: Path, images: list[Path]) -> Scores:
    """Return the predictions of an emulated processor.

    Raises:
        EmulationError: If the runtime fails there.
    """
    package = Path(edgeemo.__file__).resolve().parents[1]
    paths = "".join(f"{path.resolve()}\n" for path in images)
    done = run_python(root, processor, ["-c", _SCRIPT, package, file.resolve()], input=paths)
    if done.returncode:
        raise EmulationError(f"{processor.name}: {done.stderr.strip()[-300:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def compare(model: Path, data: Path) -> int:
    """Print the table.

    Args:
        model: An exported file, a model folder, or happy-sad.
        data: A folder of images in splits.

    Returns:
        Exit status: 0.
    """
    here = Classifier.load(choose_model(model), faces=FaceRequest(enabled=False))
    file, labels, classes = Path(here.path), here.spec.labels, here.spec.classes
    options = IngestOptions(labels=classes, classes=classes)
    samples = ingest_folder(data, options=options).in_split("test")
    images = [data / sample.path for sample in samples]
    truth = [labels.index(sample.label) for sample in samples]
    expected = [list(here.predict(path).scores.values()) for path in images]
    root = make_root("bookworm")
    with ThreadPoolExecutor(len(PROCESSORS)) as threads:
        found = threads.map(lambda each: predict_emulated(root, each, file, images), PROCESSORS)
        scores = dict(zip((each.name for each in PROCESSORS), found, strict=True))
    print(f"{file.name}, {len(samples):,} test images\n")
    print("\n".join(markdown_head(_HEAD)))
    decide, guess = here.spec.decide, here.spec.guess
    chosen = np.array([decide(row) for row in expected])
    for name, each in {"here": expected, **scores}.items():
        labelled = np.array([decide(row) for row in each])
        guessed = np.array([guess(row) for row in each])
        accuracy, differ = np.mean(guessed == truth), np.sum(labelled != chosen)
        largest = np.abs(np.subtract(each, expected)).max()
        print(markdown_row([name, f"{accuracy:.4f}", differ, f"{largest:.1e}"]))
    return 0


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path, help="an exported file, a model folder, or happy-sad")
    parser.add_argument("data", type=Path, help="a folder of images in splits")
    options = parser.parse_args()
    return run_command(lambda: compare(options.model, options.data))


if __name__ == "__main__":
    sys.exit(main())
