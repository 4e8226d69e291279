"""From a folder of pictures to a model folder."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace as changed
from typing import TYPE_CHECKING, Any, Literal

from edgeemo import __version__
from edgeemo.dataset import IngestOptions, ingest, opened_data
from edgeemo.errors import TrainingError
from edgeemo.files import sha256_file
from edgeemo.folder import KERAS, ModelFolder
from edgeemo.keras_model import import_keras
from edgeemo.progress import Silent
from edgeemo.spec import ModelSpec, Provenance
from edgeemo.train.architectures import architecture, build, check_size
from edgeemo.train.assemble import Work, complete, record
from edgeemo.train.fit import fit
from edgeemo.train.pipeline import decoded
from edgeemo.train.place import building, check_place, timestamp

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.dataset import Dataset
    from edgeemo.progress import Progress
    from edgeemo.train.fit import Fitted

_MAX_SIDE = 4096
_MAX_SEED = 2**32 - 1


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """How to train.

    Attributes:
        arch: A name of `edgeemo.train.ARCHITECTURES`.
        size: Height and width of the network's input in pixels; None for the architecture's own.
        channels: 1 (grey) or 3 (RGB).
        epochs: How often every training picture is seen; at least 1.
        batch_size: Pictures per step; at least 1.
        seed: Fixes the split, the first weights and the order of the pictures.
        labels: Classes in the order of the outputs; None for the data's own, sorted.
        accept: Formats beyond JPEG, PNG and BMP to take, such as "webp".
        threshold: With two classes, the probability from which on the second is answered.
    """

    arch: str = "cnn-16-32-16"
    size: int | None = None
    channels: Literal[1, 3] = 3
    epochs: int = 20
    batch_size: int = 32
    seed: int = 0
    labels: tuple[str, ...] | None = None
    accept: tuple[str, ...] = ()
    threshold: float = 0.5

    @property
    def side(self) -> int:
        """Height and width of the input, in pixels."""
        return architecture(self.arch).size if self.size is None else self.size

    def check(self) -> None:
        """Refuse what cannot work, before any slow work.

        Raises:
            TrainingError: If a value is out of its range.
        """
        check_size(self.arch, self.side)
        for name, value, low, high in (
            ("size", self.side, 1, _MAX_SIDE),
            ("epochs", self.epochs, 1, 1_000_000),
            ("batch size", self.batch_size, 1, 65_536),
            ("seed", self.seed, 0, _MAX_SEED),
        ):
            if not low <= value <= high:
                raise TrainingError(f"{name} must be {low:,} to {high:,}, not {value:,}")
        if self.channels not in (1, 3):
            raise TrainingError(f"channels must be 1 (grey) or 3 (RGB), not {self.channels}")
        if not 0 < self.threshold < 1:
            raise TrainingError(f"threshold must lie between 0 and 1, not {self.threshold}")


def train(
    data: Path,
    out: Path,
    *,
    options: TrainOptions | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> ModelFolder:
    """Train a network on a folder of pictures and write a whole model folder, or nothing.

    Ctrl-C after the first epoch keeps the best model so far. The same data, options, machine and
    versions give the same weights.

    Args:
        data: A folder with one sub-folder per class, or with train/validation/test inside; or a
            ``.zip`` of either.
        out: The model folder to make; its parents are made too.
        options: How to train.
        replace: Whether an existing model folder gives way; it stays until the new one is complete.
        progress: Is told of every stage.

    Returns:
        The model folder, at `out`.

    Raises:
        DatasetError: If the data cannot be used.
        ModelFolderError: If `out` exists and may not be replaced, or cannot be written.
        TrainingError: If the options make no sense or the training fails.
        MissingExtraError: If a package of the `train` extra is not installed.
    """
    options, progress = options or TrainOptions(), progress or Silent()
    options.check()
    prepared = IngestOptions(accept=options.accept, labels=options.labels, seed=options.seed)
    check_place(out, data=data, replace=replace)
    timestamp()  # refuses a wrong SOURCE_DATE_EPOCH before the slow work
    import_keras()
    with opened_data(data) as root, building(out, replace=replace) as folder:
        dataset = ingest(root, options=prepared, progress=progress)
        _train(folder, dataset, name=out.name, data=data, options=options, progress=progress)
    return ModelFolder(out)


def _train(
    folder: ModelFolder,
    dataset: Dataset,
    *,
    name: str,
    data: Path,
    options: TrainOptions,
    progress: Progress,
) -> None:
    spec = _spec(dataset.labels, options)
    with decoded(
        dataset.root, dataset.samples, spec=spec, folder=folder.path, progress=progress
    ) as pixels:
        if not len(pixels["train"]):
            raise TrainingError(f"{data}: no picture is left to train with; add pictures")
        model, fitted = fit(
            lambda: build(options.arch, input_shape=spec.input_shape, classes=len(spec.labels)),
            pixels["train"],
            pixels["validation"],
            spec=spec,
            epochs=options.epochs,
            batch_size=options.batch_size,
            seed=options.seed,
            progress=progress,
        )
        spec = changed(spec, provenance=_save(model, folder, options))
        work = Work(
            name=name,
            dataset=dataset,
            pixels=pixels,
            spec=spec,
            training={
                **record(dataset, spec, data=data, accept=options.accept, seed=options.seed),
                **_course(fitted, options),
            },
            fitted=fitted,
        )
        complete(folder, work, progress=progress)


def _spec(labels: tuple[str, ...], options: TrainOptions) -> ModelSpec:
    return ModelSpec(
        labels=labels,
        height=options.side,
        width=options.side,
        channels=options.channels,
        activation="sigmoid" if len(labels) == 2 else "softmax",
        threshold=options.threshold,
    )


def _save(model: Any, folder: ModelFolder, options: TrainOptions) -> Provenance:
    """Write the weights without the optimiser's, which would treble the file."""
    bare = build(
        options.arch, input_shape=model.input_shape[1:], classes=max(2, model.output_shape[-1])
    )
    bare.set_weights(model.get_weights())
    path = folder.file(KERAS)
    bare.save(path)
    return Provenance(
        edgeemo_version=__version__, source_sha256=sha256_file(path), date=timestamp()
    )


def _course(fitted: Fitted, options: TrainOptions) -> dict[str, Any]:
    return {
        "arch": options.arch,
        "epochs": options.epochs,
        "batch_size": options.batch_size,
        "epochs_run": len(fitted.history),
        "best_epoch": fitted.best_epoch,
        "interrupted": fitted.interrupted,
    }
