"""Run the exported files of a model in other programs, and compare their predictions.

    python benchmarks/clients.py models/NAME [--data DIR] [--images 10] [--clients WORD ...]

Every client of `benchmarks/client_table.py` predicts the same images with every file that it may
read, MODEL/client included, in a process of its own with a time limit. A cell is the largest
difference of a probability from that of edgeemo's `Classifier` on the same file: "=" for none,
"wrong" where it is more than 0.1; or "fails", with a note. The images have the size of the file's
input, so that no client resizes. The environments are made under --environments; a package that
cannot be installed is a note. Without --data the images are drawn.
"""

from __future__ import annotations

import argparse
import datetime
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING

import numpy as np
from client_subject import Subject
from client_table import (
    CLIENTS,
    FOLDER,
    NotInstalled,
    build_command,
    make_environment,
    read_version,
)
from machine import describe

from edgeemo.dataset.synthetic import MOODS, draw_image
from edgeemo.utils.text import markdown_head, markdown_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from client_table import Client

WRONG = 0.1
"""A larger difference is no rounding."""

TELLING = (
    "Didn't find op", "Don't support type", "Only RGB", "num_classes", "depth = ",
    "not implemented", "Error", "error", "what()", "failed", "cannot",
)  # fmt: skip
"""Parts of a line that gives the reason of a failure, the most telling first."""

EDGE_TPU = """
ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D EXPAND_DIMS FULLY_CONNECTED
L2_NORMALIZATION LOGISTIC LSTM MAXIMUM MAX_POOL_2D MEAN MINIMUM MUL PACK PAD PRELU QUANTIZE
REDUCE_MAX REDUCE_MIN RELU RELU6 RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR RSQRT
SLICE SOFTMAX SPACE_TO_DEPTH SPLIT SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM TANH TRANSPOSE
TRANSPOSE_CONV
"""
"""Operators that the Edge TPU's compiler maps, from https://coral.ai/docs/edgetpu/models-intro."""


@dataclass
class Matrix:
    """The cells, and the notes below them."""

    notes: list[str] = field(default_factory=list)

    def add_note(self, text: str) -> str:
        """Return the mark of a note."""
        if text not in self.notes:
            self.notes.append(text)
        return f"[{self.notes.index(text) + 1}]"


