"""Traces of processing in real images: an equalised collection, its true pixels, and others."""

from __future__ import annotations

import hashlib

import pytest
from PIL import Image, ImageEnhance, ImageOps

from edgeemo.dataset.processing.folder import measure_folder


def measure(folder, most=None):
    """The share of each kind of processing, and whether it is a finding about the folder."""
    if not folder.is_dir():
        pytest.skip(f"no real images: {folder} is missing")
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".csv")
    ranked = sorted(files, key=lambda path: hashlib.sha256(path.name.encode()).digest())
    names = [path.relative_to(folder).as_posix() for path in ranked[:most]]
    shares = measure_folder(folder, names)
    return {one.kind: one.count / len(names) for one in shares}, [
        one.kind for one in shares if one.is_large
    ]


@pytest.mark.parametrize("split", ["train", "test"])
def test_an_equalised_copy_is_found(data_dir, tmp_path, split):
    """The copy of FER2013 that many pages offer: contrast x 1.2, then equalised."""
    files = sorted((data_dir / "fer2013_original" / split).glob("*/*.png"))
    for path in files[:: len(files) // 400]:
        image = ImageEnhance.Contrast(Image.open(path)).enhance(1.2)
        ImageOps.equalize(image).save(tmp_path / path.name)
    shares, large = measure(tmp_path)
    assert shares["equalised"] > 0.98
    assert large == ["equalised"]


@pytest.mark.parametrize(
    ("folder", "most"),
    [
        ("fer2013_original/test", 1000),
        ("faces_colour", None),
        ("web_small", None),
        ("photos", None),
    ],
)
def test_other_images_are_not_called_processed(data_dir, folder, most):
    shares, large = measure(data_dir / folder, most)
    assert max(shares.values()) <= 0.01
    assert large == []
