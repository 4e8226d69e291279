"""Messages between the benchmark and its worker processes, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from edgeemo.model.face_settings import FaceSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

FailureStatus = Literal["not run", "failed", "crashed"]
EnergySource = Literal["processor", "regulators"]

MISSING: FailureStatus = "not run"
FAILED: FailureStatus = "failed"
CRASHED: FailureStatus = "crashed"
BAD_IMAGE = "bad image"

OPENVINO = "openvino"
"""Package of an engine that is measured for comparison, and with which nothing predicts."""

COLD_STAGES = ("start", "imports", "load", "first_prediction", "total")
"""Parts of a cold start, in milliseconds each: starting Python up to the worker's first own line;
importing numpy, Pillow, the runtime and the engine; from the file to a classifier; the first
prediction, from an image's bytes to the label; and all of them."""

WARM_STAGES = ("decode", "detect", "resize", "invoke", "total")
"""Parts of a warm prediction, in milliseconds each: from the image's bytes to upright pixels;
detecting faces and cropping the largest, where faces are detected; resizing to the network's input;
running the network; and `Classifier.predict_all` from the image's bytes to the labels of all faces,
or to the label. An image without a face is neither resized nor run."""


@dataclass(frozen=True, kw_only=True)
class RoundRequest:
    """One round of one candidate.

    Attributes:
        path: The exported file, or the name of the one inside a bundle.
        threads: Threads per prediction.
        workers: Images predicted at the same time where images per second are counted.
        images: Image files; empty if the image comes on standard input.
        first: Index of the image to begin with; the first follows the last.
        check: Whether to predict every image once before, so that a bad one is found.
        runs: Number of timed predictions.
        seconds: Time limit of the timed predictions.
        stream_seconds: Time to count images per second, in s; 0 for not at all.
        started_ns: Start of the process, on the system's monotonic clock.
        faces: Face settings that replace the model's; None takes every image whole.
        peer: See `edgeemo.bench.candidates.CandidateFile`.
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
    peer: str = ""

    def to_json(self) -> str:
        """Return the request as one argument of a command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> RoundRequest:
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        faces = fields["faces"]
        return cls(**{
            **fields,
            "images": tuple(fields["images"]),
            "faces": FaceSettings(**faces) if faces else None,
        })  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Rate:
    """A rate of predictions.

    Attributes:
        images_per_second: The rate.
        joules_per_image: Energy of the machine or its processor meanwhile, over the images; None
            where nothing tells it.
        energy_source: See `edgeemo.bench.energy.EnergyMeter`; None where nothing tells it.
    """

    images_per_second: float
    joules_per_image: float | None = None
    energy_source: EnergySource | None = None


@dataclass(frozen=True, kw_only=True)
class Round:
    """The figures of one round.

    Attributes:
        cold_ms: The cold start, by stage; see `COLD_STAGES`.
        warm_ms: The timed predictions, by stage, one number each; see `WARM_STAGES`.
        runs_without_face: Number of them in whose image no face was detected.
        peak_mb: Peak memory of the process, in MB (2 to the power of 20 bytes).
        rate: Rate of predictions and its energy, or None if it was not counted.
        engine: The engine's package and version.
        versions: See `edgeemo.utils.system.versions`.
        architecture: Of the machine, as uname gives it.
    """

    cold_ms: dict[str, float]
    warm_ms: dict[str, list[float]]
    runs_without_face: int
    peak_mb: float
    rate: Rate | None
    engine: str
    versions: dict[str, str]
    architecture: str

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Round:
        """Return the round that a worker printed."""
        rate = message["rate"]
        return cls(**{**message, "rate": Rate(**rate) if rate else None})

    @property
    def seconds(self) -> float:
        """Return the time that the timed predictions took."""
        return sum(map(sum, self.warm_ms.values())) / 1000


@dataclass(frozen=True)
class Failure:
    """Why a round has no figures.

    Attributes:
        status: "not run" (its engine is not installed), "failed" (it was refused) or "crashed".
        reason: The reason, in words.
    """

    status: FailureStatus
    reason: str