def run_client(client: Client, subject: Subject, options, matrix: Matrix) -> str:
    """Return the cell of a client and a file."""
    if not client.reads(subject.path):
        return ""
    try:
        environment = make_environment(options.environments, client.environment)
    except NotInstalled as error:
        return f"not installed {matrix.add_note(shorten(str(error)))}"
    shape = subject.classifier.spec.input_shape
    command = build_command(client, environment, subject.path, shape)
    try:
        done = subprocess.run(
            [*command, *map(str, subject.images)],
            capture_output=True, text=True, errors="replace", timeout=options.timeout, check=False,
            cwd=subject.folder, env=read_variables(),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"hangs for {options.timeout} s"
    if done.returncode:
        return f"fails {matrix.add_note(find_reason(done))}"
    try:
        difference = subject.measure_difference(done.stdout)
    except ValueError as error:
        return f"fails {matrix.add_note(shorten(str(error)))}"
    return format_difference(difference)


def read_variables() -> dict[str, str]:
    """Return the variables: a package that is imported again and again is compiled once."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def find_reason(done: subprocess.CompletedProcess[str]) -> str:
    """Return why a process failed, in a few words."""
    lines = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    told = (line for part in TELLING for line in reversed(lines) if part in line)
    signal = f"ended by signal {-done.returncode}" if done.returncode < 0 else ""
    return shorten(next(told, signal or (lines or ["no reason given"])[-1]))


def shorten(text: str) -> str:
    text = re.sub(r"OpenCV\([\d.]+\) /\S+ error: ", "", text)
    text = re.sub(r"/[^\s']*/", "", text).replace("|", "/")
    return text if len(text) <= 150 else f"{text[:147]}..."


def format_difference(difference: float) -> str:
    if difference == 0:
        return "="
    return f"{'wrong: ' if difference > WRONG else ''}{difference:.2g}"


def list_edge_tpu(subject: Subject) -> str:
    """Return whether the Edge TPU's compiler knows all operators of a file."""
    if subject.path.suffix != ".tflite" or "int8" not in subject.path.name:
        return ""
    used = set(getattr(subject.classifier.engine, "operations", ())) - {"DELEGATE"}
    return ", ".join(sorted(used - set(EDGE_TPU.split()))) or "all"


def draw_sources(folder: Path, count: int) -> list[Path]:
    """Draw faces of both kinds, as PNG files."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    places = [folder / f"{number:03}.png" for number in range(count)]
    for number, place in enumerate(places):
        draw_image(rng, MOODS[number % 2], size=256).save(place)
    return places


def choose_sources(data: Path, count: int) -> list[Path]:
    """Return images of a folder, evenly spaced."""
    found = sorted(path for path in data.rglob("*") if path.suffix.lower() in (".jpg", ".png"))
    return [found[round(i * (len(found) - 1) / max(1, count - 1))] for i in range(count)]


def find_files(models: list[Path], words: list[str] | None) -> Iterator[tuple[Path, list[Path]]]:
    """Yield the folders of models, then of their client forms, with their exported files."""
    for model in models:
        root = model.resolve()
        found = sorted(path for kind in ("tflite", "onnx") for path in root.rglob(f"*.{kind}"))
        found = [path for path in found if not words or any(word in str(path) for word in words)]
        own = [path for path in found if path.parent == root]
        for folder, files in ((root, own), (root / "client", [*(set(found) - set(own))])):
            if files:
                yield folder if folder.is_dir() else root, sorted(files)


def print_matrix(subjects: list[Subject], clients: list[Client], options, root: Path) -> None:
    """Print the table, row by row, its notes and the versions."""
    matrix = Matrix()
    names = [str(each.path.relative_to(root)) for each in subjects]
    print("\n".join(markdown_head(["client", *names], words=len(names) + 1)))
    versions = {}
    for client in clients:
        cells = [run_client(client, each, options, matrix) for each in subjects]
        print(markdown_row([client.name, *cells]), flush=True)
        try:
            environment = make_environment(options.environments, client.environment)
            versions[client.environment] = read_version(client, environment)
        except NotInstalled:
            continue
    print(markdown_row(["Edge TPU operator list", *map(list_edge_tpu, subjects)]) + "\n")
    for number, note in enumerate(matrix.notes, 1):
        print(f"{number}. {note}")
    print("\n" + "; ".join(versions.values()))


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, nargs="+", help="model folders")
    parser.add_argument("--data", type=Path, help="folder of images")
    parser.add_argument("--images", type=int, default=10)
    parser.add_argument("--clients", nargs="+", help="words in the names of the clients to run")
    parser.add_argument("--files", nargs="+", help="words in the names of the files to run")
    parser.add_argument("--timeout", type=float, default=60, help="seconds for a client and a file")
    parser.add_argument("--environments", type=Path, default=FOLDER)
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    options.environments = options.environments.resolve()
    clients = [
        client for client in CLIENTS
        if not options.clients or any(word in client.name for word in options.clients)
    ]  # fmt: skip
    print(f"python {' '.join(sys.argv)}\n{datetime.date.today()}; {describe('edgeemo')}")
    with TemporaryDirectory() as name:
        place = Path(name)
        sources = (
            choose_sources(options.data, options.images) if options.data
            else draw_sources(place / "drawn", options.images)
        )  # fmt: skip
        for folder, files in find_files(options.model, options.files):
            subjects = [Subject(path, sources, Path(mkdtemp(dir=name)) / "x") for path in files]
            print(f"\n### {folder.parent.name}/{folder.name}\n")
            print_matrix(subjects, clients, options, folder)


if __name__ == "__main__":
    main()
