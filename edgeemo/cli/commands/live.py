"""``edgeemo live``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from edgeemo.cli.command import Given, command
from edgeemo.cli.options.common import DEFAULT_MODEL, Threads
from edgeemo.cli.options.faces import FaceArguments
from edgeemo.cli.output.console import echo, note, say
from edgeemo.errors import EXIT_OK
from edgeemo.live.options import LiveOptions
from edgeemo.runtime.fast_start import start_fast
from edgeemo.utils.options import Option

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeemo.runtime.classifier import Classifier


@dataclass(frozen=True, kw_only=True)
class AllLiveOptions(LiveOptions, FaceArguments):
    """Options of ``edgeemo live``, which a configuration file may give, too."""

    model: Annotated[
        Path | None,
        Option(f".tflite or .onnx file, or model folder; {DEFAULT_MODEL}.", metavar="FILE|FOLDER"),
    ] = None
    threads: Threads = None


@dataclass(frozen=True, kw_only=True)
class LiveArguments:
    """What was typed."""

    options: Annotated[Mapping[str, Any], Given(AllLiveOptions)]


@command(
    "edgeemo live",
    "edgeemo live test --seconds 10",
    "edgeemo live --list",
    "edgeemo live csi --json",
    "edgeemo live rtsp://camera.local/stream --events",
    "edgeemo live party.mp4 --annotate seen.mp4 --html party.html",
    "edgeemo live --config door.toml",
)
def live(given: LiveArguments) -> int:
    """Predict faces in a camera's frames or in a video, with labels that do not flicker.

    Of whatever is live the newest frame is predicted, so that the delay does not grow; of a video
    file every frame. A face keeps its number while it is followed.

    Ctrl-C and SIGTERM end it in order: files are complete, and the exit status of a camera or a
    stream is 0. A model file that is replaced while it runs changes nothing: it was read once.
    """
    start_fast()
    from edgeemo.live.config import merge_options
    from edgeemo.live.live import Console, run_live

    options = merge_options(AllLiveOptions, given.options)
    if options.list:
        from edgeemo.live.sources.listing import list_cameras
        from edgeemo.live.sources.listing_text import show_cameras

        show_cameras(list_cameras(), as_json=options.json, echo=echo, note=note)
        return EXIT_OK
    return run_live(options, _make_loader(options), console=Console(report=say, note=note))


def _make_loader(options: AllLiveOptions) -> Callable[[], Classifier]:
    """Return the function that loads the model; see `edgeemo.live.live.run_live`."""

    def load() -> Classifier:
        from edgeemo.cli.default_model import choose_model, warn_unverified
        from edgeemo.runtime.classifier import Classifier

        path = choose_model(options.model)
        classifier = Classifier.load(path, threads=options.threads, faces=options.face_request)
        if options.model is not None:
            note(f"model: {classifier.path}")
        warn_unverified(classifier.path, classifier.spec, verified=classifier.verified)
        return classifier

    return load
