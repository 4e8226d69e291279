from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from edgeemo.errors import FaceModelError, MissingExtraError
from edgeemo.imaging.faces import Face, build_detector, crop_face
from edgeemo.imaging.faces.blaze import _convert_score
from edgeemo.imaging.faces.letterbox import Letterbox
from edgeemo.model.detector_file import FACE_MODEL, DetectorFile, find_detector_file
from edgeemo.model.face_settings import FaceSettings
from edgeemo.model.input_spec import InputSpec

DETECTORS = ("blaze", "cascade")


@pytest.fixture(scope="module", params=DETECTORS)
def detector(request):
    if request.param == "cascade":
        pytest.importorskip("cv2")
    return build_detector(FaceSettings(detector=request.param))


def opened(path):
    with Image.open(path) as image:
        return image.convert("RGB")


def test_portraits_have_a_face(detector, data_dir):
    images = [opened(path) for path in sorted((data_dir / "photos").glob("*.jpg"))]
    found = [detector.detect(image) for image in images]
    assert sum(map(bool, found)) >= 0.9 * len(images)
    for image, faces in zip(images, found, strict=True):
        sizes = [face.side for face in faces]
        assert sizes == sorted(sizes, reverse=True)
        for face in faces:
            assert 0 < face.left + face.side / 2 < image.width
            assert 0 < face.top + face.side / 2 < image.height


def test_small_crops_have_a_face_that_fills_them(detector, data_dir):
    """The bounding box is that of FER2013, whichever detector found it."""
    paths = sorted((data_dir / "fer2013_original" / "test" / "happy").glob("*"))[:40]
    faces = [found[0] for path in paths if (found := detector.detect(opened(path)))]
    assert len(faces) >= 28
    sides = np.array([face.side for face in faces])
    centres = np.array([(face.left + face.side / 2, face.top + face.side / 2) for face in faces])
    assert 46 <= np.median(sides) <= 52
    assert np.abs(np.median(centres, axis=0) - 24).max() <= 2


def test_both_detectors_have_similar_bounding_boxes(data_dir):
    pytest.importorskip("cv2")
    image = opened(data_dir / "photos" / "obama.jpg")
    one, other = (
        build_detector(FaceSettings(detector=name)).detect(image)[0] for name in DETECTORS
    )
    assert abs(one.left - other.left) < 0.15 * one.side
    assert abs(one.top - other.top) < 0.15 * one.side
    assert 0.8 < one.side / other.side < 1.25


def test_threads_share_a_detector(detector, data_dir):
    images = [opened(path) for path in sorted((data_dir / "photos").glob("*.jpg"))[:6]]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(detector.detect, images)) == [detector.detect(one) for one in images]


@pytest.mark.parametrize("size", [(64, 64), (500, 1), (2000, 3), (1, 1), (5, 700)])
def test_an_empty_image_has_no_face(detector, size):
    assert detector.detect(Image.new("RGB", size, "grey")) == ()


def test_a_small_face_is_found_by_the_second_look(data_dir):
    face = opened(data_dir / "photos" / "obama_small.jpg")
    face.thumbnail((110, 110))
    wall = Image.new("RGB", (640, 480), "#808890")
    wall.paste(face, (440, 330))
    detector = build_detector(FaceSettings())
    first, second, third = (look.detect(Letterbox(wall)) for look in detector.looks)
    assert (first, third) == ((), ())
    assert detector.detect(wall) == second
    (found,) = second
    assert 440 < found.left + found.side / 2 < 440 + face.width
    assert 330 < found.top + found.side / 2 < 330 + face.height


def test_all_looks_have_similar_bounding_boxes(data_dir):
    letterbox = Letterbox(opened(data_dir / "photos" / "obama.jpg").crop((200, 0, 800, 600)))
    boxes = [look.detect(letterbox)[0] for look in build_detector(FaceSettings()).looks]
    for other in boxes[1:]:
        assert abs(boxes[0].left - other.left) < 0.15 * boxes[0].side
        assert abs(boxes[0].top - other.top) < 0.15 * boxes[0].side
        assert 0.8 < boxes[0].side / other.side < 1.25


