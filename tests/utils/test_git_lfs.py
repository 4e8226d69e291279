"""A Git LFS pointer in place of an image, an archive or a face detector is told by name."""

from __future__ import annotations

import pytest

from edgeemo.dataset.ingest.examine import examine_file
from edgeemo.dataset.ingest.find import LabelledFile
from edgeemo.dataset.ingest.sources import check_source
from edgeemo.errors import DatasetError, FaceModelError, ImageError
from edgeemo.imaging.decode import open_image
from edgeemo.model.detector_file import DetectorFile

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 177291376\n"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(POINTER)
    return path


def test_an_image(path):
    text = "a Git LFS pointer, not the image: git lfs pull"
    with pytest.raises(ImageError, match=text):
        open_image(path)
    file = LabelledFile(path.name, "happy", None)
    verdict = examine_file(path.parent, file, formats=["JPEG"]).verdict
    assert (verdict.reason, verdict.detail) == ("not-an-image", text)


def test_an_archive(path):
    with pytest.raises(DatasetError, match="a Git LFS pointer, not the archive: git lfs pull"):
        check_source(path)


def test_a_face_detector(path):
    with pytest.raises(FaceModelError, match="a Git LFS pointer, not the face detector"):
        DetectorFile.read(path)
