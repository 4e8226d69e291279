"""ModelSpec: everything that a model's weights do not say, in one frozen value.

The same value steers training, calibration, verification and the device; it travels inside every
exported file (see `edgeemo.model.container`). Standard library only.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from edgeemo.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

SPEC_VERSION = 4
"""What this version writes where a spec has a detector's least score; 3 where it says how faces are
found; 2 where it has a temperature or a least confidence, else 1: an older runtime refuses what it
would not obey, and no more."""

MAX_SIDE = 4096
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.01, 100.0
NOT_SURE = "not sure"
"""What is answered where the model's confidence is less than `ModelSpec.min_confidence`."""
SCALE = 1 / 255
"""Multiplier from a uint8 pixel to the network's input. Fixed: every network takes [0, 1]; a model
trained with another scaling carries the difference as a layer of its own."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a model comes from.

    Attributes:
        edgeemo_version: The version that trained or imported the model.
        source_sha256: SHA-256 of the Keras file that the exports stem from; empty before export.
        date: ISO 8601, UTC: SOURCE_DATE_EPOCH if it was set, else the end of the training.
    """

    edgeemo_version: str = ""
    source_sha256: str = ""
    date: str = ""


DETECTORS = ("blaze", "cascade", "yunet")
"""What finds faces; see `edgeemo.imaging.faces`."""

MIN_MARGIN, MAX_MARGIN = -0.3, 2.0


def detector_for(named: str | None, *, file: object, usual: str = "blaze") -> str:
    """The detector that was asked for; a file without a name is YuNet's.

    Args:
        named: What the user called it, if anything.
        file: The user's own file, or None.
        usual: What finds faces where neither was said.
    """
    return named or ("yunet" if file else usual)


@dataclass(frozen=True, kw_only=True)
class FaceSettings:
    """How faces are found in a photo and cropped, the same when training and on the device.

    Attributes:
        detector: One of `DETECTORS`.
        margin: What is added to a face's frame on each side, in parts of the frame's side, -0.3 to
            2. At 0 a face fills the crop from the brows' upper end to the chin, as in FER2013.
        cropped: Whether the images that the model was trained on were such crops already: a data
            set's images are then taken as they are, and faces are found in photos alone.
        file_sha256: SHA-256 of the detector's file, hexadecimal, where it is the user's own; else
            empty.
        least_score: What the detector's score of a face must be for it to count, 0 to 1. None: its
            usual, 0.5 for ``blaze`` and 0.7 for ``yunet``. The cascade has no scores.

    Raises:
        SpecError: If a value is unknown or out of its range, or goes with another detector.
    """

    detector: str = "blaze"
    margin: float = 0.0
    cropped: bool = False
    file_sha256: str = ""
    least_score: float | None = None

    def __post_init__(self) -> None:
        if self.detector not in DETECTORS:
            raise SpecError(
                f"{self.detector!r} finds no faces in this version of edgeemo, which knows "
                f"{', '.join(DETECTORS)}"
            )
        if not MIN_MARGIN <= self.margin <= MAX_MARGIN:
            raise SpecError(
                f"a face's margin must be {MIN_MARGIN:g} to {MAX_MARGIN:g}, not {self.margin}"
            )
        if self.least_score is None:
            return
        if not 0 <= self.least_score <= 1:
            raise SpecError(f"the least score of a face must be 0 to 1, not {self.least_score}")
        if self.detector == "cascade":
            raise SpecError("the cascade gives its faces no scores, so none can be too low")

    @property
    def text(self) -> str:
        """What finds faces and how they are cropped, for a person."""
        least = "" if self.least_score is None else f", score {self.least_score:g} or more"
        return f"{self.detector}, margin {self.margin:g}{least}"


