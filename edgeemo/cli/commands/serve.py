"""``edgeemo serve``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from edgeemo.cli.command import Given, command
from edgeemo.cli.options.common import DEFAULT_MODEL, MODELS, Threads, Workers
from edgeemo.cli.options.faces import FaceArguments
from edgeemo.cli.output.console import note, say
from edgeemo.live.options import LiveOptions
from edgeemo.runtime.fast_start import start_fast
from edgeemo.serve.options import NOT_SERVED, ServeOptions
from edgeemo.utils.options import Option, option_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeemo.serve.models import Models


@dataclass(frozen=True, kw_only=True)
class AllServeOptions(ServeOptions, LiveOptions, FaceArguments):
    """Options of ``edgeemo serve``, which a configuration file may give, too."""

    model: Annotated[
        Path | None,
        Option(f".tflite or .onnx file, or model folder; {DEFAULT_MODEL}.", metavar="FILE|FOLDER"),
    ] = None
    threads: Threads = None
    workers: Workers = None


_SERVED = tuple(name for name in option_fields(AllServeOptions) if name not in NOT_SERVED)


@dataclass(frozen=True, kw_only=True)
class ServeArguments:
    """What was typed."""

    options: Annotated[Mapping[str, Any], Given(AllServeOptions, only=_SERVED)]


@command(
    "edgeemo serve",
    "edgeemo serve test",
    "edgeemo serve csi --host 0.0.0.0 --token-file token.txt",
    "edgeemo serve rtsp://camera.local/stream --model models/mine --port 8080",
    "edgeemo serve 0 --no-images --mqtt mqtt://broker.local",
)
def serve(given: ServeArguments) -> None:
    """Serve a page with the live image and its labels, and predictions over HTTP.

    Without a source the page is one to try the model with images of your own. It listens on this
    machine alone, unless --host is given with a token. Ctrl-C and SIGTERM end it.
    """
    start_fast()
    from edgeemo.live.config import merge_options
    from edgeemo.utils.extras import SERVING, require_packages, require_packages_of_options

    options = merge_options(AllServeOptions, given.options)
    require_packages(SERVING, purpose="'edgeemo serve'")
    require_packages_of_options(options)
    from edgeemo.live.live import Console
    from edgeemo.serve import server

    console = Console(report=say, note=note)
    server.serve(options, options, _make_loader(options), console=console, workers=options.workers)


def _make_loader(options: AllServeOptions) -> Callable[[], Models]:
    """Return the function that loads the model."""

    def load() -> Models:
        from edgeemo.cli.default_model import choose_model, warn_unverified
        from edgeemo.runtime.classifier import Classifier
        from edgeemo.serve.model_files import FileModels

        request = options.face_request
        path = choose_model(options.model)
        classifier = Classifier.load(path, threads=options.threads, faces=request)
        warn_unverified(classifier.path, classifier.spec, verified=classifier.verified)
        return FileModels(classifier, folder=MODELS, faces=request, threads=options.threads)

    return load
