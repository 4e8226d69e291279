"""From a trained Keras model to a model folder: copied verbatim, evaluated like any other."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from dataclasses import replace as changed
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo import __version__
from edgeemo.dataset import IngestOptions, check_data, ingest_folder, open_data
from edgeemo.errors import ModelFolderError
from edgeemo.model.file_kind import describe_useless, recognise
from edgeemo.model.folder import KERAS, ModelFolder
from edgeemo.model.keras import hash_reference_model, load_keras
from edgeemo.model.output_folder import build_folder, check_output_folder, make_timestamp
from edgeemo.model.scaling import make_scaling
from edgeemo.model.spec import Provenance
from edgeemo.train.data.pipeline import decode_splits
from edgeemo.train.find_doubt import find_doubt
from edgeemo.train.import_spec import check_channels, choose_head, read_spec
from edgeemo.train.model_folder import collect_versions, complete_folder
from edgeemo.train.report.inputs import FolderContents, ModelImport
from edgeemo.utils.extras import IMPORTING, require_packages
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from edgeemo.model.face_settings import FaceSettings
    from edgeemo.model.scaling import Head, Scaling
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
            offset, the pixel in 0 to 255. 1/255 for [0, 1]. One number, or one per channel.
        offset: Addend of that scaling, one or three; -1 with a scale of 1/127.5 for [-1, 1].
        bgr: Whether the model takes channels in the order blue, green, red, as OpenCV reads them;
            numbers per channel are in that order, too.
        head: Meaning of the outputs; "logit" for a model without its last sigmoid or softmax, which
            is added. None to tell by the last operations of the model, and to refuse others than
            probabilities.
        threshold: With two labels, the probability from which on the second is predicted.
        background: The label of images that belong to none of the others; None if there is none.
        accept: Formats to accept beyond JPEG, PNG and BMP, such as "webp".
        seed: Seed of the split.
        faces: Face detector and margin for photos, where the model takes crops of faces; None
            where it takes images whole.
    """

    labels: tuple[str, ...]
    scale: float | tuple[float, ...]
    offset: float | tuple[float, ...] = 0.0
    bgr: bool = False
    head: Head | None = None
    threshold: float = 0.5
    background: str | None = None
    accept: tuple[str, ...] = ()
    seed: int = 0
    faces: FaceSettings | None = None

    @property
    def scaling(self) -> Scaling:
        """Return the scaling.

        Raises:
            TrainingError: If no model can have it.
        """
        return make_scaling(self.scale, self.offset, bgr=self.bgr)


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
        TrainingError: If the model is not one image in, one probability per label out, or no model
            can have the scaling.
        DatasetError: If the data cannot be used.
        MissingExtraError: If a package of the `train` extra is not installed.
    """
    model = Path(model)
    out = Path(out)
    data = Path(data)
    progress = progress or Silent()
    scaling = options.scaling
    require_packages(IMPORTING, purpose="importing a model", extra="train")
    ingest = IngestOptions(
        accept=options.accept, labels=options.labels, may_lack_images=True, seed=options.seed
    )
    check_data(data, labels=options.labels, may_lack_images=True)
    check_output_folder(out, data=[data], replace=replace)
    make_timestamp()  # refuses a wrong SOURCE_DATE_EPOCH before the slow work
    name = _choose_name(model)
    progress.stage("Loading the model", total=None)
    loaded = load_keras(model)
    spec = read_spec(loaded, model, labels=options.labels, threshold=options.threshold)
    check_channels(spec, model, scaling)
    head = choose_head(loaded, model, spec, given=options.head)
    with open_data(data) as root, build_folder(out, replace=replace) as folder:
        spec = changed(
            spec,
            faces=options.faces,
            background=options.background,
            provenance=_copy(model, folder.file(name)),
        )
        dataset = ingest_folder(root, options=ingest, progress=progress)
        _note_missing(options.labels, dataset.labels, progress)
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
                    scaling=scaling,
                    head=head,
                    doubt=find_doubt(
                        loaded,
                        pixels,
                        spec=spec,
                        scaling=scaling,
                        head=head,
                        progress=progress,
                    ),
                    seed=options.seed,
                    accept=options.accept,
                ),
                versions=collect_versions(),
            )
            complete_folder(folder, contents, progress=progress)
    return ModelFolder(out)


def _note_missing(labels: tuple[str, ...], found: tuple[str, ...], progress: Progress) -> None:
    missing = [label for label in labels if label not in found]
    if missing:
        progress.note(
            f"note: no image of {', '.join(missing)}; accuracy is that on images of "
            f"{', '.join(found)}"
        )


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
