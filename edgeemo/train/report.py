"""The report on a trained or imported model: the same content as JSON and as a page to read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edgeemo.metrics import Averages, Classification, Interval
    from edgeemo.spec import ModelSpec
    from edgeemo.train.layers import LayerRow


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that ``report.json`` and ``report.md`` say.

    Attributes:
        name: The model folder's name.
        spec: How the model is fed and read.
        training: What ``training.json`` holds.
        layers: The model's own layers.
        counts: Split to label to number of pictures.
        set_aside: Reason to number of files that were set aside.
        test: How good the answers on the test split are.
        validation: The same on the validation split.
        warnings: What the figures do not show, in words.
        plots: The PNG files' paths relative to the model folder.
    """

    name: str
    spec: ModelSpec
    training: Mapping[str, Any]
    layers: Sequence[LayerRow]
    counts: Mapping[str, Mapping[str, int]]
    set_aside: Mapping[str, int]
    test: Classification
    validation: Classification
    warnings: Sequence[str] = ()
    plots: Sequence[str] = field(default=())

    @property
    def parameters(self) -> int:
        """Number of the model's weights."""
        return sum(layer.parameters for layer in self.layers)

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
            "test": self.test.to_dict(),
            "validation": self.validation.to_dict(),
            "warnings": list(self.warnings),
            "plots": list(self.plots),
        }

    def to_markdown(self) -> str:
        """The content of ``report.md``."""
        sections = [
            self._head(),
            _warnings(self.warnings),
            _answers(self.test, self.validation, imported=self.training["arch"] == "imported"),
            _pictures("Its answers", self.plots, ("confusion", "predictions")),
            _data(self.counts, self.set_aside, self.training),
            _pictures("The pictures", self.plots, ("classes", "samples")),
            _training(self.training),
            _pictures("The training", self.plots, ("curves",)),
            _layers(self.layers, self.parameters),
        ]
        return "\n\n".join(section for section in sections if section) + "\n"

    def _head(self) -> str:
        height, width, channels = self.spec.input_shape
        colour = "grey" if channels == 1 else "RGB"
        labels = ", ".join(self.spec.labels)
        rule = (
            f"{self.spec.labels[1]} from a probability of {self.spec.threshold:g} on"
            if len(self.spec.labels) == 2
            else "the most probable"
        )
        return (
            f"# {self.name}\n\n"
            f"A classifier of {labels} ({rule}): {self.training['arch']}, "
            f"{self.parameters:,} parameters, pictures of {width}×{height} {colour}.\n\n"
            f"**Accuracy on {self.test.n:,} test pictures: {self.test.accuracy}.** In brackets, "
            "here and below: the 95 % interval, where the true value lies in 95 of 100 such tests."
        )


def _warnings(warnings: Sequence[str]) -> str:
    if not warnings:
        return ""
    return "## Mind\n\n" + "\n".join(f"- {warning}" for warning in warnings)


def _answers(test: Classification, validation: Classification, *, imported: bool) -> str:
    overall: list[list[Any]] = [
        ["accuracy", test.accuracy, test.accuracy.n],
        ["precision, mean of the classes", test.macro.precision, test.n],
        ["recall, mean of the classes", test.macro.recall, test.n],
        ["F1, mean of the classes", test.macro.f1, test.n],
        ["AUC (area under the ROC curve)", test.auc or "undefined", test.n],
    ]
    per_class = [
        [label, *_with_n(each), f"{each.support:,}"] for label, each in test.per_class.items()
    ]
    chosen = "" if imported else ", which chose the epoch and so flatters a little"
    return "\n\n".join(
        [
            "## Its answers on the test split",
            _table(["", "value (95 % interval)", "n"], overall),
            _table(["class", "precision", "recall", "F1", "pictures"], per_class),
            "Precision: the share of the answers for a class that are right. Recall: the share of "
            "a class's pictures that are found. F1: their harmonic mean.",
            _confusion(test),
            f"On the validation split{chosen}: accuracy {validation.accuracy}, "
            f"n = {validation.n:,}.",
        ]
    )


def _with_n(each: Averages) -> list[str]:
    return [_interval(value) for value in (each.precision, each.recall, each.f1)]


def _interval(value: Interval) -> str:
    return f"{value}, n = {value.n:,}"


def _confusion(report: Classification) -> str:
    labels = list(report.per_class)
    rows = [
        [f"truly {label}", *(f"{count:,}" for count in counts)]
        for label, counts in zip(labels, report.confusion, strict=True)
    ]
    return _table(["", *(f"answered {label}" for label in labels)], rows)


def _data(
    counts: Mapping[str, Mapping[str, int]],
    set_aside: Mapping[str, int],
    training: Mapping[str, Any],
) -> str:
    labels = list(next(iter(counts.values())))
    rows = [
        [split, *(f"{each[label]:,}" for label in labels), f"{sum(each.values()):,}"]
        for split, each in counts.items()
    ]
    aside = ", ".join(f"{number:,} {reason}" for reason, number in set_aside.items())
    sentences = [
        f"Set aside: {aside} (`rejected.csv` names each)." if aside else "Set aside: nothing.",
        *_ingest(training["ingest"]),
    ]
    return "\n\n".join(
        [
            "## The data",
            f"From `{training['data']}`; `split.csv` lists every picture.",
            _table(["split", *labels, "all"], rows),
            " ".join(sentences),
        ]
    )


def _ingest(summary: Mapping[str, Any]) -> Iterator[str]:
    if summary["near_duplicates"]:
        yield (
            f"{summary['near_duplicates']:,} pictures are near-duplicates, in "
            f"{summary['near_duplicate_groups']:,} groups; no group straddles a split."
        )
    if summary["brought_splits"]:
        yield "The folder brought its own splits."
    for pair, count in summary["leaks"].items():
        left, kept = pair.split("/")
        if count:
            yield f"{count:,} pictures left {left} because {kept} holds the same, or nearly."


def _training(training: Mapping[str, Any]) -> str:
    if training["arch"] == "imported":
        scale, offset = training["scale"], training["offset"]
        shift = f" {'−' if offset < 0 else '+'} {abs(offset):g}" if offset else ""
        return (
            "## The training\n\nNot edgeemo's: the model was imported. It takes pixel × "
            f"{scale:.9g}{shift}."
        )
    versions = ", ".join(f"{name} {number}" for name, number in training["versions"].items())
    return (
        f"## The training\n\n{training['epochs_run']} of {training['epochs']} epochs, the weights "
        f"of epoch {training['best_epoch']} kept (least validation loss); Adam, "
        f"batches of {training['batch_size']}, seed {training['seed']}. {versions}."
    )


def _layers(layers: Sequence[LayerRow], parameters: int) -> str:
    rows = [
        [
            layer.name,
            layer.kind,
            "×".join(str(side) for side in layer.output_shape) or "–",
            f"{layer.parameters:,}",
        ]
        for layer in layers
    ]
    rows.append(["**all**", "", "", f"**{parameters:,}**"])
    return "## Layers\n\n" + _table(["name", "kind", "output shape", "parameters"], rows, words=2)


def _pictures(title: str, plots: Sequence[str], names: Sequence[str]) -> str:
    found = [plot for plot in plots if plot.endswith(tuple(f"/{name}.png" for name in names))]
    return "\n\n".join(f"![{title}]({plot})" for plot in found)


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]], *, words: int = 1) -> str:
    """A Markdown table; its first `words` columns are text, the others numbers."""
    lines = [head, ["---"] * words + ["---:"] * (len(head) - words), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )
