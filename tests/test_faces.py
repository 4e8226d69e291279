from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from edgeemo.errors import MissingExtraError
from edgeemo.faces import face_finder


@pytest.fixture(scope="module")
def finder():
    pytest.importorskip("cv2")
    return face_finder()


def grey(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"))


def test_portraits_have_a_face(finder, data_dir):
    pictures = [grey(path) for path in sorted((data_dir / "photos").glob("*.jpg"))]
    found = [finder.find(picture) for picture in pictures]
    assert sum(map(bool, found)) >= 0.9 * len(pictures)
    for picture, faces in zip(pictures, found, strict=True):
        sizes = [face.width * face.height for face in faces]
        assert sizes == sorted(sizes, reverse=True)
        for face in faces:
            assert 0 < face.left + face.width / 2 < picture.shape[1]
            assert 0 < face.top + face.height / 2 < picture.shape[0]


def test_small_crops_have_a_face(finder, data_dir):
    paths = sorted((data_dir / "ckplus48" / "happy").glob("*.png"))[:20]
    assert sum(bool(finder.find(grey(path))) for path in paths) >= 19


def test_threads_share_a_finder(finder, data_dir):
    pictures = [grey(path) for path in sorted((data_dir / "photos").glob("*.jpg"))[:6]]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(finder.find, pictures)) == [finder.find(one) for one in pictures]


@pytest.mark.parametrize("shape", [(64, 64), (1, 500), (3, 2000), (1, 1)])
def test_nothing_is_found_in_nothing(finder, shape):
    assert finder.find(np.full(shape, 128, np.uint8)) == ()


def test_without_the_extra_it_says_which(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'edgeemo\[faces\]'"):
        face_finder()
