"""A folder with images to review, and a review of it."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

from edgeemo.dataset.check import checking
from edgeemo.dataset.face_sample import sample_faces
from edgeemo.dataset.review import prepare_review


@pytest.fixture
def faces(tmp_path, fill, paint):
    """One image in two classes, two near-duplicates, one that is too long."""
    folder = fill(tmp_path / "faces", {"happy": 6, "sad": 6})
    shutil.copy(folder / "happy/003.png", folder / "sad/003.png")
    near = np.asarray(paint(1), int) + 3
    Image.fromarray(near.clip(0, 255).astype(np.uint8)).save(folder / "happy/near.png")
    paint(77, size=(400, 60)).save(folder / "sad/long.png")
    return folder


@pytest.fixture
def begin(faces, tmp_path, monkeypatch):
    """Function (): a review of the folder, begun or continued."""
    nothing = sample_faces([])  # a review shows no faces, and the search takes a second
    monkeypatch.setattr(checking, "sample_faces", lambda _: nothing)

    def begin():
        return prepare_review(faces, table=tmp_path / "review.csv")

    return begin
