"""`edgeemo.Client` against a server."""

from __future__ import annotations

import pytest

import edgeemo
from edgeemo.errors import ImageError, RequestError

from .conftest import TOKEN


@pytest.fixture
def client(live):
    with edgeemo.Client(live.url) as client:
        yield client


def test_its_predictions_are_those_of_a_classifier(client, classifier, photos, jpeg):
    images = sorted(photos.glob("sad/*"))[:4]
    for image in images:
        assert client.predict(image) == classifier.predict_all(image)
    results = client.predict_results([*images, jpeg, b"no image"])
    assert [each.source for each in results] == [*(path.name for path in images), "-", "-"]
    assert [each.predictions for each in results[:-1]] == [
        classifier.predict_all(image) for image in (*images, jpeg)
    ]
    assert "not an image" in results[-1].error


def test_it_reads_and_changes_the_live_run(client):
    assert client.info()["source"] == "test"
    assert client.snapshot().startswith(b"\xff\xd8\xff")
    assert client.is_healthy()
    assert client.set_state(min_confidence=0.5)["min_confidence"] == 0.5
    assert client.set_state(min_confidence=None)["min_confidence"] == 0
    assert client.state()["frame"]["size"] == [640, 480]
    events = client.events()
    first = next(events)
    assert first.fields["event"] == first.kind
    events.close()
    run, _, number = first.id.partition("-")
    again = client.events(after=f"{run}-{int(number) - 1}")
    assert next(again) == first
    again.close()


def test_errors_are_one_sentence_with_the_status(client, guarded, tmp_path):
    with pytest.raises(ImageError, match="not an image"):
        client.predict(b"PK\x03\x04")
    with pytest.raises(ImageError, match="no such file"):
        client.predict(tmp_path / "none.jpg")
    with pytest.raises(RequestError, match="no model of this name") as refused:
        client.switch_model("other")
    assert refused.value.status == 404
    with (
        edgeemo.Client(guarded.url, token="wrong") as wrong,
        pytest.raises(RequestError, match="token is missing or wrong"),
    ):
        wrong.info()
    with edgeemo.Client(guarded.url, token=TOKEN) as right:
        assert right.info()["source"] is None
    with pytest.raises(RequestError, match="does not answer") as gone:
        edgeemo.Client("http://127.0.0.1:9", timeout_s=2).info()
    assert gone.value.status == 0
    with pytest.raises(ValueError, match="url must be like"):
        edgeemo.Client("raspberrypi:8000")