@dataclass(frozen=True, kw_only=True)
class FaceChanges:
    """What is wanted of `FaceSettings` instead of what a model says; the rest stays as it is there.

    Attributes:
        detector: What finds faces, or None.
        margin: What is added around a face, or None.
        least_score: What a face's score must be, or None. A score says nothing of another detector:
            where that changes, so does this, to what is usual there.
        file_sha256: That of the detector's own file, which goes with a detector; else empty.
    """

    detector: str | None = None
    margin: float | None = None
    least_score: float | None = None
    file_sha256: str = ""

    def applied(self, settings: FaceSettings | None) -> FaceSettings:
        """The settings with what is wanted otherwise.

        Args:
            settings: The model's; None where it finds no faces, and its images pass for crops.

        Raises:
            SpecError: As `FaceSettings`.
        """
        settings = settings or FaceSettings(cropped=True)
        if self.detector is not None:
            least = settings.least_score if self.detector == settings.detector else None
            settings = replace(
                settings, detector=self.detector, file_sha256=self.file_sha256, least_score=least
            )
        if self.margin is not None:
            settings = replace(settings, margin=self.margin)
        if self.least_score is not None:
            settings = replace(settings, least_score=self.least_score)
        return settings


WantedFaces: TypeAlias = FaceSettings | FaceChanges | bool | None
"""Whether and how to find faces; see `ModelSpec.with_faces`."""


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """How to feed a model and how to read its answer.

    Attributes:
        labels: Class names in the order of the network's outputs; at least two.
        height: Input height in pixels.
        width: Input width in pixels.
        channels: 1 (grey) or 3 (RGB).
        activation: "sigmoid": one output, the probability of `labels[1]`.
            "softmax": one output per label.
        threshold: With two labels, `labels[1]` is answered where its probability is at least
            this, in (0, 1). Ignored with more labels.
        resample: Resampling filter; only "bilinear" exists.
        scale: Multiplier from uint8 pixel to network input; always 1/255.
        temperature: What the logits were divided by so that the probabilities mean what they say,
            0.01 to 100. The weights hold it already: it is a record, nothing has to be done.
        min_confidence: Where the label to answer has a lower probability than this, the answer is
            `NOT_SURE`; 0 (always answered) to less than 1.
        faces: How faces are found, which are then answered one by one; None where the image is
            answered as a whole.
        provenance: Where the model comes from.

    Raises:
        SpecError: If the values contradict each other.
    """

    labels: tuple[str, ...]
    height: int
    width: int
    channels: Literal[1, 3] = 3
    activation: Literal["sigmoid", "softmax"] = "sigmoid"
    threshold: float = 0.5
    resample: Literal["bilinear"] = "bilinear"
    scale: float = SCALE
    temperature: float = 1.0
    min_confidence: float = 0.0
    faces: FaceSettings | None = None
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise SpecError(f"model specification: {problem}")

    def _problem(self) -> str | None:
        """The first thing that is wrong, in words."""
        checks = (*self._network_checks(), *self._answer_checks())
        return next((problem for fine, problem in checks if not fine), None)

    def _network_checks(self) -> tuple[tuple[bool, str], ...]:
        known = self.resample == "bilinear" and math.isclose(self.scale, SCALE, rel_tol=1e-6)
        return (
            (
                len(self.labels) >= 2 and len(set(self.labels)) == len(self.labels),
                f"labels must be two or more different names, not {list(self.labels)}",
            ),
            (
                all(isinstance(label, str) and label for label in self.labels),
                f"labels must be non-empty text, not {list(self.labels)}",
            ),
            (
                min(self.height, self.width) >= 1 and max(self.height, self.width) <= MAX_SIDE,
                f"size must be 1 to {MAX_SIDE} pixels, not {self.height}x{self.width}",
            ),
            (self.channels in (1, 3), f"channels must be 1 or 3, not {self.channels}"),
            (
                self.activation == "softmax" or len(self.labels) == 2,
                f"a sigmoid output answers two labels, not {len(self.labels)}",
            ),
            (
                self.activation in ("sigmoid", "softmax"),
                f"activation must be sigmoid or softmax, not {self.activation}",
            ),
            (
                known,
                f"resample {self.resample!r} with scale {self.scale} is unknown to this version of "
                "edgeemo; install the version that exported the model",
            ),
        )

    def _answer_checks(self) -> tuple[tuple[bool, str], ...]:
        return (
            (0 < self.threshold < 1, f"threshold must lie between 0 and 1, not {self.threshold}"),
            (
                MIN_TEMPERATURE <= self.temperature <= MAX_TEMPERATURE,
                f"temperature must be {MIN_TEMPERATURE:g} to {MAX_TEMPERATURE:g}, "
                f"not {self.temperature}",
            ),
            (
                0 <= self.min_confidence < 1,
                f"min_confidence must be 0 to less than 1, not {self.min_confidence}",
            ),
            (
                self.min_confidence == 0 or NOT_SURE not in self.labels,
                f"no label may be called {NOT_SURE!r} where answers below a confidence of "
                f"{self.min_confidence} are called so; rename the class",
            ),
        )

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape (H, W, C) of one image."""
        return (self.height, self.width, self.channels)

    @property
    def output_count(self) -> int:
        """Number of values the network gives: 1 for a sigmoid, K for a softmax."""
        return 1 if self.activation == "sigmoid" else len(self.labels)

    @property
    def crops_faces(self) -> bool:
        """Whether preprocessing crops the largest face instead of taking the whole image."""
        return self.faces is not None and not self.faces.cropped

    def for_photos(self) -> ModelSpec:
        """The same for photos, whatever the images were that it was trained on."""
        if self.faces is None or not self.faces.cropped:
            return self
        return replace(self, faces=replace(self.faces, cropped=False))

    def with_faces(self, faces: WantedFaces) -> ModelSpec:
        """The same, with faces found otherwise.

        Args:
            faces: How to find them, or what of that is wanted otherwise. True: as the spec says, or
                as `FaceSettings` does by default where it says nothing, which takes the images
                that it was trained on for crops. False: not at all. None: as the spec says.

        Raises:
            SpecError: If what is wanted does not go with what the spec says.
        """
        if faces is None:
            return self
        if faces is True:
            faces = FaceChanges()
        if isinstance(faces, FaceChanges):
            faces = faces.applied(self.faces)
        return replace(self, faces=faces or None)

    def scores(self, output: Sequence[float]) -> tuple[float, ...]:
        """Turn the network's raw output into one probability per label.

        Args:
            output: `output_count` values in [0, 1].

        Returns:
            K probabilities in the order of `labels`.
        """
        if self.activation == "sigmoid":
            return (1.0 - output[0], output[0])
        return tuple(output)

    def decide(self, scores: Sequence[float]) -> int:
        """Index of the label to answer, given one probability per label.

        With two labels the second is answered where its probability is at least `threshold`;
        with more, the largest (the first of equals).
        """
        if len(scores) == 2:
            return int(scores[1] >= self.threshold)
        return max(range(len(scores)), key=scores.__getitem__)

    def is_sure(self, scores: Sequence[float]) -> bool:
        """Whether the label that `decide` picks has a probability of `min_confidence` or more."""
        return scores[self.decide(scores)] >= self.min_confidence

    def answer(self, scores: Sequence[float]) -> str:
        """What to tell the user, given one probability per label: a label, or `NOT_SURE`."""
        return self.labels[self.decide(scores)] if self.is_sure(scores) else NOT_SURE

    def to_json(self) -> str:
        """The spec as JSON text that is the same for the same spec, byte for byte."""
        fields, version = asdict(self), SPEC_VERSION
        if self.faces is not None and self.faces.least_score is None:
            version = 3
            del fields["faces"]["least_score"]
        if self.faces is None:
            version = 2
            del fields["faces"]
            if self.temperature == 1 and self.min_confidence == 0:
                version = 1
                del fields["temperature"], fields["min_confidence"]
        return json.dumps({"version": version, **fields}, indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes, *, origin: str) -> ModelSpec:
        """Read what `to_json` wrote.

        Args:
            text: The JSON text.
            origin: The file it came from, for the error message.

        Raises:
            SpecError: If the text is not a spec that this version understands.
        """
        try:
            return cls._from_fields(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SpecError(f"{origin}: not a model specification ({error})") from None
        except SpecError as error:
            raise SpecError(f"{origin}: {error}") from None

    @classmethod
    def _from_fields(cls, fields: dict[str, Any]) -> ModelSpec:
        version = fields.pop("version")
        if version not in range(1, SPEC_VERSION + 1):
            raise SpecError(
                f"specification version {version} is not among 1 to {SPEC_VERSION}; "
                "install the version of edgeemo that exported the model"
            )
        fields["labels"] = tuple(fields["labels"])
        fields["provenance"] = Provenance(**fields["provenance"])
        if fields.get("faces") is not None:
            fields["faces"] = FaceSettings(**fields["faces"])
        return cls(**fields)
