"""Compare the time of an epoch of `edgeemo train` with `model.fit` on float arrays in memory.

    python benchmarks/training.py [--rounds 5] [--images 1024] [--side 256]

Drawn noise is learnt by copies of one network: from arrays in memory; by `edgeemo.train.loop.fit`,
plain and augmented; and from JPEG files as the tutorials do, with `image_dataset_from_directory`
and with `ImageDataGenerator`, which Keras keeps as legacy. Each round runs all of them in turn for
three epochs and takes the mean of the last two, since the first compiles as well. A ratio is that
of one round; the table gives the median and the range over the rounds, by wall time, which a user
waits for, and by processor time, which other processes disturb less.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import tempfile
import time
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import numpy as np
from machine import describe
from PIL import Image

from edgeemo.model.keras import import_keras
from edgeemo.model.spec import ModelSpec
from edgeemo.train.data.pipeline import Pixels, TrainingData
from edgeemo.train.loop.fit import fit
from edgeemo.train.networks.architectures import build
from edgeemo.train.options.options import TrainOptions

BATCH = 32
EPOCHS = 3
LABELS = ("happy", "sad")
PROMISES = {"edgeemo": 1.05, "edgeemo, light": 1.3, "edgeemo, strong": 1.3}
# Rotation, shift, zoom and brightness of ImageDataGenerator as those of edgeemo's "light".
GENERATOR = {
    "horizontal_flip": True,
    "rotation_range": 10,
    "width_shift_range": 0.08,
    "height_shift_range": 0.08,
    "zoom_range": 0.1,
    "brightness_range": (0.9, 1.1),
}


@dataclass
class Clock:
    """Wall and processor seconds of a training's epochs."""

    times: list[tuple[float, float]] = field(default_factory=list)

    def tick(self, *_):
        self.times.append((time.perf_counter(), time.process_time()))

    def epoch(self):
        """(Wall, processor) seconds of an epoch: the mean of all but the first."""
        (*first,), (*last,) = self.times[0], self.times[-1]
        count = len(self.times) - 1
        return tuple((end - start) / count for start, end in zip(first, last, strict=True))


@dataclass
class Data:
    """The same drawn images as pixels on disk, as files and as float arrays."""

    spec: ModelSpec
    network: str
    pixels: Pixels
    files: Path
    images: np.ndarray
    truth: np.ndarray

    def build(self):
        return build(self.network, input_shape=self.spec.input_shape, classes=2)


def draw(folder, spec, network, count):
    drawn = np.random.default_rng(0)
    rows = drawn.integers(0, 256, (count, *spec.input_shape), np.uint8)
    truth = np.arange(count) % 2
    (folder / "pixels").write_bytes(rows.tobytes())
    for label in LABELS:
        (folder / "files" / label).mkdir(parents=True)
    for number, row in enumerate(rows):
        path = folder / "files" / LABELS[truth[number]] / f"{number:05}.jpg"
        Image.fromarray(row.squeeze()).save(path, quality=90)
    mapped = np.asarray(np.memmap(folder / "pixels", np.uint8, mode="r", shape=rows.shape))
    return Data(
        spec=spec,
        network=network,
        pixels=Pixels(mapped, truth),
        files=folder / "files",
        images=rows * np.float32(spec.scale),
        truth=truth.astype(np.float32)[:, None],
    )


def edgeemo(augment):
    def epoch(data):
        clock = Clock()
        options = TrainOptions(
            arch=data.network,
            size=data.spec.height,
            channels=data.spec.channels,
            epochs=EPOCHS,
            batch_size=BATCH,
            augment=augment,
        )
        images = TrainingData(train=data.pixels, validation=data.pixels.head(0), spec=data.spec)
        fit(
            data.build,
            images,
            options=options,
            on_epoch=clock.tick,
        )
        return clock.epoch()

    return epoch


def _keras_fit(data, *batches, **options):
    keras, clock = import_keras(), Clock()
    model = data.build()
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    timing = keras.callbacks.LambdaCallback(on_epoch_end=clock.tick)
    model.fit(*batches, epochs=EPOCHS, callbacks=[timing], verbose=0, **options)
    return clock.epoch()


def arrays(data):
    return _keras_fit(data, data.images, data.truth, batch_size=BATCH)


def from_directory(data):
    batches = import_keras().utils.image_dataset_from_directory(
        data.files,
        label_mode="binary",
        color_mode="grayscale" if data.spec.channels == 1 else "rgb",
        image_size=data.spec.input_shape[:2],
        batch_size=BATCH,
        seed=0,
        verbose=False,
    )
    return _keras_fit(data, batches.map(lambda images, truth: (images / 255, truth)), shuffle=False)


def generator(data):
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    with redirect_stdout(StringIO()):  # it says how many files it found
        batches = ImageDataGenerator(rescale=1 / 255, **GENERATOR).flow_from_directory(
            str(data.files),
            class_mode="binary",
            color_mode="grayscale" if data.spec.channels == 1 else "rgb",
            target_size=data.spec.input_shape[:2],
            batch_size=BATCH,
        )
    return _keras_fit(data, batches)


WAYS = {
    "arrays in memory": arrays,
    "edgeemo": edgeemo("none"),
    "edgeemo, light": edgeemo("light"),
    "edgeemo, strong": edgeemo("strong"),
    "image_dataset_from_directory": from_directory,
    "ImageDataGenerator, like light": generator,
}


def measure(data, rounds):
    """Name to (wall, processor) seconds of an epoch, one pair for each round."""
    seconds = {name: [] for name in WAYS}
    for number in range(rounds):
        for name in list(WAYS)[:: -1 if number % 2 else 1]:
            seconds[name].append(WAYS[name](data))
    return seconds


def print_table(seconds, count):
    print("| way | images/s | wall ratio | (range) | processor ratio | (range) | promised |")
    print("|---|---|---|---|---|---|---|")
    for name, measured in seconds.items():
        cells = [f"{count / statistics.median(wall for wall, _ in measured):.0f}"]
        for clock in (0, 1):
            ratios = [
                own[clock] / base[clock]
                for own, base in zip(measured, seconds["arrays in memory"], strict=True)
            ]
            cells += [f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f}–{max(ratios):.2f}"]
        print("|", " | ".join([name, *cells, str(PROMISES.get(name, ""))]), "|", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=1024, help="at 48x48; a quarter at 256x256")
    parser.add_argument("--side", type=int, choices=(48, 256), help="only images of this side")
    options = parser.parse_args()
    import_keras()
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # many models in one process
    packages = describe("tensorflow", "keras", "numpy", "pillow")
    print(f"{packages}; batches of {BATCH}, {options.rounds} rounds")
    for network, side, channels, share in (
        ("cnn-bn-64", 48, 1, 1.0),
        ("cnn-16-32-16", 256, 3, 0.25),
    ):
        if options.side not in (None, side):
            continue
        count = max(BATCH, round(options.images * share))
        spec = ModelSpec(labels=LABELS, height=side, width=side, channels=channels)
        with tempfile.TemporaryDirectory() as folder:
            data = draw(Path(folder), spec, network, count)
            seconds = measure(data, options.rounds)
        print(f"\n{network}, {side}x{side}x{channels}, {count} images\n")
        print_table(seconds, count)


if __name__ == "__main__":
    main()