def test_the_second_network_is_loaded_where_the_first_look_detects_nothing(data_dir):
    detector = build_detector(FaceSettings())
    second = detector.looks[1]
    assert detector.detect(opened(data_dir / "photos" / "obama.jpg"))
    assert second._network._pool is None
    assert detector.detect(Image.new("RGB", (64, 64))) == ()
    assert second._network._pool is not None


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (90, 90), (3000, 7), (200, 1999)])
def test_a_letterbox_shows_the_whole_image(size):
    image = Image.new("RGB", size, "white")
    letterbox = Letterbox(image)
    for square in (letterbox.shrink(96), letterbox.shrink_with_border(96, 0.25)):
        white = np.argwhere(square.pixels[..., 0] > 127)
        top, left = white.min(axis=0)
        bottom, right = white.max(axis=0) + 1
        assert abs(left - square.left) <= 1 >= abs(top - square.top)
        width, height = (right - left) * square.scale, (bottom - top) * square.scale
        assert abs(width - size[0]) <= 2 * square.scale >= abs(height - size[1])


def test_a_face_is_scored_lower_by_the_second_network():
    scores = [_convert_score(score) for score in (0.0, 0.5, 0.7, 0.8, 0.9, 1.0)]
    assert scores == pytest.approx([0.65, 0.65, 0.65, 0.72, 0.85, 1.0], abs=0.005)


@pytest.mark.slow
def test_a_higher_minimum_score_detects_fewer_faces(data_dir):
    images = [opened(path) for path in sorted((data_dir / "web_messy" / "sad").glob("*"))[:40]]
    counts = []
    for score in (None, 0.7, 0.9, 1.0):
        detector = build_detector(FaceSettings(min_score=score))
        counts.append(sum(bool(detector.detect(image)) for image in images))
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[1] > counts[2] > counts[3] == 0


def test_a_crop_within_the_image_is_that_of_the_image():
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    spec = InputSpec(height=8, width=8, faces=FaceSettings())
    crop = crop_face(Image.fromarray(pixels), Face(10, 20, 30), spec)
    np.testing.assert_array_equal(np.asarray(crop), pixels[20:50, 10:40])


@pytest.mark.parametrize(
    "face",
    [
        Face(-10, -5, 30), Face(60, 40, 40), Face(-20, -20, 200), Face(-50, 10, 20),
        Face(200, -90, 30),
    ],
)  # fmt: skip
def test_beyond_the_image_its_outermost_pixels_are_repeated(face):
    pixels = np.random.default_rng(1).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    rows = np.clip(np.arange(face.top, face.top + face.side), 0, 59)
    columns = np.clip(np.arange(face.left, face.left + face.side), 0, 79)
    spec = InputSpec(height=8, width=8, faces=FaceSettings())
    crop = crop_face(Image.fromarray(pixels), face, spec)
    np.testing.assert_array_equal(np.asarray(crop), pixels[rows][:, columns])


def test_a_margin_is_added_on_each_side():
    image = Image.new("RGB", (100, 100))
    for margin, side in ((0.0, 40), (0.25, 60), (-0.25, 20)):
        spec = InputSpec(height=8, width=8, channels=1, faces=FaceSettings(margin=margin))
        crop = crop_face(image, Face(30, 30, 40), spec)
        assert (crop.size, crop.mode) == ((side, side), "L")


def test_without_opencv_the_extra_is_named(monkeypatch):
    from edgeemo.imaging.faces.cascade import Cascade

    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError, match=r"pip install .*\[faces\]'"):
        Cascade()


@pytest.mark.parametrize("file", [None, DetectorFile(content=b"\x08 other", name="other")])
def test_a_missing_file_or_one_of_another_sha256_is_refused(file):
    settings = FaceSettings(detector="yunet", file_sha256="0123" * 16)
    with pytest.raises(
        FaceModelError, match=r"YuNet file .* .SHA-256 0123.* name it with --face-model"
    ):
        build_detector(settings, file=file)


