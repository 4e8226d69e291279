"""Run one round of one candidate: ``python -m edgeemo.bench.worker REQUEST``.

The worker times the imports of a prediction, then predicts images and times that stage by stage and
as a whole, then counts images per second. It prints one JSON object on standard output.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import asdict
from itertools import cycle, islice, repeat
from typing import TYPE_CHECKING

from edgeemo.bench.protocol import (
    BAD_IMAGE,
    FAILED,
    MISSING,
    WARM_STAGES,
    Round,
    RoundRequest,
)
from edgeemo.errors import (
    EdgeEmoError,
    EngineError,
    ImageError,
    MissingExtraError,
    NoFaceError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PIL.Image import Image

    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.runtime.classifier import Classifier

_WARM_UP = 2
"""Number of predictions between the first, which is cold, and the timed ones."""
_STATUS = "/proc/self/status"


def main(text: str, load: Callable[[RoundRequest], Classifier] | None = None) -> int:
    """Run a round and print its figures or its failure.

    Args:
        text: The request, as `RoundRequest.to_json` wrote it.
        load: Loads the classifier of a request; by default from its file.

    Returns:
        Exit status 0, also for a failure; a crash ends the process otherwise.
    """
    begun_ns = time.monotonic_ns()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the process that started this one reports it
    with os.fdopen(os.dup(1), "w") as output:
        os.dup2(2, 1)  # whatever an engine prints
        try:
            found = _run(RoundRequest.from_json(text), load or load_classifier, begun_ns)
            message: dict[str, object] = asdict(found)
        except MissingExtraError as error:
            message = {"status": MISSING, "reason": f"{error.package} is not installed"}
        except ImageError as error:
            message = {"status": BAD_IMAGE, "reason": str(error)}
        except EdgeEmoError as error:
            message = {"status": FAILED, "reason": str(error)}
        except MemoryError:
            message = {"status": FAILED, "reason": "out of memory"}
        output.write(json.dumps(message))
    return 0


def load_classifier(
    request: RoundRequest, *, detector_file: DetectorFile | None = None
) -> Classifier:
    """Load the classifier of a request's file.

    Args:
        request: The request.
        detector_file: The face detector's own file; by default the one beside the request's file.

    Raises:
        EngineError: If its engine refuses the file.
        FaceModelError: If the face detector's own file is missing or cannot be used.
        MissingExtraError: If its engine or its face detector is not installed.
        SpecError: If the file has no embedded spec.
    """
    from edgeemo.model.container import unseal
    from edgeemo.model.detector_file import find_detector_file
    from edgeemo.model.verified import is_verified
    from edgeemo.runtime.classifier import Classifier

    if request.peer:
        from edgeemo.engines.openvino import OpenVinoEngine
    path, faces = request.path, request.faces
    model = unseal(path)
    return Classifier.from_model(
        model,
        faces=faces,
        detector_file=detector_file or find_detector_file(faces, os.path.dirname(path)),  # noqa: PTH120
        verified=is_verified(model.path, sha256=model.sha256),
        threads=request.threads,
        engine=OpenVinoEngine(model, threads=request.threads) if request.peer else None,
    )


def _run(request: RoundRequest, load: Callable[[RoundRequest], Classifier], begun_ns: int) -> Round:
    images = _read_images(request)
    image = next(images)
    start = time.perf_counter()
    _import(request)
    imported = time.perf_counter()
    classifier = load(request)
    loaded = time.perf_counter()
    classifier.predict_all(image)
    predicted, predicted_ns = time.perf_counter(), time.monotonic_ns()
    if request.check:
        for path in request.images:
            classifier.predict_all(path)
    warm_ms, faceless = _time_predictions(classifier, request, images)
    peak_mb = _read_peak_mb()
    from edgeemo.bench.rate import measure_rate

    rate = measure_rate(classifier, request, image)
    from edgeemo.utils.system import machine_name, versions

    return Round(
        cold_ms={
            "start": _to_ms((begun_ns - request.started_ns) / 1e9),
            "imports": _to_ms(imported - start),
            "load": _to_ms(loaded - imported),
            "first_prediction": _to_ms(predicted - loaded),
            "total": _to_ms((predicted_ns - request.started_ns) / 1e9),
        },
        warm_ms=warm_ms,
        runs_without_face=faceless,
        peak_mb=peak_mb,
        rate=rate,
        engine=classifier.engine.name,
        versions=versions(classifier.engine.name),
        architecture=machine_name(),
    )


def _import(request: RoundRequest) -> None:
    """Import the modules that a prediction with a file needs; mostly the engine's package."""
    import edgeemo.runtime.classifier  # noqa: F401

    if request.peer:
        from edgeemo.engines.openvino import import_openvino

        import_openvino()
        return
    from edgeemo.engines.load import import_engine
    from edgeemo.model.container import model_format

    import_engine(model_format(request.path))


def _read_images(request: RoundRequest) -> Iterator[bytes]:
    """Yield the bytes of the images in turn, without end, each read when it is needed."""
    if not request.images:
        yield from repeat(sys.stdin.buffer.read())
    for path in islice(cycle(request.images), request.first, None):
        try:
            with open(path, "rb") as stream:  # noqa: PTH123 - pathlib is slow to import
                yield stream.read()
        except OSError as error:
            raise ImageError(f"{path}: cannot be read: {error.strerror or error}") from None


def _time_predictions(
    classifier: Classifier, request: RoundRequest, images: Iterator[bytes]
) -> tuple[dict[str, list[float]], int]:
    """Predict images in turn; return milliseconds by stage and the number without a face."""
    times: dict[str, list[float]] = {stage: [] for stage in WARM_STAGES}
    faceless = 0
    end = time.perf_counter() + request.seconds
    for number, content in enumerate(islice(images, _WARM_UP + request.runs)):
        taken = _time_prediction(classifier, content)
        if number < _WARM_UP:
            continue
        faceless += "resize" not in taken
        for stage, ms in taken.items():
            times[stage].append(ms)
        if time.perf_counter() > end:
            break
    return times, faceless


def _time_prediction(classifier: Classifier, content: bytes) -> dict[str, float]:
    """Predict one image stage by stage, as far as it goes, and then as a whole."""
    from edgeemo.imaging.decode import open_image
    from edgeemo.imaging.preprocess import crop, decode, resize

    spec, now = classifier.spec.for_photos(), time.perf_counter
    taken = {}
    begun = now()
    with open_image(content) as opened:
        image: Image | None = decode(opened, spec)
    decoded = now()
    taken["decode"] = _to_ms(decoded - begun)
    if image is not None and spec.crops_faces:
        try:
            image = crop(image, spec, detector=classifier.detector)
        except NoFaceError:
            image = None
        taken["detect"] = _to_ms(now() - decoded)
    if image is not None:
        begun = now()
        pixels = resize(image, spec)
        resized = now()
        classifier.engine.run(pixels)
        taken["invoke"] = _to_ms(now() - resized)
        taken["resize"] = _to_ms(resized - begun)
    begun = now()
    classifier.predict_all(content)
    taken["total"] = _to_ms(now() - begun)
    return taken


def _read_peak_mb() -> float:
    """Return the peak memory of this process; getrusage inherits that of the parent process."""
    with open(_STATUS, encoding="ascii", errors="replace") as stream:  # noqa: PTH123
        for line in stream:
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 2)
    raise EngineError(f"{_STATUS} does not tell the peak memory")


def _to_ms(seconds: float) -> float:
    """Return milliseconds, to a tenth of a microsecond."""
    return round(seconds * 1000, 4)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
