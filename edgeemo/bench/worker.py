"""One round of one candidate, in a process of its own: ``python -m edgeemo.bench.worker JOB``.

It imports what a prediction imports, and times that; then it answers images and times them, stage
by stage and as a whole; then it counts images per second. One JSON object on standard output.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import closing
from dataclasses import asdict, dataclass, field
from itertools import cycle, islice, repeat
from typing import TYPE_CHECKING

from edgeemo.bench.protocol import BAD_IMAGE, FAILED, MISSING, Job, Round
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

    from edgeemo.imaging.decode import Source
    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.runtime.classifier import Classifier

_WARM_UP = 2
"""Answers between the first, which is cold, and those that are timed."""
_AHEAD = 2
"""Images per worker before the counting begins."""
_STATUS = "/proc/self/status"


def main(text: str, load: Callable[[Job], Classifier] | None = None) -> int:
    """Do a job and print what came of it.

    Args:
        text: The job, as `Job.to_json` wrote it.
        load: How to come from the job to a classifier; by default from its file.

    Returns:
        Exit status: 0, whatever came of it; a crash ends the process otherwise.
    """
    begun_ns = time.monotonic_ns()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # who started this says what there is to say
    with os.fdopen(os.dup(1), "w") as answer:
        os.dup2(2, 1)  # whatever an engine prints
        try:
            found = _work(Job.from_json(text), load or load_file, begun_ns)
            said: dict[str, object] = asdict(found)
        except MissingExtraError as error:
            said = {"status": MISSING, "reason": f"{error.package} is not installed"}
        except ImageError as error:
            said = {"status": BAD_IMAGE, "reason": str(error)}
        except EdgeEmoError as error:
            said = {"status": FAILED, "reason": str(error)}
        except MemoryError:
            said = {"status": FAILED, "reason": "out of memory"}
        answer.write(json.dumps(said))
    return 0


def load_file(job: Job, *, detector_file: DetectorFile | None = None) -> Classifier:
    """Load the classifier of a job's file.

    Args:
        job: The job.
        detector_file: The face detector's own file; by default the one beside the job's file.

    Raises:
        EngineError: If its engine refuses the file.
        FaceModelError: If the face detector's own file is missing or cannot be used.
        MissingExtraError: If its engine or its face detector is not installed.
        SpecError: If the file carries no spec.
    """
    from edgeemo.model.container import unseal
    from edgeemo.model.detector_file import find_detector_file
    from edgeemo.model.verified import is_verified
    from edgeemo.runtime.classifier import Classifier

    model = unseal(job.path)
    return Classifier.from_model(
        model,
        faces=job.faces,
        detector_file=detector_file or find_detector_file(job.faces, os.path.dirname(job.path)),  # noqa: PTH120
        verified=is_verified(model.path, sha256=model.sha256),
        threads=job.threads,
    )


def _work(job: Job, load: Callable[[Job], Classifier], begun_ns: int) -> Round:
    images = _contents(job)
    image = next(images)
    start = time.perf_counter()
    _import(job.path)
    imported = time.perf_counter()
    classifier = load(job)
    loaded = time.perf_counter()
    classifier.predict_all(image)
    answered, answered_ns = time.perf_counter(), time.monotonic_ns()
    if job.check:
        for path in job.images:
            classifier.predict_all(path)
    stages = _time_stages(classifier, job, images)
    peak_mb = _peak_mb()
    per_second = _count(classifier, job, image)
    from edgeemo.utils.system import versions

    return Round(
        start=_ms((begun_ns - job.started_ns) / 1e9),
        imports=_ms(imported - start),
        load=_ms(loaded - imported),
        first=_ms(answered - loaded),
        cold=_ms((answered_ns - job.started_ns) / 1e9),
        **asdict(stages),
        peak_mb=peak_mb,
        per_second=per_second,
        engine=classifier.engine.name,
        versions=versions(classifier.engine.name),
        architecture=os.uname().machine,
    )


def _import(path: str) -> None:
    """What loading a file and answering imports; the engine's package is most of it."""
    import edgeemo.runtime.classifier  # noqa: F401
    from edgeemo.engines.load import import_engine
    from edgeemo.model.container import model_format

    import_engine(model_format(path))


def _contents(job: Job) -> Iterator[bytes]:
    """The bytes of the images in turn, without end, each read when it is asked for."""
    if not job.images:
        yield from repeat(sys.stdin.buffer.read())
    for path in islice(cycle(job.images), job.first, None):
        try:
            with open(path, "rb") as stream:  # noqa: PTH123 - pathlib is slow to import
                yield stream.read()
        except OSError as error:
            raise ImageError(f"{path}: cannot be read: {error.strerror or error}") from None


@dataclass
class _Stages:
    """Milliseconds of each stage and of the whole; see `edgeemo.bench.protocol.Round`."""

    decode: list[float] = field(default_factory=list)
    find: list[float] = field(default_factory=list)
    resize: list[float] = field(default_factory=list)
    invoke: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    faceless: int = 0


def _time_stages(classifier: Classifier, job: Job, images: Iterator[bytes]) -> _Stages:
    """Answer images in turn; those that warm up are not counted."""
    times = _Stages()
    end = time.perf_counter() + job.seconds
    for number, content in enumerate(islice(images, _WARM_UP + job.runs)):
        _time(classifier, content, times if number >= _WARM_UP else _Stages())
        if number >= _WARM_UP and time.perf_counter() > end:
            break
    return times


def _time(classifier: Classifier, content: bytes, times: _Stages) -> None:
    """One image stage by stage, as far as it goes, and then as a whole."""
    from edgeemo.imaging.decode import open_image
    from edgeemo.imaging.preprocess import crop, decode, resize

    spec, now = classifier.spec.for_photos(), time.perf_counter
    begun = now()
    with open_image(content) as opened:
        image: Image | None = decode(opened, spec)
    decoded = now()
    times.decode.append(_ms(decoded - begun))
    if image is not None and spec.crops_faces:
        try:
            image = crop(image, spec, detector=classifier.detector)
        except NoFaceError:
            image = None
        times.find.append(_ms(now() - decoded))
    if image is None:
        times.faceless += 1
    else:
        begun = now()
        pixels = resize(image, spec)
        resized = now()
        classifier.engine.run(pixels)
        times.invoke.append(_ms(now() - resized))
        times.resize.append(_ms(resized - begun))
    begun = now()
    classifier.predict_all(content)
    times.whole.append(_ms(now() - begun))


def _peak_mb() -> float:
    """Peak memory of this process alone: getrusage hands on that of the process that started it."""
    with open(_STATUS, encoding="ascii", errors="replace") as stream:  # noqa: PTH123
        for line in stream:
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 2)
    raise EngineError(f"{_STATUS} does not tell the peak memory")


def _count(classifier: Classifier, job: Job, image: bytes) -> float | None:
    """Images answered per second by as many workers as the job says."""
    if not job.stream_seconds:
        return None
    from edgeemo.runtime.stream import predict_images

    sources: Iterator[Source] = cycle(job.images or (image,))
    begin = _AHEAD * job.workers  # by then every worker is at work
    start = 0.0
    with closing(predict_images(classifier, sources, workers=job.workers)) as stream:
        for number, _ in enumerate(stream):
            now = time.perf_counter()
            if number == begin:
                start = now
            elif number >= 2 * begin and now - start >= job.stream_seconds:
                return round((number - begin) / (now - start), 3)
    return None


def _ms(seconds: float) -> float:
    """Milliseconds, to a tenth of a microsecond."""
    return round(seconds * 1000, 4)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
