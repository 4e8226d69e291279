"""Rate of a video file: that of its slowest stage alone; no frame lost, times exact.

The video, 640x480, holds a drawn face. Reading it and predicting its frames are measured one by
one, and together as `edgeemo live FILE` does.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import av
import numpy as np

from benchmarks.live_streams import SIZE, draw_background
from edgeemo import Classifier
from edgeemo.live.loop import run_loop
from edgeemo.live.pipeline import Pipeline, PipelineSettings
from edgeemo.live.reader import FrameReader
from edgeemo.live.sources.settings import SourceSettings
from edgeemo.live.sources.video_file import VideoFile
from tests.live.videos import read_code, write_video

SHARE = 0.9
"""Goal: the rate, as a share of that of the slowest stage."""

_CHUNK = 60
"""Frames that are kept in memory while they are predicted without being read."""


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        path = write_video(
            Path(folder) / "v.mp4", frames=given.frames, size=SIZE, background=draw_background()
        )
        times = read_times(path)
        rounds = [measure(path, times) for _ in range(given.rounds)]
    reading, predicting, together = (
        max(each) for each in zip(*(r[:3] for r in rounds), strict=True)
    )
    lost, wrong = rounds[0][3:]
    share = together / min(reading, predicting)
    print(f"reading alone {reading:.0f}/s, predicting alone {predicting:.0f}/s")
    print(f"together {together:.0f}/s: {share:.2f} of the slower")
    print(f"frames lost: {lost} of {given.frames}; times that are not exact: {wrong}")
    return 0 if share >= SHARE and not lost and not wrong else 1


def measure(path, times):
    """Return frames per second reading, predicting, together; frames lost, and times wrong."""
    classifier = Classifier.load("happy-sad")
    source = VideoFile(str(path), SourceSettings())
    reading_s = predicting_s = 0.0
    stream, pipeline, chunk = source.open(), Pipeline(classifier, PipelineSettings()), []
    ended = False
    while not ended:
        begun = time.perf_counter()
        while len(chunk) < _CHUNK and not ended:
            frame = stream.read()
            ended = frame is None
            chunk += [] if ended else [frame]
        reading_s += time.perf_counter() - begun
        begun = time.perf_counter()
        for frame in chunk:
            pipeline.observe(frame)
        predicting_s += time.perf_counter() - begun
        chunk = []
    stream.close()
    output = _Codes()
    begun = time.perf_counter()
    with FrameReader(source) as reader:
        run_loop(reader, Pipeline(classifier, PipelineSettings()), output)
    together_s = time.perf_counter() - begun
    lost = len(times) - len(set(output.numbers) & set(range(len(times))))
    wrong = sum(seen != exact for seen, exact in zip(output.times, times, strict=False))
    count = len(times)
    return count / reading_s, count / predicting_s, count / together_s, lost, wrong


def read_times(path):
    """Return the presentation times of a video's frames, from the first one, in seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stamps = sorted(packet.pts for packet in container.demux(stream) if packet.pts is not None)
        return [float((stamp - stamps[0]) * stream.time_base) for stamp in stamps]


class _Codes:
    """An output that keeps the bar code of every frame, to be read when the clock has stopped."""

    name = "codes"

    def __init__(self):
        self._codes, self.times = [], []

    @property
    def numbers(self):
        return [read_code(np.tile(row, (32, 1))) for row in self._codes]

    def add_observation(self, seen):
        self._codes.append(seen.frame.pixels.luma()[40].copy())
        self.times.append(seen.frame.time_s)

    def add_event(self, event):
        pass

    def close(self):
        pass
