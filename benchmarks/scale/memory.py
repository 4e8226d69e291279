"""Measure what the processes that hold something of all images hold of each."""

from __future__ import annotations

import os
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset.check.collected import CollectedFiles
from edgeemo.dataset.check.inspection import ImageStatistics, InspectedFile
from edgeemo.dataset.ingest.examine import UsableImage
from edgeemo.dataset.ingest.find import LabelledFile
from edgeemo.dataset.write.crop_plan import plan_crops
from edgeemo.evaluate.labelled import LabelledImage
from edgeemo.evaluate.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

COLLECTED = 200_000
"""Number of images."""


def measure_memory() -> dict[str, float]:
    """Return the bytes of an image in the processes that hold something of all images."""
    builds = {
        "crop": plan_all_crops, "evaluate": collect_outcomes,
        "check": collect_check,
    }  # fmt: skip
    with get_context("fork").Pool(1, maxtasksperchild=1) as pool:  # a new process for each
        return {
            f"{name}_memory_bytes": pool.apply(measure_growth, (build,))
            for name, build in builds.items()
        }


def measure_growth(build: Callable[[], object]) -> float:
    """Return the bytes per image by which this process grows."""
    before = read_resident_bytes()
    built = build()
    grown = (read_resident_bytes() - before) / COLLECTED
    del built
    return grown


def list_files() -> list[LabelledFile]:
    return [
        LabelledFile(path=f"happy/{number:08d}.jpg", label="happy", split=None)
        for number in range(COLLECTED)
    ]


def plan_all_crops() -> object:
    """Return the files, and a plan with all paths that are taken."""
    files = list_files()
    plan = plan_crops(files)
    for _ in range(COLLECTED):
        next(plan)
    return files, plan


def collect_check() -> object:
    files = list_files()
    collected = CollectedFiles(COLLECTED)
    rng = np.random.default_rng(0)
    for file in files:
        collected.add(file, make_inspected(file, rng))
    return files, collected


def collect_outcomes() -> object:
    rng = np.random.default_rng(0)
    return [
        Outcome(
            image=LabelledImage(
                path=f"happy/{number:08d}.jpg",
                folder="happy",
                label="happy",
                within=f"{number:08d}.jpg",
            ),
            predicted="happy",
            guess="happy",
            score=float(rng.random()),
            scores=tuple(rng.random(3).tolist()),
            box=tuple(rng.integers(300, 600, 4).tolist()),
        )
        for number in range(COLLECTED)
    ]


def make_inspected(file: LabelledFile, rng: np.random.Generator) -> InspectedFile:
    return InspectedFile(
        verdict=UsableImage(
            path=file.path,
            label=file.label,
            split=None,
            sha256=rng.bytes(32).hex(),
            perceptual_hash=rng.bytes(8),
            thumbnail=rng.bytes(256),
            wrong_extension=False,
        ),
        label=file.label,
        split=None,
        format="JPEG",
        disguised=False,
        statistics=ImageStatistics(
            "RGB", 640, 480, 60_000, 120.0, 50.0, 20.0, rng.bytes(512), None
        ),
        traces=None,
    )


def read_resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
