"""Fixtures that more than one room's tests use."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from edgeemo.container import seal, unseal
from edgeemo.spec import ModelSpec

_REPOSITORY = Path(__file__).resolve().parents[1]
_GOLDEN = _REPOSITORY / "tests" / "golden"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Real pictures: the folder in EDGEEMO_DATA, else shared/data beside the checkout."""
    folder = Path(os.environ.get("EDGEEMO_DATA") or _REPOSITORY.parent / "shared" / "data")
    if not (folder / "fer2013").is_dir():
        pytest.skip("no real pictures: set EDGEEMO_DATA to a folder that holds fer2013/")
    return folder


@pytest.fixture(scope="session")
def spec48() -> ModelSpec:
    """The spec of a 48x48 grey happy/sad network."""
    return ModelSpec(labels=("happy", "sad"), height=48, width=48, channels=1)


@pytest.fixture(scope="session")
def hesitant():
    """Function (name, folder, min_confidence): a copy of a golden model that may be "not sure"."""

    def make(name: str, folder: Path, min_confidence: float) -> Path:
        golden = unseal(_GOLDEN / name)
        content = Path(golden.path).read_bytes()
        text = content.decode("latin-1").split('"model_bytes": ')[1]
        model = content[: int(text[: text.index(",")])]
        spec = replace(golden.spec, min_confidence=min_confidence)
        path = folder / name
        path.write_bytes(seal(model, spec, format=golden.format))
        return path

    return make
