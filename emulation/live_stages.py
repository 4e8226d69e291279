"""Count the stages of a live run's frames; runs on the emulated machine, with nothing but edgeemo.

    python3 live_stages.py FILE PHOTO FRAME

The clock of that machine counts instructions: a millisecond is a million of them. Prints JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import mean, median
from time import perf_counter

from edgeemo.imaging.faces.letterbox import Letterbox
from edgeemo.live.frame import Frame
from edgeemo.live.looks import list_parts
from edgeemo.live.pipeline import Pipeline, PipelineSettings
from edgeemo.live.pixels import JpegPixels
from edgeemo.runtime.classifier import Classifier

Stages = dict[str, float]
"""Stage to its million instructions."""

_STEP_S = 0.3  # between two frames: the gate closes after two


def main(file: str, photo: str, frame: str) -> dict[str, Stages]:
    """Return the stages per kind of frame.

    Args:
        file: An exported file, which predicts faces.
        photo: A JPEG with faces that the first look detects.
        frame: A JPEG without a face, of the same size.
    """
    classifier = Classifier.load(file)
    with_faces, without = Path(photo).read_bytes(), Path(frame).read_bytes()
    return {
        "with faces": observe(classifier, with_faces, skipped=3, counted=3),
        "without a face": observe_turns(classifier, without),
        "known faces missed": miss(classifier, with_faces, without),
        "still, JPEG": observe(classifier, without, skipped=3, counted=2, motion_gate=True),
    }


def observe(
    classifier: Classifier, content: bytes, *, skipped: int, counted: int, motion_gate: bool = False
) -> Stages:
    """Return the medians of a frame that is repeated, after some that are not counted."""
    pipeline = _build(classifier, motion_gate=motion_gate)
    seen = [_observe(pipeline, content, number) for number in range(skipped + counted)]
    return {stage: median(each[stage] for each in seen[skipped:]) for stage in seen[-1]}


def observe_turns(classifier: Classifier, content: bytes) -> Stages:
    """Return the means of one round of turns, with the first look and the most expensive frame."""
    pipeline = _build(classifier)
    image = JpegPixels(content).decode(classifier.spec.for_photos())
    turns = len(list_parts(image.size)) + 1
    seen = [_observe(pipeline, content, number) for number in range(2 * turns)][turns:]
    stages = {stage: mean(each[stage] for each in seen) for stage in seen[-1]}
    first = classifier.detector.looks[0]
    begun = perf_counter()
    first.detect(Letterbox(image))
    stages["first look"] = (perf_counter() - begun) * 1000
    return {**stages, "most": max(each["detect"] for each in seen)}


def miss(classifier: Classifier, with_faces: bytes, without: bytes) -> Stages:
    """Return the stages of the frame after faces have gone, in which one of them is sought."""
    pipeline = _build(classifier)
    for number in range(3):
        _observe(pipeline, with_faces, number, step_s=0.03)
    return _observe(pipeline, without, 3, step_s=0.03)


def _build(classifier: Classifier, *, motion_gate: bool = False) -> Pipeline:
    return Pipeline(classifier, PipelineSettings(motion_gate=motion_gate, steady_s=0.1))


def _observe(pipeline: Pipeline, content: bytes, number: int, *, step_s: float = _STEP_S) -> Stages:
    frame = Frame(number=number, time_s=number * step_s, pixels=JpegPixels(content))
    begun = perf_counter()
    seen = pipeline.observe(frame)
    total = (perf_counter() - begun) * 1000
    if seen.error:
        raise RuntimeError(seen.error)
    return {**seen.ms, "total": total}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])))
