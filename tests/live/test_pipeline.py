"""From a frame to an observation."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from edgeemo.bench import draw_camera_frame, draw_photo
from edgeemo.imaging.decode import OpenedImage, open_image
from edgeemo.imaging.faces.letterbox import Letterbox
from edgeemo.imaging.preprocess import decode
from edgeemo.live.controls import Controls
from edgeemo.live.frame import Frame
from edgeemo.live.pipeline import Pipeline, PipelineSettings
from edgeemo.live.pixels import ImagePixels, JpegPixels
from edgeemo.live.tracking import MAX_FACES
from edgeemo.model.spec import NOT_SURE
from edgeemo.runtime.classifier import Classifier

PHOTO, NO_FACE = draw_photo(), draw_camera_frame()
LARGE_PHOTO = draw_photo(1280, 960)  # decoded at half its size


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load("happy-sad")


@pytest.fixture(scope="module")
def whole(classifier) -> Classifier:
    return Classifier(replace(classifier.spec, faces=None), classifier.engine)


def make_frame(content: bytes, number: int = 0, *, fps: float = 30) -> Frame:
    return Frame(number=number, time_s=number / fps, pixels=JpegPixels(content))


@pytest.mark.parametrize("content", [PHOTO, LARGE_PHOTO], ids=["photo", "large"])
def test_a_frame_is_predicted_as_predict_does_to_the_bit(classifier, content) -> None:
    expected = classifier.predict_all(content)
    seen = Pipeline(classifier, PipelineSettings()).observe(make_frame(content))
    assert seen.error is None
    assert len(expected) == 2
    assert [face.raw for face in seen.faces] == list(expected)
    assert [face.face for face in seen.faces] == [each.face for each in expected]
    assert seen.ms.keys() == {"decode", "detect", "track", "predict"}


def test_photos_are_predicted_as_predict_does_to_the_bit(classifier, data_dir) -> None:
    equal = 0
    for path in sorted((data_dir / "photos").rglob("*.jpg")):
        content = path.read_bytes()
        expected = classifier.predict_all(content)
        seen = Pipeline(classifier, PipelineSettings()).observe(make_frame(content))
        with open_image(content) as opened:
            photo = decode(opened, classifier.spec.for_photos())
        if classifier.detector.looks[0].detect(Letterbox(photo)):
            assert [face.raw for face in seen.faces] == list(expected)
            equal += 1
    assert equal > 3


def test_an_image_taken_whole_is_predicted_as_predict_does(whole) -> None:
    pipeline = Pipeline(whole, PipelineSettings())
    for number in range(3):
        (face,) = pipeline.observe(make_frame(PHOTO, number)).faces
        assert (face.id, face.face, face.since_s) == (1, None, 0)
        assert face.raw == whole.predict(PHOTO)


def test_a_frame_is_decoded_once(classifier, monkeypatch) -> None:
    decoded, original = [], OpenedImage.decode
    monkeypatch.setattr(
        OpenedImage, "decode", lambda self, **how: decoded.append(how) or original(self, **how)
    )
    pipeline = Pipeline(classifier, PipelineSettings())
    for number in range(4):
        pipeline.observe(make_frame(NO_FACE, number))
    assert len(decoded) == 4


def test_a_broken_frame_is_an_observation_and_the_faces_live_on(classifier, monkeypatch) -> None:
    pipeline = Pipeline(classifier, PipelineSettings())
    ids = [face.id for face in pipeline.observe(make_frame(PHOTO)).faces]
    seen = pipeline.observe(make_frame(PHOTO[:2000], 1))
    assert seen.error
    assert seen.faces == ()
    with monkeypatch.context() as patch:
        patch.setattr(type(classifier.engine), "run", lambda *_: 1 / 0)
        assert pipeline.observe(make_frame(PHOTO, 2)).error == "frame: division by zero"
    assert [face.id for face in pipeline.observe(make_frame(PHOTO, 3)).faces] == ids


def test_the_gate_repeats_what_was_seen(classifier) -> None:
    pipeline = Pipeline(classifier, PipelineSettings(motion_gate=True))
    seen = [pipeline.observe(make_frame(PHOTO, number)) for number in range(120)]
    moving = [each.frame.time_s for each in seen if each.is_moving]
    assert moving[:45] == [number / 30 for number in range(45)]  # until the labels have settled
    assert len(moving) <= 45 + 3
    assert {tuple(face.id for face in each.faces) for each in seen} == {(1, 2)}
    assert seen[-1].ms.keys() == {"decode", "gate"}
    assert pipeline.observe(make_frame(NO_FACE, 120)).is_moving


def test_a_threshold_and_a_model_change_with_the_next_frame(classifier, whole) -> None:
    controls, pipeline = Controls(), Pipeline(classifier, PipelineSettings(motion_gate=True))

    def observe(number: int):
        pipeline.apply(controls)
        return pipeline.observe(make_frame(PHOTO, number))

    for number in range(60):
        observe(number)
    controls.min_confidence = 0.999
    assert {(f.raw.label, f.steady.label) for f in observe(60).faces} <= {
        (NOT_SURE, NOT_SURE),
        ("neither", "neither"),
    }
    controls.min_confidence = None
    assert NOT_SURE not in {face.steady.label for face in observe(61).faces}
    controls.classifier = whole
    assert [(face.id, face.face) for face in observe(62).faces] == [(3, None)]
    controls.classifier = Classifier.load("emotions")
    seen = observe(63)
    assert [face.id for face in seen.faces] == [4, 5]
    assert "happiness" in seen.faces[0].steady.scores


def test_a_threshold_counts_for_a_face_that_is_not_detected_in_the_frame(classifier) -> None:
    controls, pipeline = Controls(), Pipeline(classifier, PipelineSettings())
    for number in range(5):
        pipeline.observe(make_frame(PHOTO, number))
    controls.min_confidence = 0.999
    pipeline.apply(controls)
    seen = pipeline.observe(make_frame(NO_FACE, 5))
    assert [face.raw for face in seen.faces] == [None, None]
    assert seen.faces[0].steady.label == NOT_SURE


def test_most_faces_that_are_predicted(classifier) -> None:
    crowd = Image.new("RGB", (1280, 960), (90, 95, 100))
    face = Image.open(io.BytesIO(PHOTO)).crop((40, 60, 430, 450)).resize((250, 250))
    for number in range(15):
        crowd.paste(face, (number % 5 * 256, number // 5 * 320))
    pipeline = Pipeline(classifier, PipelineSettings())
    frames = (Frame(number=n, time_s=n / 30, pixels=ImagePixels(crowd)) for n in range(20))
    assert 5 < max(len(pipeline.observe(frame).faces) for frame in frames) <= MAX_FACES


def test_another_frame_size_keeps_ids(classifier) -> None:
    pipeline = Pipeline(classifier, PipelineSettings(motion_gate=True))
    first = pipeline.observe(make_frame(PHOTO))
    second = pipeline.observe(make_frame(LARGE_PHOTO, 1))
    assert [face.id for face in first.faces] == [face.id for face in second.faces] == [1, 2]
    assert np.allclose(second.faces[0].face, 2 * np.array(first.faces[0].face), atol=24)
