"""``python3 NAME.pyz predict``: predict images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.bundle.device.load import load_classifier, try_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeemo.bundle.device.contents import Contents


def run(
    contents: Contents,
    images: Sequence[str],
    *,
    threads: int | None,
    workers: int | None,
    faces: bool | None,
    json: bool,
    before_first: Callable[[], None],
) -> int:
    """Predict images, one line each.

    Args:
        contents: The bundle.
        images: Image files, folders, or "-" for standard input.
        threads: Threads per prediction; by default as in the manifest.
        workers: Images predicted at the same time; by default as many as occupy the cores.
        faces: Whether to detect faces; by default as in the manifest.
        json: Whether to print a JSON object per line.
        before_first: Called before the first prediction is printed.

    Returns:
        Exit status: 0, or 1 if an image could not be read or there was none.
    """
    classifier = load_classifier(contents, threads=threads, faces=faces)
    from edgeemo.runtime.argparse_cli import print_predictions
    from edgeemo.runtime.prediction import STDIN
    from edgeemo.runtime.stream import choose_worker_count

    if STDIN in images and contents.manifest.fallback:
        try_engine(classifier)  # an image that was read is lost when the engine crashes
    workers = workers or choose_worker_count(classifier.threads)
    return print_predictions(
        classifier, images, workers=workers, json=json, before_first=before_first
    )
