"""The model folder, which train, export, verify and the runtime share.

``train`` makes it whole and renames it into place; ``export`` and ``verify`` add to it file by
file, each renamed into place. A file counts as verified as long as its SHA-256 is one that passed
according to ``verify.json``. Standard library only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ModelFolderError
from edgeemo.model.default import Default, parse_default
from edgeemo.model.spec import ModelSpec
from edgeemo.model.verified import is_verified
from edgeemo.utils.files import sha256_file, write_file
from edgeemo.utils.serialize import to_plain
from edgeemo.utils.strict_json import parse_json

if TYPE_CHECKING:
    from edgeemo.model.tables import ReferencePrediction, Sample
    from edgeemo.model.training_facts import TrainingFacts
    from edgeemo.utils.paths import StrPath

KERAS = "model.keras"
SPEC = "spec.json"
TRAINING = "training.json"
CONFIG = "config.toml"
SPLIT = "split.csv"
REJECTED = "rejected.csv"
HISTORY = "history.csv"
REFERENCE = "reference.csv"
REPORT_JSON = "report.json"
REPORT_MD = "report.md"
REPORT_HTML = "report.html"
PLOTS = "plots"
CALIBRATION = "calibration.csv"
EXPORT = "export.json"
VERIFY_MD = "verify.md"
VERIFY_PNG = "verify.png"
DEFAULT = "default.json"
BENCH_JSON = "bench.json"
BENCH_PNG = "bench.png"
ADOPTED_JSON = "adopted.json"

SHIPPED = "happy-sad"
"""Name of the shipped model that predicts where there is no other."""

SHIPPED_MODELS = (SHIPPED, "emotions")
"""Names of the shipped models."""

_WEIGHTS = Path("weights", "happy-neither-sad.keras")

EXPORTED = (
    "float32.tflite",
    "float16.tflite",
    "dynamic.tflite",
    "int8.tflite",
    "float32.onnx",
    "int8.onnx",
)
"""Every file that export can write, in the order in which they are shown."""


@dataclass(frozen=True)
class ModelFolder:
    """A model folder.

    The constructor reads nothing and checks nothing; `open_folder` does.

    Attributes:
        path: Path of the folder.
    """

    path: Path

    def __fspath__(self) -> str:
        """Return the path, so that a model folder can be given wherever one is needed."""
        return str(self.path)

    @property
    def is_shipped(self) -> bool:
        """Return whether it is a shipped model, which was not trained here."""
        path = self.path.resolve()
        return any(path == shipped_folder(name).path.resolve() for name in SHIPPED_MODELS)

    def file(self, name: str) -> Path:
        """Return the path of a file in the folder, whether it exists or not."""
        return self.path / name

    def require(self, name: str, *, remedy: str) -> Path:
        """Return the path of a file that must exist.

        Args:
            name: Name of the file.
            remedy: What to do if it does not exist, for the message.

        Raises:
            ModelFolderError: If it does not exist.
        """
        path = self.path / name
        if not path.exists():
            raise ModelFolderError(f"{self.path}: {name} is missing; {remedy}")
        return path

    def read_spec(self) -> ModelSpec:
        """Return the spec of the model as trained.

        Raises:
            ModelFolderError: If the file is missing.
            SpecError: If it is malformed.
        """
        path = self.require(SPEC, remedy="train or import the model again")
        return ModelSpec.from_json(path.read_bytes(), origin=str(path))

    def refuse_adopted(self) -> None:
        """Refuse a folder of an adopted file, where the reference model is needed.

        Raises:
            ModelFolderError: If it is one.
        """
        if self.file(ADOPTED_JSON).exists():
            raise ModelFolderError(
                f"{self.path}: adopted, so there is no reference model, and nothing to compare it "
                f"with; 'edgeemo evaluate {self.path} --data ...' measures it on labelled images"
            )

    def read_samples(self) -> list[Sample]:
        """Return every image of the three splits, as ``split.csv`` lists them."""
        from edgeemo.model.tables import read_samples

        return read_samples(self.require(SPLIT, remedy="train or import the model again"))

    def read_references(self) -> list[ReferencePrediction]:
        """Return the predictions of the reference model on the test split."""
        from edgeemo.model.tables import read_references

        path = self.require(REFERENCE, remedy="train or import the model again")
        return read_references(path)

    def read_training(self) -> TrainingFacts:
        """Return what ``training.json`` says of the training, as far as others need it."""
        from edgeemo.model.training_facts import parse_training

        recorded = self.read_json(TRAINING)
        try:
            return parse_training(recorded)
        except ValueError as error:
            raise ModelFolderError(
                f"{self.file(TRAINING)}: malformed ({error}); train or import again"
            ) from None

    def read_json(self, name: str) -> dict[str, Any]:
        """Return the content of a JSON file of the folder, or {} if it does not exist.

        Raises:
            ModelFolderError: If the file is not a JSON object.
        """
        path = self.path / name
        if not path.exists():
            return {}
        try:
            content = parse_json(path.read_bytes())
        except ValueError as error:
            raise ModelFolderError(f"{path}: not JSON ({error}); make it again") from None
        if not isinstance(content, dict):
            raise ModelFolderError(f"{path}: not a JSON object; make it again")
        return content

    def write_json(self, name: str, content: Any) -> Path:
        """Write a value that `edgeemo.utils.serialize.to_plain` takes, whole or not at all."""
        return write_file(self.path / name, to_json(content))

    def list_exported(self) -> list[Path]:
        """Return the existing exported files, in the order of `EXPORTED`."""
        return [self.path / name for name in EXPORTED if (self.path / name).exists()]

    def choose_default_file(self) -> Path:
        """Return the file of `choose_default`."""
        return self.choose_default().file

    def choose_default(self) -> Default:
        """Return the recorded default, else int8.tflite if it is verified, else float32.

        Raises:
            ModelFolderError: If nothing was exported yet, or the recorded default is malformed or
                its file is missing.
        """
        recorded = self.read_default()
        if recorded:
            self.require(recorded.file.name, remedy=f"export again, or delete {DEFAULT}")
            return recorded
        return Default(self._choose_unrecorded())

    def read_default(self) -> Default | None:
        """Return the default of ``default.json``, whether its file exists or not; None without one.

        Raises:
            ModelFolderError: If it is malformed.
        """
        recorded = self.read_json(DEFAULT)
        if not recorded:
            return None
        return parse_default(recorded, self.file(DEFAULT))

    def choose_threads(self, name: str) -> int:
        """Return the threads of the recorded default if this is its file, else 1.

        Raises:
            ModelFolderError: If ``default.json`` is malformed.
        """
        recorded = self.read_default()
        return recorded.threads if recorded and recorded.file.name == name else 1

    def _choose_unrecorded(self) -> Path:
        int8 = self.path / "int8.tflite"
        if int8.exists() and is_verified(int8, sha256=sha256_file(int8)):
            return int8
        for name in ("float32.tflite", "float32.onnx"):
            if (self.path / name).exists():
                return self.path / name
        raise ModelFolderError(
            f"{self.path}: no exported model to run; run 'edgeemo export {self.path}'"
        )


def open_folder(path: StrPath) -> ModelFolder:
    """Return the model folder at a path.

    Raises:
        ModelFolderError: If there is no such folder.
    """
    path = Path(path)
    if is_shipped_name(path):
        raise ModelFolderError(
            f"{path} is shipped without its reference model and images, so it can neither be "
            "exported nor verified again; name a model folder of yours"
        )
    if not path.is_dir():
        raise ModelFolderError(f"{path}: no such model folder; 'edgeemo train' makes one")
    return ModelFolder(path)


def find_exported_file(model: StrPath) -> Path:
    """Return the exported file that a model folder or a shipped model has as its default.

    Args:
        model: A model folder, the name of a shipped model, or an exported file, which is returned
            as it is.

    Raises:
        ModelFolderError: If nothing was exported yet, or the default cannot be used.
    """
    path = Path(model)
    if is_shipped_name(path):
        return shipped_folder(str(path)).choose_default_file()
    return ModelFolder(path).choose_default_file() if path.is_dir() else path


def find_newest_folder(models: Path) -> ModelFolder:
    """Return the model folder under `models` that was trained or imported last.

    Shipped models are skipped, and adopted ones, which have no reference model.

    Raises:
        ModelFolderError: If there is none.
    """
    found = [path.parent for path in models.glob(f"*/{SPEC}") if path.parent.name[0] != "."]
    trained = [
        path
        for path in found
        if not ModelFolder(path).is_shipped and not (path / ADOPTED_JSON).exists()
    ]
    if not trained:
        raise ModelFolderError(f"{models}: no model here; run 'edgeemo train' first, or name one")
    return ModelFolder(max(trained, key=lambda path: (path / SPEC).stat().st_mtime_ns))


def is_shipped_name(path: Path) -> bool:
    """Return whether a path is the name of a shipped model, and of no file or folder."""
    return str(path) in SHIPPED_MODELS and not path.exists()


def shipped_folder(name: str = SHIPPED) -> ModelFolder:
    """Return a shipped model: happy against sad, or eight emotions, on faces.

    It has exported files and their verification, but no reference model, no split and no report.
    A wheel holds a copy in the package; a checkout has it in ``models/``.

    Args:
        name: One of `SHIPPED_MODELS`.
    """
    package = Path(__file__).parent.parent
    packaged = package / "shipped" / name
    return ModelFolder(packaged if packaged.is_dir() else package.parent / "models" / name)


def shipped_weights() -> Path:
    """Return the Keras file behind the shipped model: happy, neither of them, sad; 48x48, grey.

    A training starts from it. A wheel holds a copy in the package.
    """
    package = Path(__file__).parent.parent
    packaged = package / "shipped" / _WEIGHTS
    return packaged if packaged.is_file() else package.parent / "models" / _WEIGHTS


def to_json(content: Any) -> str:
    """Return JSON text as the model folder holds it; NaN is refused."""
    return json.dumps(to_plain(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
