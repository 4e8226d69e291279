"""The motion gate: processor time of a still scene, entries it misses, its own time.

Goals: at most a quarter of the processor time without the gate, for a still scene with noise of
sigma 3; of 100 drawn entries none is missed, and each opens the gate within 3 frames, counted from
the first in which 16 columns of it are in the frame, a fortieth of its width; the gate itself takes
0.1 ms of processor time per frame.
"""

from __future__ import annotations

import argparse
import io
import time
from statistics import median

import numpy as np
from PIL import Image

from edgeemo.bench import draw_photo
from edgeemo.dataset.synthetic.cartoon import draw_face, randomize_face
from edgeemo.dataset.synthetic.draw import MOODS
from edgeemo.live.frame import Frame
from edgeemo.live.gate import MotionGate
from edgeemo.live.pipeline import Pipeline, PipelineSettings
from edgeemo.live.pixels import ImagePixels, JpegPixels
from edgeemo.runtime.classifier import Classifier

SIZE, FPS, NOISE = (640, 480), 30, 3
_SECONDS = 20
_ENTERED = 16  # columns of a face from which it counts as in the frame
_FRAMES = 31  # different ones, which repeat


class PlanePixels(ImagePixels):
    """A frame of which the brightness lies ready, as a camera's Y plane does."""

    def __init__(self, image: Image.Image) -> None:
        super().__init__(image)
        self._luma = np.asarray(image.convert("L"))

    def luma(self) -> np.ndarray:
        return self._luma


def main(arguments: list[str]) -> int:
    """Measure processor time, entries and the gate's own time.

    Args:
        arguments: Words of the command line.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100)
    given = parser.parse_args(arguments)
    classifier = Classifier.load("happy-sad")
    met = True
    for name, scene in (("no face", draw_room()), ("two faces", read_photo())):
        for kind in (PlanePixels, JpegPixels):
            pixels = [make(kind, each) for each in add_noise(scene)]
            share, gate_ms = compare(classifier, pixels), time_gate(pixels)
            source = "JPEG" if kind is JpegPixels else "Y plane"
            print(f"still scene, {name}, {source}: {share:.2f} of the processor time without "
                  f"the gate; the gate itself {gate_ms:.3f} ms")  # fmt: skip
            met = met and share <= 0.25 and gate_ms <= 0.1
    missed, slowest = count_entries(given.entries)
    print(f"entries: {missed} of {given.entries} missed, slowest reaction {slowest} frames")
    return 0 if met and missed == 0 and slowest <= 3 else 1


def draw_room() -> Image.Image:
    """Return a scene without a face."""
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]]
    grey = 110 + 50 * np.sin(rows / 37) * np.cos(columns / 53)
    return Image.fromarray(grey.astype(np.uint8)).convert("RGB")


def read_photo() -> Image.Image:
    """Return a scene with two drawn faces."""
    return Image.open(io.BytesIO(draw_photo())).convert("RGB")


def add_noise(scene: Image.Image) -> list[Image.Image]:
    """Return frames of a still scene, each with noise of its own."""
    chance, still = np.random.default_rng(0), np.asarray(scene, np.float32)
    frames = []
    for _ in range(_FRAMES):
        pixels = still + chance.normal(0, NOISE, still.shape)
        frames.append(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)))
    return frames


def make(kind: type, image: Image.Image) -> ImagePixels | JpegPixels:
    """Return a frame's pixels of a kind."""
    if kind is not JpegPixels:
        return kind(image)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=85)
    return JpegPixels(stream.getvalue())


def compare(classifier: Classifier, pixels: list) -> float:
    """Return the processor time with the gate as a share of that without."""
    spent = {}
    for gate in (False, True):
        pipeline = Pipeline(classifier, PipelineSettings(motion_gate=gate))
        for number in range(_SECONDS * FPS):
            if number == 2 * FPS:  # the first frames are new
                begun = time.thread_time()
            frame = Frame(number=number, time_s=number / FPS, pixels=pixels[number % len(pixels)])
            pipeline.observe(frame)
        spent[gate] = time.thread_time() - begun
    return spent[True] / spent[False]


def time_gate(pixels: list) -> float:
    """Return the median of the processor time of the gate itself, in ms."""
    gate, spent = MotionGate(open_s=0.5), []
    for number in range(10 * FPS):
        luma = pixels[number % len(pixels)].luma()
        begun = time.thread_time()
        gate.is_open(luma, number / FPS)
        spent.append((time.thread_time() - begun) * 1000)
    return median(spent)


def count_entries(count: int) -> tuple[int, int]:
    """Return how many of drawn faces that enter are missed, and the slowest reaction, in frames.

    Each walks in from the left at 60 to 400 pixels per second; every fourth appears at once.
    """
    chance = np.random.default_rng(1)
    rooms = [np.asarray(each) for each in add_noise(draw_room())]
    missed, slowest = 0, 0
    for number in range(count):
        side = int(chance.integers(40, 200))
        face = draw_face(randomize_face(chance, MOODS[number % 2]), side)
        face = face.crop(face.getbbox())
        top, speed = int(chance.integers(0, SIZE[1] - side)), chance.uniform(60, 400) / FPS
        gate, visible = MotionGate(open_s=0.5), 0
        for frame in range(FPS):
            _ask(gate, rooms[frame], frame)
        for frame in range(1, FPS - 1):
            left = 200 if number % 4 == 0 else round(min(200, frame * speed - face.width))
            visible += left + face.width >= _ENTERED
            scene = Image.fromarray(rooms[(frame + FPS) % _FRAMES])
            scene.paste(face, (left, top), mask=face)
            if _ask(gate, np.asarray(scene), FPS + frame):
                slowest = max(slowest, visible)
                break
        else:
            missed += 1
    return missed, slowest


def _ask(gate: MotionGate, pixels: np.ndarray, number: int) -> bool:
    time_s = number / FPS
    return gate.is_held(time_s) or gate.is_open(
        np.asarray(Image.fromarray(pixels).convert("L")), time_s
    )
