"""Predictions over HTTP are those of ``edgeemo predict``."""

from __future__ import annotations

import json
import os
import sys
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from edgeemo.runtime.formats import to_jsonl


def multipart(*files):
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="image"; filename="%b"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n%b\r\n" % (name.encode(), content)
        for name, content in files
    ]
    return b"".join(parts) + b"--x--\r\n", "multipart/form-data; boundary=x"


def without_ms(result):
    return {key: value for key, value in result.items() if key != "ms"}


@pytest.fixture(scope="module")
def contents(photos):
    return {path.name: path.read_bytes() for path in sorted(photos.glob("happy/*"))[:6]}


def test_predictions_are_the_same_to_the_bit(live, classifier, contents):
    body, kind = multipart(*contents.items())
    many = live.post("/v1/predict", body, Content_Type=kind).json["images"]
    found = [
        json.loads(to_jsonl(classifier.predict_result(content), faces=True))
        for content in contents.values()
    ]
    assert [without_ms(each) | {"file": "-"} for each in many] == list(map(without_ms, found))
    assert [each["file"] for each in many] == list(contents)
    for content, each in zip(contents.values(), many, strict=True):
        single = live.post("/v1/predict", content, Content_Type="image/jpeg").json
        assert single["model"] == "happy-sad/int8.tflite"
        assert single["images"][0]["faces"] == each["faces"]


def test_an_image_that_cannot_be_read_costs_the_others_nothing(live, jpeg):
    body, kind = multipart(("a.jpg", jpeg), ("b.jpg", b"PK\x03\x04 a zip"))
    good, bad = live.post("/v1/predict", body, Content_Type=kind).json["images"]
    assert len(good["faces"]) == 1
    assert "not an image" in bad["error"]


@pytest.mark.skipif(sys.platform != "linux", reason="priorities of threads")
def test_requests_have_a_lower_priority_than_the_live_image(live, jpeg):
    live.post("/v1/predict", jpeg, Content_Type="image/jpeg")
    stats = [each.read_text() for each in Path("/proc").glob(f"{live.process.pid}/task/*/stat")]
    nice = {int(each.rpartition(")")[2].split()[16]) for each in stats}
    assert nice == {os.nice(0), os.nice(0) + 10}


@pytest.mark.parametrize(
    ("body", "kind", "status", "part"),
    [
        (b"PK\x03\x04 a zip", "image/jpeg", 422, "not an image"),
        (b"", "image/jpeg", 422, "the image is empty"),
        (b"--x--\r\n", "multipart/form-data; boundary=x", 422, "no file"),
        (b"--y\r\n", "multipart/form-data; boundary=x", 400, "boundary"),
        (b"--x\r\nA: b\r\n\r\nc", "multipart/form-data; boundary=x", 400, "cut off"),
        (multipart(("b.jpg", b"no image"))[0], "multipart/form-data", 400, "boundary"),
        (multipart(*[("b.jpg", b"x")] * 33)[0], multipart()[1], 422, "more than 32 images"),
    ],
)
def test_bad_bodies_are_refused_in_one_sentence(live, body, kind, status, part):
    reply = live.post("/v1/predict", body, Content_Type=kind)
    assert (reply.status, reply.headers["Content-Type"]) == (status, "application/problem+json")
    assert part in reply.json["detail"]
    assert "\n" not in reply.json["detail"]


def test_a_hundred_megapixels_are_refused_by_their_header(live):
    stream = BytesIO()
    Image.new("1", (10_000, 10_000)).save(stream, "PNG")
    reply = live.post("/v1/predict", stream.getvalue())
    assert reply.status == 413
    assert "10000x10000 pixels are more than" in reply.json["detail"]
