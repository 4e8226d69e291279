"""Measure the accuracy of the edge family after a short training, in float and in int8.

    python benchmarks/edge_accuracy.py $EDGEEMO_DATA/fer2013_original NAME ... [--epochs 12]
    python benchmarks/edge.py --plot docs/edge-model.png

Every member is trained alike (light augmentation, moving average of the weights, AdamW, cosine
schedule) and exported; the runtime predicts the validation images, since a choice must not use the
test images. A member with an accuracy in the table of ``benchmarks/edge.py`` is not trained again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from edge_table import ACCURACIES, COLUMNS, read_members, write_csv

from edgeemo.model.folder import ModelFolder
from edgeemo.runtime.classifier import Classifier

TRAINING = (
    "--classes=happy,sad", "--size=48", "--channels=1", "--batch-size=128", "--augment=light",
    "--ema=0.99", "--optimizer=adamw", "--lr=0.004", "--schedule=cosine",
)  # fmt: skip
GATE = 3
"""Exit status of a file that fails its verification; its accuracy is of interest all the same."""


def run(*words: object, allowed: int = 0) -> None:
    command = [Path(sys.executable).with_name("edgeemo"), *map(str, words)]
    status = subprocess.run(command, check=False).returncode
    if status not in (0, allowed):
        sys.exit(f"edgeemo {words[0]} ended with {status}")


def measure_accuracy(file: Path, samples: list, data: Path) -> float:
    classifier = Classifier.load(file)
    correct = [classifier.predict(data / sample.path).guess == sample.label for sample in samples]
    return sum(correct) / len(correct)


def measure(name: str, data: Path, work: Path, epochs: int) -> dict[str, str]:
    out = work / name
    if not out.exists():
        run("train", "--data", data, "--arch", name, "--epochs", epochs, *TRAINING, "--out", out)
    run("export", out, "--int8", "--format", "tflite", "--force", allowed=GATE)
    folder = ModelFolder(out)
    samples = [sample for sample in folder.read_samples() if sample.split == "validation"]
    files = (folder.file(name) for name in ("float32.tflite", "int8.tflite"))
    found = (f"{measure_accuracy(file, samples, data):.4f}" for file in files)
    return dict(zip(ACCURACIES, found, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="FER2013 in splits; happy and sad are taken")
    parser.add_argument("names", nargs="+", help="members of the family")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--work", type=Path, default=Path(".cache/edge"))
    parser.add_argument("--out", type=Path, default=Path("docs/edge-model.csv"))
    options = parser.parse_args()
    rows = read_members(options.out)
    unknown = [name for name in options.names if name not in rows]
    if unknown:
        parser.error(f"not in the table: run benchmarks/edge.py {unknown[0]}")
    for name in options.names:
        if not rows[name].get(ACCURACIES[0]):
            rows[name] |= measure(name, options.data, options.work, options.epochs)
            write_csv(options.out, COLUMNS, rows.values())
        print(name, *(rows[name][column] for column in ACCURACIES), flush=True)


if __name__ == "__main__":
    main()
