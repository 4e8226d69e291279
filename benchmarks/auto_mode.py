"""Mode plain against mode auto: accuracy on held-out images, time and file size.

    python benchmarks/auto_mode.py $EDGEEMO_DATA --out models/auto-mode
    python benchmarks/auto_mode.py $EDGEEMO_DATA --out models/auto-mode --only web_small --seeds 5

Each case is trained in both modes with several seeds, which give other splits; the test images of
all seeds are pooled. FER2013 and faces_colour are images that happy-sad was trained on: there mode
auto is also run without its pretrained start. CK+'s images are split by person. A run that is in
the folder already is not repeated. Times are those of the processor, which other programs hardly
change: on two idle cores a training takes half of them to all of them.
"""

from __future__ import annotations

import argparse
import csv
import random
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from edgeemo.metrics.intervals import wilson_interval
from edgeemo.model.folder import ModelFolder

HAPPY_SAD = ("happy", "sad")
MODES = {
    "plain": ("--mode", "plain"),
    "auto": (),
    "auto, --from none": ("--from", "none"),
}
SIZES = (50, 100, 200, 1000)


@dataclass(frozen=True)
class Case:
    """Images to train on.

    Attributes:
        name: Name in the table.
        source: Folder with the classes, in the collection of images.
        count: Images to draw at random; 0 for all.
        modes: Names of `MODES`.
        by_person: Whether to split by the person, which the file names begin with.
    """

    name: str
    source: str
    count: int = 0
    modes: tuple[str, ...] = ("plain", "auto")
    by_person: bool = False


CASES = (
    Case("web_small", "web_small"),
    Case("ckplus48, 7 classes, by person", "ckplus48", by_person=True),
    *(
        Case(f"{name}, {count}", source, count, modes=tuple(MODES))
        for count in SIZES
        for name, source in (
            ("fer2013", "fer2013_original/train"),
            ("faces_colour", "faces_colour"),
        )
    ),
    Case("web_messy", "web_messy"),
)


def list_files(case: Case, data: Path, seed: int) -> list[tuple[str, Path]]:
    """Return class and path of the images of a case."""
    source = data / case.source
    folders = sorted(each for each in source.iterdir() if each.is_dir())
    taken = [each for each in folders if case.by_person or each.name in HAPPY_SAD]
    files = [(each.name, path) for each in taken for path in sorted(each.iterdir())]
    return random.Random(seed).sample(files, case.count or len(files))


def link_images(case: Case, data: Path, folder: Path, seed: int) -> Path:
    """Make a folder of links to the images of a case."""
    shutil.rmtree(folder, ignore_errors=True)
    files = list_files(case, data, seed)
    people = sorted({path.name.split("_")[0] for _, path in files})
    random.Random(seed).shuffle(people)
    for label, path in files:
        place = folder
        if case.by_person:
            rank = people.index(path.name.split("_")[0]) / len(people)
            place /= "train" if rank < 0.7 else "validation" if rank < 0.8 else "test"
        (place / label).mkdir(parents=True, exist_ok=True)
        (place / label / path.name).symlink_to(path.resolve())
    return folder


def train(images: Path, out: Path, words: tuple[str, ...], seed: int) -> None:
    """Train unless it was done before; the processor time is written beside the model."""
    if (out / "seconds").exists():
        return
    command = [sys.executable, "-m", "edgeemo.cli.start", "train", "--data", images, "--out", out]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*command, "--seed", str(seed), "--force", "--json", *words],
                   check=True, stdout=subprocess.DEVNULL)  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    (out / "seconds").write_text(f"{seconds:.1f}")


def read_correct(out: Path) -> dict[str, bool]:
    """Return each test image, and whether the model predicts its class."""
    folder = ModelFolder(out)
    spec = folder.read_spec()
    correct = {}
    for row in folder.read_references():
        best = row.scores.index(max(row.scores))
        if len(row.scores) == 2:
            best = int(row.scores[1] >= spec.threshold)
        correct[row.path] = spec.labels[best] == row.label
    return correct


def list_faceless(out: Path) -> set[str]:
    """Return the images that were excluded for having no face."""
    with (out / "rejected.csv").open() as file:
        return {row["path"] for row in csv.DictReader(file) if row["reason"] == "no-face"}


def describe(correct: list[bool]) -> str:
    """Return an accuracy with its interval."""
    if not correct:
        return "–"
    return f"{wilson_interval(sum(correct), len(correct))}, n = {len(correct):,}"


def measure(case: Case, options: argparse.Namespace) -> None:
    """Train a case in the chosen modes, and print a row for each mode that has models."""
    runs: dict[str, dict[int, Path]] = {mode: {} for mode in case.modes}
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        images = link_images(case, options.data, options.out / "images" / case.name, seed)
        for mode in case.modes:
            out = options.out / f"{case.name}-{mode}-{seed}".replace(", ", "-").replace(" ", "-")
            if mode in options.modes:
                train(images, out, MODES[mode], seed)
            if (out / "seconds").exists():
                runs[mode][seed] = out
    for mode, outs in runs.items():
        if not outs:
            continue
        every, faces = [], []
        for seed, out in outs.items():
            without = list_faceless(runs["auto"][seed]) if seed in runs["auto"] else set()
            correct = read_correct(out)
            every += correct.values()
            faces += [right for path, right in correct.items() if path not in without]
        seconds = sum(float((out / "seconds").read_text()) for out in outs.values()) / len(outs)
        size = (min(outs.values()) / "model.keras").stat().st_size / 1e6
        print(f"| {case.name} | {mode} | {len(outs)} | {describe(every)} | {describe(faces)} "
              f"| {seconds:.0f} | {size:.2f} |", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="collection of images")
    parser.add_argument("--out", type=Path, required=True, help="folder for the models")
    parser.add_argument("--only", help="name of one case, or of the collection of several")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--modes", nargs="*", choices=MODES, default=list(MODES))
    options = parser.parse_args()
    print("| images | mode | seeds | all test images | those with a face | processor s | MB |")
    print("|---|---|---:|---|---|---:|---:|")
    for case in CASES:
        if not options.only or f"{case.name},".startswith(f"{options.only},"):
            measure(case, options)


if __name__ == "__main__":
    main()
