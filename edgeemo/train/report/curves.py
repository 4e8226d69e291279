"""The report's sections on how the model came about and what it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.report.document import Code, Section, Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.report.document import Block
    from edgeemo.train.report.content import TrainingReport


def training(report: TrainingReport) -> Section:
    """Its course, every option, and the versions it was made with."""
    blocks: list[Block] = [*(_elsewhere(report) if report.imported else _here(report))]
    versions = [[name, number] for name, number in report.training["versions"].items()]
    return Section(
        "The training", [*blocks, Table(["made with", "version"], versions, text_columns=2)]
    )


def layers(report: TrainingReport) -> Section:
    """Every layer of the network."""
    rows = [
        [
            layer.name,
            layer.kind,
            "×".join(str(side) for side in layer.output_shape) or "–",
            f"{layer.parameters:,}",
        ]
        for layer in report.layers
    ]
    rows.append(["all", "", "", f"{report.parameters:,}"])
    head = ["name", "kind", "output shape", "parameters"]
    return Section("Layers", [Table(head, rows, text_columns=2, has_total=True)])


def _elsewhere(report: TrainingReport) -> Iterator[Block]:
    scale, offset = report.training["scale"], report.training["offset"]
    shift = f" {'−' if offset < 0 else '+'} {abs(offset):g}" if offset else ""
    yield Text(
        f"Not edgeemo's: the model was imported. It takes pixel × {scale:.9g}{shift}.",
    )


def _here(report: TrainingReport) -> Iterator[Block]:
    done = report.training
    how = "interrupted after" if done["interrupted"] else "ran"
    early = ", then stopped: it no longer got better" if done["stopped_early"] else ""
    judge = "test" if done["validates_on_test"] else "validation"
    judge = judge if report.validation.n else "training"
    yield Text(
        f"It {how} {done['epochs_run']} of {done['epochs']} epochs{early}; the weights of epoch "
        f"{done['best_epoch']} were kept (least {judge} loss)."
    )
    yield from report.shown("curves", "metrics")
    yield Text("Every option; ", Code("config.toml"), " holds the same:")
    yield Table(
        ["option", "value"],
        [[name, _value(value)] for name, value in report.config.items()],
        text_columns=2,
    )


def _value(value: Any) -> str:
    """Return an option's value for a table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "–"
    return str(value) if value != "" else "–"
