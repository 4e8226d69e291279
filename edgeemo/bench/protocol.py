"""What a worker is told, and what it says after one round; as JSON between two processes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Literal

from edgeemo.model.face_settings import FaceSettings

TroubleStatus = Literal["not run", "failed", "crashed"]

MISSING: TroubleStatus = "not run"
FAILED: TroubleStatus = "failed"
CRASHED: TroubleStatus = "crashed"
BAD_IMAGE = "bad image"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One round of one candidate.

    Attributes:
        path: The exported file, or what the one inside a bundle is called.
        threads: Threads per answer.
        workers: Images answered at the same time where images per second are counted.
        images: Image files; none where the image comes on standard input.
        first: Which of them to begin with; beyond the last it goes on with the first.
        check: Whether to answer every image once before, so that a bad one is found.
        runs: How often to time an image.
        seconds: When to stop before that.
        stream_seconds: How long to count images per second; 0 for not at all.
        started_ns: When the process was started, on the system's monotonic clock.
        faces: Face settings that replace the model's; None takes every image whole.
    """

    path: str
    threads: int
    workers: int
    images: tuple[str, ...]
    first: int
    check: bool
    runs: int
    seconds: float
    stream_seconds: float
    started_ns: int
    faces: FaceSettings | None = None

    def to_json(self) -> str:
        """The job as one word of a command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        faces = fields["faces"]
        return cls(**{
            **fields,
            "images": tuple(fields["images"]),
            "faces": FaceSettings(**faces) if faces else None,
        })  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Round:
    """What one round found. Times are milliseconds.

    Attributes:
        start: From the process's start to its first own line: the interpreter.
        imports: Importing numpy, Pillow, the runtime and the engine.
        load: From the file to a classifier.
        first: The first answer, from an image's bytes to the label.
        cold: From the process's start to the first answer.
        decode: From the image's bytes to upright pixels, once per run.
        find: From there to the largest face, cropped; empty where no faces are found.
        resize: From there to the network's size; without the images that have no face.
        invoke: From there to the network's outputs; without them as well.
        whole: `Classifier.predict_all`, from the image's bytes to the label, or those of all
            faces.
        faceless: How many of the runs were of an image in which no face was found.
        peak_mb: Peak memory of the process up to here, in MB (2 to the power of 20 bytes).
        per_second: Images answered per second, or None where they were not counted.
        engine: The engine's package and version.
        versions: See `edgeemo.utils.system.versions`.
        architecture: Of the machine, as uname gives it.
    """

    start: float
    imports: float
    load: float
    first: float
    cold: float
    decode: list[float]
    resize: list[float]
    invoke: list[float]
    whole: list[float]
    peak_mb: float
    per_second: float | None
    engine: str
    versions: dict[str, str]
    architecture: str
    find: list[float] = field(default_factory=list)
    faceless: int = 0

    @property
    def seconds(self) -> float:
        """How long the runs took."""
        stages = (self.decode, self.find, self.resize, self.invoke, self.whole)
        return sum(map(sum, stages)) / 1000


@dataclass(frozen=True)
class Trouble:
    """Why there is no round.

    Attributes:
        status: "not run" (no engine), "failed" (refused) or "crashed".
        reason: In words.
    """

    status: TroubleStatus
    reason: str
