"""From a trained Keras model to a model folder: copied verbatim, evaluated like any other."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass
from dataclasses import replace as changed
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from edgeemo import __version__
from edgeemo.dataset import IngestOptions, check_data, ingest_folder, open_data
from edgeemo.errors import ModelFolderError, TrainingError
from edgeemo.model.file_kind import describe_useless, recognise
from edgeemo.model.folder import KERAS, ModelFolder
from edgeemo.model.keras import hash_reference_model, load_keras
from edgeemo.model.output_folder import build_folder, check_output_folder, make_timestamp
from edgeemo.model.spec import ModelSpec, Provenance
from edgeemo.train.data.pipeline import decode_splits
from edgeemo.train.model_folder import collect_versions, complete_folder
from edgeemo.train.report.inputs import FolderContents, ModelImport
from edgeemo.utils.extras import IMPORTING, require_packages
from edgeemo.utils.progress import Silent
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.model.face_settings import FaceSettings
    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress

_HDF5_SUFFIXES = (".h5", ".hdf5")
_NAMES = {"keras": KERAS, "h5": "model.h5"}
_SAVED_MODEL = "model.savedmodel"


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """The properties of a Keras model that its file does not name, and how its images are split.

    Attributes:
        labels: Class labels in the order of the outputs. With one output, it is the probability
            of the second label.
        scale: Factor of the scaling that the model was trained with: it takes pixel x scale +
            offset, the pixel in 0 to 255. 1/255 for [0, 1].
        offset: Addend of that scaling; -1 with a scale of 1/127.5 for [-1, 1].
        threshold: With two labels, the probability from which on the second is predicted.
        background: The label of images that belong to none of the others; None if there is none.
        accept: Formats to accept beyond JPEG, PNG and BMP, such as "webp".
        seed: Seed of the split.
        faces: Face detector and margin for photos, where the model takes crops of faces; None
            where it takes images whole.
    """

    labels: tuple[str, ...]
    scale: float
    offset: float = 0.0
    threshold: float = 0.5
    background: str | None = None
    accept: tuple[str, ...] = ()
    seed: int = 0
    faces: FaceSettings | None = None

    def check(self) -> None:
        """Refuse a scaling that no model can have.

        Raises:
            TrainingError: If the scale is not a number above 0, or the offset not a number.
        """
        scale, offset = self.scale, self.offset
        if not (math.isfinite(scale) and scale > 0 and math.isfinite(offset)):
            raise TrainingError(
                f"a scaling by {scale} with offset {offset} is not possible; "
                "for a model that takes [0, 1], give --scale 1/255"
            )


def import_keras_model(
    model: StrPath,
    out: StrPath,
    *,
    data: StrPath,
    options: ImportOptions,
    replace: bool = False,
    progress: Progress | None = None,
) -> ModelFolder:
    """Make a model folder of a trained Keras model.

    Args:
        model: A ``.keras`` or ``.h5`` file or a SavedModel folder: one image in, probabilities
            out. It is copied as it is.
        out: The model folder to make; its parents are made too.
        data: Images to calibrate on and to test with, as `edgeemo.train.train` takes them. Which
            of them the model was trained on is unknown: use a ``test`` folder that it was not
            trained on, or the accuracy is overestimated.
        options: Properties of the model, and how the images are split.
        replace: Whether to replace an existing model folder.
        progress: Receives every stage.

    Returns:
        The model folder, at `out`.

    Raises:
        ModelFolderError: If the model does not load, or `out` exists or cannot be written.
        TrainingError: If the model is not one image in, one probability per label out.
        DatasetError: If the data cannot be used.
        MissingExtraError: If a package of the `train` extra is not installed.
    """
    model = Path(model)
    out = Path(out)
    data = Path(data)
    progress = progress or Silent()
    options.check()
    require_packages(IMPORTING, purpose="importing a model", extra="train")
    ingest = IngestOptions(accept=options.accept, labels=options.labels, seed=options.seed)
    check_data(data, labels=options.labels)
    check_output_folder(out, data=[data], replace=replace)
    make_timestamp()  # refuses a wrong SOURCE_DATE_EPOCH before the slow work
    name = _choose_name(model)
    progress.stage("Loading the model", total=None)
    spec = read_spec(load_keras(model), model, labels=options.labels, threshold=options.threshold)
    with open_data(data) as root, build_folder(out, replace=replace) as folder:
        spec = changed(
            spec,
            faces=options.faces,
            background=options.background,
            provenance=_copy(model, folder.file(name)),
        )
        dataset = ingest_folder(root, options=ingest, progress=progress)
        with decode_splits(
            dataset.root, dataset.samples, spec=spec, folder=folder.path, progress=progress
        ) as pixels:
            contents = FolderContents(
                out=out,
                data=data,
                dataset=dataset,
                pixels=pixels,
                spec=spec,
                origin=ModelImport(
                    source=model.name,
                    scale=options.scale,
                    offset=options.offset,
                    seed=options.seed,
                    accept=options.accept,
                ),
                versions=collect_versions(),
            )
            complete_folder(folder, contents, progress=progress)
    return ModelFolder(out)


def read_spec(model: Any, path: Path, *, labels: tuple[str, ...], threshold: float) -> ModelSpec:
    """Return the spec of a Keras model.

    Args:
        model: The loaded model.
        path: Its file or folder, for messages.
        labels: Class labels in the order of the outputs.
        threshold: With two labels, the probability from which on the second is predicted.

    Raises:
        TrainingError: If the model is not one image in, one probability per label out.
        SpecError: If labels or threshold are invalid.
    """
    height, width, channels = _input_shape(model, path)
    outputs = _output_count(model, path)
    expected = 2 if outputs == 1 else outputs
    if len(labels) != expected:
        raise TrainingError(
            f"{path}: {plural(outputs, 'output takes', 'outputs take')} {expected} labels, but "
            f"{len(labels)} are given ({', '.join(labels)}); name one per class, in order"
        )
    return ModelSpec(
        labels=labels,
        height=height,
        width=width,
        channels=channels,
        activation="sigmoid" if outputs == 1 else "softmax",
        threshold=threshold,
    )


def _input_shape(model: Any, path: Path) -> tuple[int, int, Literal[1, 3]]:
    tensors = _tensors(model, "inputs", path)
    shape = tuple(tensors[0].shape)[1:]
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise TrainingError(
            f"{path}: takes {_format_shape(shape)}; an image of height × width × 1 or 3 is needed"
        )
    if None in shape:
        raise TrainingError(
            f"{path}: takes images of any size ({_format_shape(shape)}); save it with a fixed "
            "size, as keras.Input((H, W, C)) does"
        )
    kind = str(tensors[0].dtype)
    if "float" not in kind:
        raise TrainingError(f"{path}: takes {kind}; give it a float32 input and name its --scale")
    return shape


def _output_count(model: Any, path: Path) -> int:
    shape = tuple(_tensors(model, "outputs", path)[0].shape)[1:]
    if len(shape) != 1 or not shape[0]:
        raise TrainingError(
            f"{path}: gives {_format_shape(shape)}; one probability per class is needed"
        )
    return int(shape[0])


def _tensors(model: Any, side: Literal["inputs", "outputs"], path: Path) -> list[Any]:
    try:
        tensors = list(getattr(model, side))
    except (AttributeError, ValueError, TypeError):
        raise TrainingError(
            f"{path}: its input size is not fixed; start the model with keras.Input((H, W, C)) "
            "and save it again"
        ) from None
    if len(tensors) != 1:
        raise TrainingError(f"{path}: has {len(tensors)} {side}; exactly one is needed")
    return tensors


def _format_shape(shape: Sequence[int | None]) -> str:
    return "×".join("?" if side is None else str(side) for side in shape) or "a single number"


def _choose_name(model: Path) -> str:
    """Return the name of the model in its folder.

    Raises:
        ModelFolderError: If there is no such model, or it is of no known kind.
    """
    if not model.exists():
        raise ModelFolderError(f"{model}: no such model")
    if model.is_dir():
        if not (model / "saved_model.pb").is_file():
            raise ModelFolderError(f"{model}: not a SavedModel (it has no saved_model.pb)")
        return _SAVED_MODEL
    kind = recognise(model)
    if kind in _NAMES:
        return _NAMES[kind]
    if useless := describe_useless(model):
        raise ModelFolderError(f"{model}: {useless}")
    suffix = model.suffix.lower()
    if kind is None and suffix in _HDF5_SUFFIXES:
        return _NAMES["h5"]  # Keras says what is wrong with it
    if kind in (None, "zip", "empty") and suffix == ".keras":
        raise ModelFolderError(f"{model}: not a .keras file, or cut short; save the model again")
    raise ModelFolderError(
        f"{model}: not a .keras or .h5 file or a SavedModel folder; save the model as .keras"
    )


def _copy(model: Path, place: Path) -> Provenance:
    """Copy the model as it is, and return its provenance."""
    if model.is_dir():
        shutil.copytree(model, place)
    else:
        shutil.copyfile(model, place)
    return Provenance(
        edgeemo_version=__version__,
        source_sha256=hash_reference_model(place),
        date=make_timestamp(),
    )
