"""``edgeemo live``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from edgeemo.cli.command import command
from edgeemo.cli.options.common import DEFAULT_MODEL, Threads
from edgeemo.cli.options.faces import FaceArguments
from edgeemo.cli.output.console import echo, say
from edgeemo.live.options import LiveOptions
from edgeemo.utils.options import Option


@dataclass(frozen=True, kw_only=True)
class LiveArguments(LiveOptions, FaceArguments):
    """Options of ``edgeemo live``."""

    model: Annotated[
        Path | None,
        Option(f".tflite or .onnx file, or model folder; {DEFAULT_MODEL}.", metavar="FILE|FOLDER"),
    ] = None
    threads: Threads = None


@command(
    "edgeemo live",
    "edgeemo live test",
    "edgeemo live csi --json",
    "edgeemo live rtsp://camera.local/stream --events",
    "edgeemo live party.mp4 --annotate seen.mp4 --html party.html",
)
def live(given: LiveArguments) -> None:
    """Predict faces in a camera's frames or in a video, with labels that do not flicker.

    Of whatever is live the newest frame is predicted, so that the delay does not grow; of a video
    file every frame. A face keeps its number while it is followed.
    """
    from edgeemo.cli.default_model import choose_model
    from edgeemo.live.loop import run_loop
    from edgeemo.live.outputs.fan_out import FanOut
    from edgeemo.live.outputs.jsonl import FrameLines
    from edgeemo.live.pipeline import Pipeline, PipelineSettings
    from edgeemo.live.reader import FrameReader
    from edgeemo.live.sources.choose import choose_source
    from edgeemo.live.sources.settings import SourceSettings
    from edgeemo.runtime.classifier import Classifier

    classifier = Classifier.load(
        choose_model(given.model), threads=given.threads, faces=given.face_request
    )
    source = choose_source(given.source, SourceSettings(real_time=given.real_time))
    output = FanOut([FrameLines(echo)], report=say)
    pipeline = Pipeline(classifier, PipelineSettings(steady_s=given.steady))
    with FrameReader(source) as reader:
        try:
            run_loop(reader, pipeline, output)
        finally:
            output.close()
