"""What the data path of training costs over `model.fit` on float arrays already in memory.

    python benchmarks/training_path.py [--pictures 2000] [--pairs 9]

Two copies of the default network learn the same drawn noise, one from float32 arrays in memory,
one from uint8 pixels on disk through `edgeemo.train.pipeline`, one epoch each in turn (the order
swaps), so that whatever else the machine does strikes both. The ratio is that of the medians; the
promise is 1.05. Wall time is what a user waits for; processor time is steadier on a busy machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np

from edgeemo.keras_model import import_keras
from edgeemo.spec import ModelSpec
from edgeemo.train.architectures import build
from edgeemo.train.pipeline import Pixels, dataset

NETWORK = "cnn-16-32-16"
BATCH = 32
PROMISE = 1.05


@dataclass
class Clock:
    """Seconds that each epoch took."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def time(self, epoch):
        """Run an epoch and note how long it took."""
        wall, processor = time.perf_counter(), time.process_time()
        epoch()
        self.wall.append(time.perf_counter() - wall)
        self.processor.append(time.process_time() - processor)

    def forget_first(self):
        """Drop the first epoch."""
        self.wall, self.processor = self.wall[1:], self.processor[1:]


def network(spec):
    keras = import_keras()
    keras.utils.set_random_seed(0)
    model = build(NETWORK, input_shape=spec.input_shape, classes=2)
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model


def noise_on_disk(folder, spec, count):
    drawn = np.random.default_rng(0)
    rows = drawn.integers(0, 256, (count, *spec.input_shape), np.uint8)
    path = Path(folder) / "pixels"
    path.write_bytes(rows.tobytes())
    mapped = np.asarray(np.memmap(path, np.uint8, mode="r", shape=rows.shape))
    return Pixels(mapped, drawn.integers(0, 2, count))


def measure(spec, count, pairs):
    """Clocks of (arrays in memory, the pipeline), without the first epoch of each, a warm-up."""
    with tempfile.TemporaryDirectory() as folder:
        pixels = noise_on_disk(folder, spec, count)
        images = pixels.rows * np.float32(spec.scale)
        truth = pixels.truth.astype(np.float32)[:, None]
        batches = dataset(pixels, spec=spec, batch_size=BATCH, shuffle_seed=0)
        in_memory, piped = network(spec), network(spec)
        clocks = (Clock(), Clock())
        epochs = (
            lambda: in_memory.fit(images, truth, batch_size=BATCH, verbose=0),
            lambda: piped.fit(batches, shuffle=False, verbose=0),
        )
        for pair in range(pairs + 1):
            for side in (0, 1) if pair % 2 else (1, 0):
                clocks[side].time(epochs[side])
    for clock in clocks:
        clock.forget_first()
    return clocks


def machine():
    names = ("tensorflow", "keras", "numpy")
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    python = platform.python_version()
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {python}, {packages}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=2000, help="at 48 px; fewer at other sizes")
    parser.add_argument("--pairs", type=int, default=9, help="epochs of each kind")
    options = parser.parse_args()
    print(f"{machine()}; {NETWORK}, batches of {BATCH}, {options.pairs} epochs each\n")
    print("| input | pictures | arrays s | pipeline s | wall ratio | processor ratio |")
    print("|---|---|---|---|---|---|")
    for side, channels, share in ((48, 1, 1.0), (128, 3, 0.2)):
        count = max(BATCH, round(options.pictures * share))
        spec = ModelSpec(labels=("happy", "sad"), height=side, width=side, channels=channels)
        arrays, piped = measure(spec, count, options.pairs)
        wall = [statistics.median(clock.wall) for clock in (arrays, piped)]
        processor = [statistics.median(clock.processor) for clock in (arrays, piped)]
        print(
            f"| {side}x{side}x{channels} | {count} | {wall[0]:.3f} | {wall[1]:.3f} "
            f"| {wall[1] / wall[0]:.3f} | {processor[1] / processor[0]:.3f} |",
            flush=True,
        )
    print(f"\npromised: at most {PROMISE}")


if __name__ == "__main__":
    main()
