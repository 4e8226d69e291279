"""Whether the Pis' processors answer a whole test split as this machine does.

    python -m emulation.same_answers FILE $EDGEEMO_DATA/fer2013

Every image of the test split goes through the runtime, from file to probabilities, here and on
an emulated Cortex-A53, A72 and A76. Shown are the accuracy, how many labels differ from this
machine's, and by how much a probability does at most.
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
from edgeemo.cli.default_model import model_to_answer
from edgeemo.dataset import IngestOptions, ingest_folder
from edgeemo.model.face_settings import FaceRequest
from edgeemo.runtime.classifier import Classifier
from emulation.processors import PROCESSORS
from emulation.root import EmulationError, arm64_root
from emulation.user_mode import run

if TYPE_CHECKING:
    from emulation.processors import Processor
    from emulation.root import Root

_ANSWER = """
import json, sys
sys.path.insert(0, sys.argv[1])
from edgeemo.model.face_settings import FaceRequest
from edgeemo.runtime.classifier import Classifier
classifier = Classifier.load(sys.argv[2], faces=FaceRequest(enabled=False))
for line in sys.stdin:
    print(json.dumps(list(classifier.predict(line.rstrip("\\n")).scores.values())))
"""

Scores = list[list[float]]
"""Of every image the probability of every label."""


def scores_there(root: Root, processor: Processor, file: Path, images: list[Path]) -> Scores:
    """What an emulated processor answers.

    Raises:
        EmulationError: If the runtime fails there.
    """
    package = Path(edgeemo.__file__).resolve().parents[1]
    paths = "".join(f"{path.resolve()}\n" for path in images)
    done = run(root, processor, ["-c", _ANSWER, package, file.resolve()], input=paths)
    if done.returncode:
        raise EmulationError(f"{processor.name}: {done.stderr.strip()[-300:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path, help="an exported file, a model folder, or happy-sad")
    parser.add_argument("data", type=Path, help="a folder of images that brings its splits")
    options = parser.parse_args()
    here = Classifier.load(model_to_answer(options.model), faces=FaceRequest(enabled=False))
    file = Path(here.path)
    labels = here.spec.labels
    kept = ingest_folder(options.data, options=IngestOptions(labels=labels)).samples
    test = [sample for sample in kept if sample.split == "test"]
    images = [options.data / sample.path for sample in test]
    truth = [labels.index(sample.label) for sample in test]
    expected = [list(here.predict(path).scores.values()) for path in images]
    try:
        root = arm64_root("bookworm")
        with ThreadPoolExecutor(len(PROCESSORS)) as threads:
            found = threads.map(
                lambda processor: scores_there(root, processor, file, images), PROCESSORS
            )
            answers = dict(zip((each.name for each in PROCESSORS), found, strict=True))
    except EmulationError as error:
        sys.exit(str(error))
    print(f"{file.name}, {len(test):,} test images\n")
    print("| processor | accuracy | labels that differ from here | largest difference |")
    print("|---|---:|---:|---:|")
    chosen = np.argmax(expected, axis=1)
    for name, scores in {"here": expected, **answers}.items():
        labelled = np.argmax(scores, axis=1)
        print(
            f"| {name} | {np.mean(labelled == truth):.4f} | {np.sum(labelled != chosen)} | "
            f"{np.abs(np.subtract(scores, expected)).max():.1e} |"
        )


if __name__ == "__main__":
    main()
