"""ModelSpec: everything that a model's weights do not say, in one frozen value.

Training, calibration, verification and the device use the same value, which every exported file
holds (see `edgeemo.model.container`). Preprocessing needs a part of it, `InputSpec`, which has a
module of its own. Standard library only.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from edgeemo.errors import SpecError
from edgeemo.model.input_spec import InputSpec
from edgeemo.utils.strict_json import parse_json, require, require_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.model.adoption import Adoption

SPEC_VERSION = 6
"""Version written for the specification of an adopted model; 5 with a background class; 4 with a
minimum detector score; 3 with face settings; 2 with a temperature or a confidence threshold; else
1. So an older runtime refuses what it would not obey, and no more."""

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.01, 100.0
NOT_SURE = "not sure"
"""The prediction where the confidence is less than `ModelSpec.min_confidence`."""
_JSON_ORDER = (
    "labels", "height", "width", "channels", "activation", "threshold", "resample", "scale",
    "temperature", "min_confidence", "background", "faces", "adopted", "provenance",
)  # fmt: skip
_JSON_TYPES: dict[str, type] = {
    "version": int, "labels": list, "height": int, "width": int, "channels": int,
    "activation": str, "threshold": float, "resample": str, "scale": float, "temperature": float,
    "min_confidence": float, "background": str, "provenance": dict,
}  # fmt: skip
_JSON_MIN_SCORE = "least_score"  # the format of exported files keeps this name


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Origin of a model.

    Attributes:
        edgeemo_version: The version that trained or imported the model.
        source_sha256: SHA-256 of the Keras file that the exports stem from, or of the file that was
            adopted; empty before export.
        date: ISO 8601, UTC: SOURCE_DATE_EPOCH if it was set, else the end of the training.
    """

    edgeemo_version: str = ""
    source_sha256: str = ""
    date: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelSpec(InputSpec):
    """The input and the output of a model: an `InputSpec`, labels and a decision rule.

    Attributes:
        labels: Class names in the order of the network's outputs; at least two.
        activation: "sigmoid": one output, the probability of `labels[1]`.
            "softmax": one output per label.
        threshold: With two labels, `labels[1]` is predicted where its probability is at least
            this, in (0, 1). Ignored with more labels.
        temperature: Divisor of the logits, 0.01 to 100, that calibrates the probabilities. A
            record: the weights hold it already.
        min_confidence: Confidence threshold, 0 to less than 1: where the predicted label has a
            lower probability, the prediction is `NOT_SURE`.
        background: The label of images that belong to none of the classes, such as "neither"; one
            of three or more labels. None where every label is a class.
        adopted: Input and output of a model that was made elsewhere; None of any other.
        provenance: Where the model comes from.

    Raises:
        SpecError: If the values contradict each other.
    """

    labels: tuple[str, ...]
    activation: Literal["sigmoid", "softmax"] = "sigmoid"
    threshold: float = 0.5
    temperature: float = 1.0
    min_confidence: float = 0.0
    background: str | None = None
    adopted: Adoption | None = None
    provenance: Provenance = field(default_factory=Provenance)

    def _checks(self) -> tuple[tuple[bool, str], ...]:
        """As `InputSpec._checks`."""
        return (
            *self._label_checks(),
            *super()._checks(),
            *self._decision_checks(),
            *self._adoption_checks(),
        )

    def _label_checks(self) -> tuple[tuple[bool, str], ...]:
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
                not any(map(_has_controls, self.labels)),
                f"labels must not contain control characters, as {list(self.labels)} do",
            ),
            (
                self.activation == "softmax" or len(self.labels) == 2,
                f"a sigmoid output needs two labels, not {len(self.labels)}",
            ),
            (
                self.activation in ("sigmoid", "softmax"),
                f"activation must be sigmoid or softmax, not {self.activation}",
            ),
        )

    def _adoption_checks(self) -> tuple[tuple[bool, str], ...]:
        problem = self.adopted.find_problem(self.channels) if self.adopted else ""
        return ((not problem, problem),)

    def _decision_checks(self) -> tuple[tuple[bool, str], ...]:
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
                f"no class may be called {NOT_SURE!r} with a confidence threshold of "
                f"{self.min_confidence}, below which that is predicted; rename the class",
            ),
            (
                self.background is None or self.background in self.labels,
                f"background {self.background!r} is not among the labels {list(self.labels)}",
            ),
            (
                self.background is None or len(self.labels) > 2,
                f"a background class needs two other classes, not {list(self.labels)}",
            ),
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the labels without the background."""
        return tuple(label for label in self.labels if label != self.background)

    @property
    def output_count(self) -> int:
        """Return the number of values the network gives: 1 for a sigmoid, K for a softmax."""
        return 1 if self.activation == "sigmoid" else len(self.labels)

    @property
    def output_labels(self) -> tuple[str, ...]:
        """Return the label of each value that the network gives: the second for a sigmoid."""
        return self.labels if self.activation == "softmax" else self.labels[1:]

    def find_shape_mismatch(self, inputs: Sequence[int], outputs: Sequence[int]) -> str | None:
        """Return how the tensors of a model file differ from the specification, or None.

        Args:
            inputs: Shape of its input tensor.
            outputs: Shape of its output tensor.
        """
        expected_in, expected_out = [1, *self.input_shape], [1, self.output_count]
        if self.adopted:
            expected_in = [1, *self.adopted.arrange(self.input_shape)]
        if list(inputs) != expected_in:
            return f"its input is {list(inputs)} where its specification says {expected_in}"
        counts = self.adopted is not None and math.prod(outputs) == self.output_count
        if list(outputs) != expected_out and not counts:
            return f"its output is {list(outputs)} where its specification says {expected_out}"
        return None

    def scores(self, output: Sequence[float]) -> tuple[float, ...]:
        """Convert the network's raw output to one probability per label.

        Args:
            output: `output_count` values in [0, 1].

        Returns:
            K probabilities in the order of `labels`.
        """
        if self.activation == "sigmoid":
            return (1.0 - output[0], output[0])
        return tuple(output)

    def decide(self, scores: Sequence[float]) -> int:
        """Return the index of the predicted label, without the confidence threshold.

        With two labels the second is predicted where its probability is at least `threshold`;
        with more, the largest (the first of equals).

        Args:
            scores: One probability per label.
        """
        if len(scores) == 2:
            return int(scores[1] >= self.threshold)
        return max(range(len(scores)), key=scores.__getitem__)

    def guess(self, scores: Sequence[float]) -> int:
        """Return the index of the most probable class: as `decide`, but never the background.

        Args:
            scores: One probability per label.
        """
        decided = self.decide(scores)
        if self.labels[decided] != self.background:
            return decided
        classes = [row for row in range(len(scores)) if row != decided]
        return max(classes, key=scores.__getitem__)

    def choose_label(self, scores: Sequence[float]) -> str:
        """Return the prediction for one probability per label: a label, or `NOT_SURE`.

        The background has no confidence threshold: below it, too, the image is none of the classes.
        """
        decided = self.decide(scores)
        label = self.labels[decided]
        is_sure = label == self.background or scores[decided] >= self.min_confidence
        return label if is_sure else NOT_SURE

    def to_json(self) -> str:
        """Return the specification as JSON text, the same bytes for the same specification."""
        fields, version = asdict(self), 4
        if self.faces is not None:
            min_score = fields["faces"].pop("min_score")
            if min_score is None:
                version = 3
            else:
                fields["faces"][_JSON_MIN_SCORE] = min_score
        else:
            version = 2
            del fields["faces"]
            if self.temperature == 1 and self.min_confidence == 0:
                version = 1
                del fields["temperature"], fields["min_confidence"]
        if self.background is None:
            del fields["background"]
        else:
            version = 5
        if self.adopted is None:
            del fields["adopted"]
        else:
            version = SPEC_VERSION
        ordered = {name: fields[name] for name in _JSON_ORDER if name in fields}
        return json.dumps({"version": version, **ordered}, indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes, *, origin: str) -> ModelSpec:
        """Read what `to_json` wrote.

        Args:
            text: The JSON text.
            origin: The file it came from, for the error message.

        Raises:
            SpecError: If the text is not a specification that this version understands.
        """
        try:
            fields = parse_json(text)
        except ValueError as error:
            raise _refuse(error, origin) from None
        return cls.from_fields(fields, origin=origin)

    @classmethod
    def from_fields(cls, fields: Any, *, origin: str) -> ModelSpec:
        """Read the value of the JSON that `to_json` wrote, as `from_json` does.

        Args:
            fields: The value; it is not changed.
            origin: The file it came from, for the error message.

        Raises:
            SpecError: If it is not a specification that this version understands.
        """
        try:
            return cls._from_fields(fields)
        except (ValueError, TypeError, KeyError, SpecError) as error:
            raise _refuse(error, origin) from None

    @classmethod
    def _from_fields(cls, fields: Any) -> ModelSpec:
        fields = require_fields(fields, _JSON_TYPES)
        version = fields.pop("version")
        if version not in range(1, SPEC_VERSION + 1):
            raise SpecError(
                f"specification version {version} is not among 1 to {SPEC_VERSION}; "
                "install the version of edgeemo that exported the model"
            )
        fields["labels"] = tuple(fields["labels"])
        names = dict.fromkeys(("edgeemo_version", "source_sha256", "date"), str)
        fields["provenance"] = Provenance(
            **require_fields(fields["provenance"], names, "provenance")
        )
        if fields.get("faces") is not None:
            from edgeemo.model.face_settings import parse_settings  # not every model detects faces

            faces = dict(require(fields["faces"], dict, "faces"))
            faces["min_score"] = faces.pop(_JSON_MIN_SCORE, None)
            fields["faces"] = parse_settings(faces)
        if fields.get("adopted") is not None:
            from edgeemo.model.adoption import parse_adoption  # few models are adopted

            fields["adopted"] = parse_adoption(fields["adopted"])
        return cls(**fields)


def _refuse(error: Exception, origin: str) -> SpecError:
    """Return the error of a specification, whose values may hold anything, as one line."""
    from edgeemo.utils.text import escape_controls

    reason = error if isinstance(error, SpecError) else f"not a model specification ({error})"
    return SpecError(f"{origin}: {escape_controls(reason)}")


def _has_controls(label: object) -> bool:
    if str(label).isprintable():
        return False
    from edgeemo.utils.text import has_controls  # nearly no label comes here

    return has_controls(str(label))
