"""A diagnosis as a page of HTML."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.diagnose.plot import plot_network
from edgeemo.diagnose.tables import (
    LEGEND,
    describe_outcome,
    describe_replay,
    name_file,
    tabulate_layers,
)
from edgeemo.report.document import (
    Bullets,
    Code,
    Document,
    Gallery,
    Note,
    Plot,
    Section,
    Steps,
    Table,
    Text,
    Tile,
)
from edgeemo.report.html import to_html
from edgeemo.utils.extras import REPORT, require_packages
from edgeemo.utils.files import check_writable, write_file
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.diagnose.report import Diagnosis, WorstImage

_PLOT = "network.png"
_RED = "Red: a layer with a cause above."
_METHOD = (
    "The int8 file is run as a float network with its own weights and roundings, which can be "
    "switched off layer by layer; "
)


def check_page(path: Path) -> None:
    """Check that a page can be made and written, before any slow work.

    Raises:
        MissingExtraError: If a package is not installed.
        OSError: If the file cannot be written.
    """
    require_packages(REPORT, purpose="--html", extra="train")
    check_writable(path.parent)


def write_page(path: Path, found: Diagnosis, pixels: NDArray[np.uint8]) -> Path:
    """Write a diagnosis as a page that holds its plot and images.

    Args:
        path: The page.
        found: The diagnosis.
        pixels: The images of `Diagnosis.worst` as the network takes them, (N, H, W, C) uint8.

    Returns:
        `path`.

    Raises:
        MissingExtraError: If a package is not installed.
        OSError: If the file cannot be written.
    """
    with tempfile.TemporaryDirectory() as folder:
        plot_network(Path(folder) / _PLOT, found)
        page = to_html(build_document(found, pixels), folder=Path(folder))
    return write_file(path, page)


def build_document(found: Diagnosis, pixels: NDArray[np.uint8]) -> Document:
    """Return a diagnosis as a document; the arguments are those of `write_page`."""
    head, rows = tabulate_layers(found.layers)
    marked = [number for number, each in enumerate(found.layers) if each.cause is not None]
    ranges = (
        f"Ranges and noise are those of {plural(found.training_n, 'training image')}."
        if found.training_n
        else "Ranges and noise are those of the diagnosed images."
    )
    return Document(
        title=f"Diagnosis of {name_file(found)}",
        headline=f"{_capitalise(describe_outcome(found))}.",
        lead=[
            Text("Compared with ", Code(Path(found.reference).name), f". {ranges}"),
            Text(f"{_METHOD}{describe_replay(found)}."),
        ],
        warnings=[f"{_capitalise(text)}." for text in found.notes],
        sections=[
            Section("Causes and remedies", _show_findings(found)),
            Section(
                "Along the network",
                [Plot(_PLOT, _describe_plot(found)), *([Note(_RED)] if marked else [])],
            ),
            Section("Largest differences", [_show_worst(found, pixels)]),
            Section("Layers", [Text(LEGEND), Table(head, rows, marked=marked)]),
        ],
    )


def _show_findings(found: Diagnosis) -> list[Steps | Text | Bullets]:
    if not found.findings:
        return [Text("None: int8 gives the probabilities of float.")]
    return [
        Steps(
            [
                (
                    f"{_capitalise(each.cause)}, {each.share:.0%} of the error: {each.text}. "
                    f"Remedy: {each.remedy}.",
                    each.command,
                )
                for each in found.findings
            ]
        )
    ]


def _describe_plot(found: Diagnosis) -> str:
    largest = max(found.layers, key=lambda each: each.alone)
    return (
        f"Noise and error of {len(found.layers)} layers in the order of the network; the largest "
        f"error alone, {largest.alone:.0%}, is that of {largest.layer}"
    )


def _show_worst(found: Diagnosis, pixels: NDArray[np.uint8]) -> Gallery:
    return Gallery(
        [
            Tile(
                image=image,
                caption=_describe_image(each),
                name=each.path,
                good=False if each.is_flip else None,
            )
            for each, image in zip(found.worst, pixels, strict=True)
        ]
    )


def _describe_image(image: WorstImage) -> str:
    lines = [f"|Δp| {image.difference:.3f}"]
    lines.append(f"float32: {image.float_label} {image.float_score:.3f}")
    lines.append(f"int8: {image.int8_label} {image.int8_score:.3f}")
    return "\n".join([*lines, *([f"true: {image.label}"] if image.label else [])])


def _capitalise(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
