"""The two build steps that pyproject.toml cannot state: the shipped models and the description.

``models/happy-sad``, its Keras weights and ``models/emotions`` lie outside the package: a wheel
gets copies of them in ``edgeemo/shipped``, an editable install reads them where they are
(`edgeemo.model.folder.shipped_folder` looks in both places).
"""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.errors import FileError

ROOT = Path(__file__).resolve().parent
MODELS = Path("models")
NAMES = ("happy-sad", "emotions")
SHIPPED = Path("edgeemo", "shipped")
WEIGHTS = "weights/happy-neither-sad.keras"
REQUIRED = ("spec.json", "verify.json", "int8.tflite", "float32.tflite", "MODEL_CARD.md")


class BuildWithModels(build_py):
    """`build_py` that copies the shipped models into the package, or fails."""

    def run(self) -> None:
        """Build the package, then copy the models into it."""
        super().run()
        if self.editable_mode:
            return
        required = [MODELS / model / name for model in NAMES for name in REQUIRED]
        required.append(MODELS / WEIGHTS)
        missing = [str(path) for path in required if not (ROOT / path).is_file()]
        if missing:
            raise FileError(f"the shipped model is incomplete: {', '.join(missing)} missing")
        for source, target in self._model_files().items():
            self.mkpath(str(Path(target).parent))
            self.copy_file(source, target, preserve_mode=False)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Return the files that the build makes, those of the models included."""
        return [*super().get_outputs(include_bytecode), *self._model_files().values()]

    def get_source_files(self) -> list[str]:
        """Return the files that the build reads, those of the models included."""
        return [*super().get_source_files(), *self._model_files()]

    def _model_files(self) -> dict[str, str]:
        """Return each file of the models with the place of its copy."""
        folders = [ROOT / MODELS / name for name in NAMES]
        found = [path for folder in folders for path in folder.rglob("*")]
        files = sorted(path.relative_to(ROOT) for path in [*found, ROOT / MODELS / WEIGHTS])
        return {
            str(path): str(Path(self.build_lib) / SHIPPED / path.relative_to(MODELS))
            for path in files
            if (ROOT / path).is_file()
        }


def describe() -> str:
    """Return README.md with relative links as plain text: a package index has no docs folder."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.sub(r"\[([^]]+)\]\((?!\w+://)([^)\s]+)\)", r"\1 (`\2`)", text)


setup(
    cmdclass={"build_py": BuildWithModels},
    long_description=describe(),
    long_description_content_type="text/markdown",
)
