"""The two build steps that pyproject.toml cannot state: the shipped model and the description.

``models/happy-sad`` lies outside the package: a wheel gets a copy of it in
``edgeemo/shipped/happy-sad``, an editable install reads it where it is
(`edgeemo.model.folder.shipped_folder` looks in both places).
"""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.errors import FileError

ROOT = Path(__file__).resolve().parent
MODEL = Path("models", "happy-sad")
SHIPPED = Path("edgeemo", "shipped", "happy-sad")
REQUIRED = ("spec.json", "verify.json", "int8.tflite", "float32.tflite", "MODEL_CARD.md")


class BuildWithModel(build_py):
    """`build_py` that copies the shipped model into the package, or fails."""

    def run(self) -> None:
        """Build the package, then copy the model into it."""
        super().run()
        if self.editable_mode:
            return
        missing = [str(MODEL / name) for name in REQUIRED if not (ROOT / MODEL / name).is_file()]
        if missing:
            raise FileError(f"the shipped model is incomplete: {', '.join(missing)} missing")
        for source, target in self._model_files().items():
            self.mkpath(str(Path(target).parent))
            self.copy_file(source, target, preserve_mode=False)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Return the files that the build makes, those of the model included."""
        return [*super().get_outputs(include_bytecode), *self._model_files().values()]

    def get_source_files(self) -> list[str]:
        """Return the files that the build reads, those of the model included."""
        return [*super().get_source_files(), *self._model_files()]

    def _model_files(self) -> dict[str, str]:
        """Return each file of the model with the place of its copy."""
        files = sorted(path.relative_to(ROOT) for path in (ROOT / MODEL).rglob("*"))
        return {
            str(path): str(Path(self.build_lib) / SHIPPED / path.relative_to(MODEL))
            for path in files
            if (ROOT / path).is_file()
        }


def describe() -> str:
    """Return README.md with relative links as plain text: a package index has no docs folder."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.sub(r"\[([^]]+)\]\((?!\w+://)([^)\s]+)\)", r"\1 (`\2`)", text)


setup(
    cmdclass={"build_py": BuildWithModel},
    long_description=describe(),
    long_description_content_type="text/markdown",
)
