"""Measure how many wrong labels `edgeemo data check` finds: 2 % are flipped in a folder of links.

    python benchmarks/labels.py --data DIR

DIR holds ``ckplus48/`` (labelled well) and ``fer2013_original/`` (labelled badly, so that what is
suspected there need not be what was flipped); of the latter 3,000 images of happy and sad of its
train split are taken.
"right" is the balanced accuracy of the classifier, "suspicious" the number of suspicious labels,
"found" the flipped ones among them, and "first" those among as many of the most suspicious labels
as were flipped.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np

from edgeemo.dataset.check import check_folder

FLIPPED = 0.02
SEEDS = (0, 1, 2)
AT_MOST = 3000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("EDGEEMO_DATA"))
    data = parser.parse_args().data
    names = ("right", "flipped", "suspicious", "found", "first")
    heading = "".join(f"{name:>12}" for name in names)
    print(f"{'folder':24}{'images':>12}{'seed':>6}{heading}")
    for name, classes in (("ckplus48", None), ("fer2013_original/train", ("happy", "sad"))):
        for seed in SEEDS:
            print(f"{name:24}{row(data / name, seed, classes)}", flush=True)


def row(source: Path, seed: int, classes: tuple[str, ...] | None) -> str:
    rng = np.random.default_rng(seed)
    labels = sorted(classes or (path.name for path in source.iterdir() if path.is_dir()))
    images = [image for label in labels for image in sorted((source / label).iterdir())]
    images = [images[number] for number in rng.permutation(len(images))[:AT_MOST]]
    with tempfile.TemporaryDirectory() as name:
        flipped = linked(images, labels, Path(name), rng)
        found = check_folder(Path(name)).label_check
    suspects = [one.path for one in found.suspects]
    first = set(suspects[: len(flipped)])
    numbers = (len(flipped), len(suspects), len(flipped & {*suspects}), len(flipped & first))
    shown = "".join(f"{number:12}" for number in numbers)
    return f"{len(images):12}{seed:6}{found.accuracy:12.2f}{shown}"


def linked(
    images: list[Path], labels: list[str], folder: Path, rng: np.random.Generator
) -> set[str]:
    """Link every image into its class or, one in fifty, into another; returns those."""
    for label in labels:
        (folder / label).mkdir()
    flipped = set()
    for number, image in enumerate(images):
        label = image.parent.name
        if number < FLIPPED * len(images):
            label = str(rng.choice([other for other in labels if other != label]))
            flipped.add(f"{label}/{number}{image.suffix}")
        (folder / label / f"{number}{image.suffix}").symlink_to(image.resolve())
    return flipped


if __name__ == "__main__":
    main()
