"""What there is to report, and its forms."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from edgeemo.report.document import Gallery
from edgeemo.train.options.options import NAMES
from edgeemo.utils.serialize import to_plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeemo.metrics import ClassificationReport
    from edgeemo.model.spec import ModelSpec
    from edgeemo.report.document import Plot
    from edgeemo.train.networks.summary import LayerRow
    from edgeemo.train.report.confidence import Certainty
    from edgeemo.train.report.evaluation import Mistake


@dataclass(frozen=True, kw_only=True)
class TrainingReport:
    """Everything that ``report.json``, ``report.md`` and ``report.html`` say.

    Attributes:
        name: The model folder's name.
        spec: How the model is fed and read.
        training: What ``training.json`` holds.
        layers: The model's own layers.
        counts: Split to label to number of images.
        set_aside: Reason to number of files that were set aside.
        test: How good the answers on the test split are.
        validation: The same on the validation split.
        certainty: What its confidence is worth on the test split.
        mistakes: The wrong answers on the test split, the most confident first; of many, the first.
        warnings: What the figures do not show, in words.
        images: Plots and galleries by name: "curves", "metrics", "confusion", "reliability",
            "mistakes", "predictions", "classes", "samples", "augmented"; some may be absent.
    """

    name: str
    spec: ModelSpec
    training: Mapping[str, Any]
    layers: Sequence[LayerRow]
    counts: Mapping[str, Mapping[str, int]]
    set_aside: Mapping[str, int]
    test: ClassificationReport
    validation: ClassificationReport
    certainty: Certainty
    mistakes: Sequence[Mistake]
    warnings: Sequence[str]
    images: Mapping[str, Plot | Gallery]

    @property
    def parameters(self) -> int:
        """Number of the model's weights."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def imported(self) -> bool:
        """Whether the model was trained elsewhere."""
        return bool(self.training["arch"] == "imported")

    @property
    def config(self) -> dict[str, Any]:
        """Every option that the training used, by name; none for an imported model."""
        if self.imported:
            return {}
        return {name: self.training[name] for name in NAMES if name in self.training}

    def shown(self, *names: str) -> list[Plot | Gallery]:
        """Those of the named images that there are."""
        return [self.images[name] for name in names if name in self.images]

    def to_dict(self) -> dict[str, Any]:
        """The content of ``report.json``."""
        return {
            "name": self.name,
            "model": {
                "architecture": self.training["arch"],
                "input_shape": list(self.spec.input_shape),
                "output_count": self.spec.output_count,
                "activation": self.spec.activation,
                "labels": list(self.spec.labels),
                "threshold": self.spec.threshold,
                "parameters": self.parameters,
                "layers": [asdict(layer) for layer in self.layers],
            },
            "data": {
                "source": self.training["data"],
                "counts": {split: dict(each) for split, each in self.counts.items()},
                "set_aside": dict(self.set_aside),
                "ingest": self.training["ingest"],
            },
            "test": to_plain(self.test),
            "validation": to_plain(self.validation),
            "confidence": {
                "test": self.certainty.to_dict(),
                "validation": self.training.get("confidence"),
            },
            "mistakes": [asdict(mistake) for mistake in self.mistakes],
            "warnings": list(self.warnings),
            "config": self.config,
            "plots": [
                plot.path
                for image in self.images.values()
                if (plot := image.sheet if isinstance(image, Gallery) else image)
            ],
        }
