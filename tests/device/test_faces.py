"""A Pi finds the faces that the workstation finds, where it finds them."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

from edgeemo import Classifier
from edgeemo.bench.sample_photo import draw_photo
from edgeemo.bundle import BundleOptions, make_bundle
from edgeemo.bundle.device.checks import FACE_PIXELS
from edgeemo.dataset import draw_golden_images
from edgeemo.dataset.synthetic import encode_image
from edgeemo.model.face_request import FaceRequest
from emulation.processors import A72


@pytest.fixture(scope="module")
def finding(root, model, tmp_path_factory):
    """The bundle of a tiny model that finds faces."""
    root("bookworm")  # skips where there is nothing to emulate with
    out = tmp_path_factory.mktemp("faces") / "faces.pyz"
    return make_bundle(
        model("int8.tflite"), out, options=BundleOptions(faces=FaceRequest(enabled=True))
    ).path


@pytest.fixture
def photos(tmp_path):
    """Faces near and far, two that the second look alone detects, and none."""
    contents = [draw_photo(seed=0), draw_photo(seed=1), *draw_golden_images(count=3)]
    with Image.open(io.BytesIO(contents[0])) as photo:
        small = photo.resize((240, 180), Image.Resampling.BILINEAR)
    wall = Image.new("RGB", (640, 480), "#808890")
    contents += [encode_image(wall, "PNG")]
    wall.paste(small, (380, 290))
    contents += [encode_image(wall, "PNG")]
    for number, content in enumerate(contents):
        (tmp_path / f"{number}").write_bytes(content)
    return sorted(tmp_path.iterdir())


def test_faces_are_found_where_the_workstation_finds_them(finding, model, pis, photos):
    here = Classifier.load(model("int8.tflite"), faces=FaceRequest(enabled=True))
    expected = [[each.face.box for each in here.predict_all(photo)] for photo in photos]
    assert [len(boxes) for boxes in expected] == [2, 2, 1, 1, 1, 0, 2]
    for processor, ran in pis(finding, "predict", "--json", *photos).items():
        assert ran.returncode == 0, (processor, ran.stderr)
        lines = [json.loads(line) for line in ran.stdout.splitlines()]
        for line, boxes in zip(lines, expected, strict=True):
            found = [face["box"] for face in line["faces"]]
            assert len(found) == len(boxes), (processor, line["file"])
            for one, other in zip(found, boxes, strict=True):
                assert one == pytest.approx(other, rel=0, abs=FACE_PIXELS)


def test_the_selftest_finds_them_too(finding, pis):
    for ran in pis(finding, "selftest", "--json").values():
        assert ran.returncode == 0, ran.stdout + ran.stderr
        photo = json.loads(ran.stdout)["checks"][-1]
        assert (photo["file"], len(photo["faces"])) == ("golden/photo.jpg", 2)


def test_without_litert_the_line_to_type_says_so(finding, pi, photos):
    ran = pi(A72, finding, "predict", photos[0], packages=False)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "ai-edge-litert" in ran.stderr
