"""The model folder: the one thing that train, export, verify and the runtime share.

``train`` makes it whole and renames it into place; ``export`` and ``verify`` add to it file by
file, each renamed into place. A file counts as verified only while its SHA-256 is the one that
``verify.json`` says has passed. Standard library only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeemo.errors import ModelFolderError
from edgeemo.model.spec import ModelSpec
from edgeemo.model.tables import Reference, Sample, read_references, read_samples
from edgeemo.model.verified import is_verified
from edgeemo.utils.files import sha256_file, write_file
from edgeemo.utils.serialize import to_plain

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

SHIPPED = "happy-sad"
"""Name of the model that comes with edgeemo."""

_DEFAULT_REMEDY = "delete it, or let 'edgeemo bench --pick' choose"

EXPORTED = (
    "float32.tflite",
    "float16.tflite",
    "dynamic.tflite",
    "int8.tflite",
    "float32.onnx",
    "int8.onnx",
)
"""Every file that export can make, in the order in which they are shown."""


@dataclass(frozen=True)
class Default:
    """What a model folder answers with.

    Attributes:
        file: The exported file.
        threads: Threads per answer.
    """

    file: Path
    threads: int = 1


@dataclass(frozen=True)
class ModelFolder:
    """A model folder at `path`. Constructing one touches nothing; see `open_folder`."""

    path: Path

    @property
    def ships(self) -> bool:
        """Whether it is the model that comes with edgeemo, which nobody trained here."""
        return self.path.resolve() == shipped_folder().path.resolve()

    def file(self, name: str) -> Path:
        """Path of a file inside, whether it exists or not."""
        return self.path / name

    def require(self, name: str, *, remedy: str) -> Path:
        """Path of a file that must exist.

        Raises:
            ModelFolderError: If it does not; `remedy` says what to do about it.
        """
        path = self.path / name
        if not path.exists():
            raise ModelFolderError(f"{self.path}: {name} is missing; {remedy}")
        return path

    def spec(self) -> ModelSpec:
        """The spec of the model as trained.

        Raises:
            ModelFolderError: If the file is missing.
            SpecError: If it is malformed.
        """
        path = self.require(SPEC, remedy="train or import the model again")
        return ModelSpec.from_json(path.read_bytes(), origin=str(path))

    def samples(self) -> list[Sample]:
        """Every image of the three splits, as ``split.csv`` lists them."""
        return read_samples(self.require(SPLIT, remedy="train or import the model again"))

    def references(self) -> list[Reference]:
        """The original's answers on the test split."""
        path = self.require(REFERENCE, remedy="train or import the model again")
        return read_references(path)

    def data(self) -> Path | None:
        """Where the images lay when the model was trained, if the folder says so."""
        recorded = self.read_json(TRAINING).get("data")
        return Path(recorded) if recorded else None

    def read_json(self, name: str) -> dict[str, Any]:
        """A JSON file of the folder, or {} where it does not exist.

        Raises:
            ModelFolderError: If the file is not a JSON object.
        """
        path = self.path / name
        if not path.exists():
            return {}
        try:
            content = json.loads(path.read_bytes())
        except ValueError as error:
            raise ModelFolderError(f"{path}: not JSON ({error}); make it again") from None
        if not isinstance(content, dict):
            raise ModelFolderError(f"{path}: not a JSON object; make it again")
        return content

    def write_json(self, name: str, content: Any) -> Path:
        """Write a value that `edgeemo.utils.serialize.to_plain` takes, whole or not at all."""
        return write_file(self.path / name, to_json(content))

    def exported(self) -> list[Path]:
        """The exported files that are there, in the order of `EXPORTED`."""
        return [self.path / name for name in EXPORTED if (self.path / name).exists()]

    def default_file(self) -> Path:
        """The file of `default`."""
        return self.default().file

    def default(self) -> Default:
        """What to predict with: the recorded default, else int8.tflite, else float32.

        int8.tflite is taken only if it is verified.

        Raises:
            ModelFolderError: If nothing was exported yet, or the recorded default is malformed or
                its file is missing.
        """
        recorded = self.recorded_default()
        if recorded:
            self.require(recorded.file.name, remedy=f"export again, or delete {DEFAULT}")
            return recorded
        return Default(self._usual_file())

    def recorded_default(self) -> Default | None:
        """What ``default.json`` says, whether its file is there or not.

        Raises:
            ModelFolderError: If it is malformed.
        """
        recorded = self.read_json(DEFAULT)
        if not recorded:
            return None
        name, threads = recorded.get("file"), recorded.get("threads", 1)
        if not (isinstance(name, str) and name and Path(name).name == name):
            raise ModelFolderError(f"{self.file(DEFAULT)}: names no file; {_DEFAULT_REMEDY}")
        if type(threads) is not int or threads < 1:
            raise ModelFolderError(
                f"{self.file(DEFAULT)}: threads must be 1 or more, not {threads!r}; "
                f"{_DEFAULT_REMEDY}"
            )
        return Default(self.path / name, threads)

    def threads_for(self, name: str) -> int:
        """Threads to answer with: those recorded if this is the recorded default's file, else 1.

        Raises:
            ModelFolderError: If ``default.json`` is malformed.
        """
        recorded = self.recorded_default()
        return recorded.threads if recorded and recorded.file.name == name else 1

    def _usual_file(self) -> Path:
        int8 = self.path / "int8.tflite"
        if int8.exists() and is_verified(int8, sha256=sha256_file(int8)):
            return int8
        for name in ("float32.tflite", "float32.onnx"):
            if (self.path / name).exists():
                return self.path / name
        raise ModelFolderError(
            f"{self.path}: no exported model to run; run 'edgeemo export {self.path}'"
        )


def open_folder(path: str | Path) -> ModelFolder:
    """The model folder at a path.

    Raises:
        ModelFolderError: If there is no such folder.
    """
    path = Path(path)
    if path == Path(SHIPPED) and not path.exists():
        raise ModelFolderError(
            f"{SHIPPED} comes without its original and the images, so it can neither be exported "
            "nor verified again; name a model folder of yours"
        )
    if not path.is_dir():
        raise ModelFolderError(f"{path}: no such model folder; 'edgeemo train' makes one")
    return ModelFolder(path)


def newest_folder(models: Path) -> ModelFolder:
    """The model folder under `models` that was trained last; the model that ships does not count.

    Raises:
        ModelFolderError: If there is none.
    """
    found = [path.parent for path in models.glob(f"*/{SPEC}") if path.parent.name[0] != "."]
    trained = [path for path in found if not ModelFolder(path).ships]
    if not trained:
        raise ModelFolderError(f"{models}: no model here; run 'edgeemo train' first, or name one")
    return ModelFolder(max(trained, key=lambda path: (path / SPEC).stat().st_mtime_ns))


def answering_folder(models: Path) -> ModelFolder:
    """What answers where no model was named: that of `newest_folder`, else the one that ships."""
    try:
        return newest_folder(models)
    except ModelFolderError:
        return shipped_folder()


def shipped_folder() -> ModelFolder:
    """Return the shipped model: happy against sad, on faces.

    It has exported files and their verification, but no reference model, no split and no report.
    A wheel holds a copy in the package; a checkout has it in ``models/``.
    """
    package = Path(__file__).parent.parent
    packaged = package / "shipped" / SHIPPED
    return ModelFolder(packaged if packaged.is_dir() else package.parent / "models" / SHIPPED)


def to_json(content: Any) -> str:
    """Return JSON text as the model folder holds it; NaN is refused."""
    return json.dumps(to_plain(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