def test_a_file_is_read_where_the_settings_need_it(tmp_path):
    path = tmp_path / FACE_MODEL
    path.write_bytes(b"\x08\x07 and the rest")
    file = DetectorFile.read(path)
    assert file.content == path.read_bytes()
    settings = FaceSettings(detector="yunet", file_sha256=file.sha256)
    assert find_detector_file(settings, tmp_path) == file
    assert find_detector_file(FaceSettings(), tmp_path) is None
    assert find_detector_file(settings, tmp_path / "none") is None


def test_a_file_that_is_no_network_is_refused(tmp_path):
    with pytest.raises(FaceModelError, match=r"none\.onnx: cannot be read: No such file"):
        DetectorFile.read(tmp_path / "none.onnx")
    with pytest.raises(FaceModelError, match=r"text\.onnx: not an ONNX file; name a YuNet file"):
        DetectorFile(content=b"hello", name="text.onnx")
    pytest.importorskip("cv2")
    broken = DetectorFile(content=b"\x08\x07 hello", name="broken.onnx")
    settings = FaceSettings(detector="yunet", file_sha256=broken.sha256)
    with pytest.raises(FaceModelError, match="not a YuNet file that OpenCV can run"):
        build_detector(settings, file=broken)


def bright_yunet():
    """A network with YuNet's inputs and outputs, to which every bright cell of 32 pixels is a face.

    OpenCV reads class and object scores (their product's root counts), boxes as offsets and
    logarithms of sizes in strides, and five landmarks, for strides 8, 16 and 32.
    """
    onnx = pytest.importorskip("onnx")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    constants = {
        "shape": np.array([1, -1, 1], np.int64),
        "axes": np.array([1], np.int64),
        "box": np.array([[[0.5, 0.5, np.log(2), np.log(2)]]], np.float32),
        "none4": np.zeros((1, 1, 4), np.float32),
        "none10": np.zeros((1, 1, 10), np.float32),
    }
    nodes = []
    for stride in (8, 16, 32):
        shares = np.array(1 / 255 if stride == 32 else 0.0, np.float32)
        constants[f"share_{stride}"] = shares
        pool = {"kernel_shape": [stride] * 2, "strides": [stride] * 2}
        nodes += [
            helper.make_node("AveragePool", ["input"], [f"mean_{stride}"], **pool),
            helper.make_node(
                "ReduceMean", [f"mean_{stride}"], [f"grey_{stride}"], axes=[1], keepdims=1
            ),
            helper.make_node("Reshape", [f"grey_{stride}", "shape"], [f"flat_{stride}"]),
            helper.make_node("Mul", [f"flat_{stride}", f"share_{stride}"], [f"cls_{stride}"]),
            helper.make_node("Mul", [f"flat_{stride}", f"share_{stride}"], [f"obj_{stride}"]),
            helper.make_node("MatMul", [f"flat_{stride}", "none4"], [f"nil4_{stride}"]),
            helper.make_node("Add", [f"nil4_{stride}", "box"], [f"bbox_{stride}"]),
            helper.make_node("MatMul", [f"flat_{stride}", "none10"], [f"kps_{stride}"]),
        ]
    kinds = ("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)
    outputs = [
        helper.make_tensor_value_info(f"{kind}_{stride}", onnx.TensorProto.FLOAT, [1, None, size])
        for kind, size in kinds
        for stride in (8, 16, 32)
    ]
    image = helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, [1, 3, None, None])
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "yunet", [image], outputs, weights)
    opset = [helper.make_opsetid("", 13)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def test_the_faces_of_a_yunet_file_are_in_the_images_own_pixels():
    pytest.importorskip("cv2")
    file = DetectorFile(content=bright_yunet(), name="bright.onnx")
    detector = build_detector(FaceSettings(detector="yunet", file_sha256=file.sha256), file=file)
    image = Image.new("RGB", (640, 400))  # searched at half its size
    image.paste("white", (128, 192, 192, 256))  # one cell of the searched image
    (found,) = detector.detect(image)
    assert found.side == 128
    assert (found.left + found.side // 2, found.top + found.side // 2) == (160, 224)
    assert detector.detect(Image.new("RGB", (50, 700))) == ()
    surer = FaceSettings(detector="yunet", file_sha256=file.sha256, min_score=1.0)
    assert build_detector(surer, file=file).detect(image) == ()
