"""examples/web in Chromium: the network reads what Python reads, and nothing leaves the page."""

from __future__ import annotations

import importlib.util
import json
import shutil
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from PIL import Image

from edgeemo import Classifier
from edgeemo.clients.tflite_form import make_client_spec, make_tflite_form
from edgeemo.dataset.synthetic import draw_image
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.container import read_engine_model, seal, unseal

from ..chromium import CHROMIUM, Browser
from ..client_environments import find_environment

pytestmark = [pytest.mark.skipif(not CHROMIUM, reason="no Chromium"), pytest.mark.slow]
REPOSITORY = Path(__file__).resolve().parents[2]
WEB = REPOSITORY / "examples" / "web"
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
FILES = ("happy-sad/int8.tflite", "happy-sad/float32.onnx")


class QuietHandler(SimpleHTTPRequestHandler):
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}  # noqa: RUF012

    def log_message(self, *_):
        pass


class Page:
    """The page, with what a person does on it."""

    def __init__(self, browser, url):
        self.browser, self.url = browser, url
        browser.open(f"{url}/index.html")
        self.wait_for_model(FILES[0])

    def wait_for_model(self, name):
        self.browser.wait(f"document.getElementById('model').value === {json.dumps(name)}")

    def choose_model(self, name):
        self.forget()
        self.browser.value(
            f"(s => {{ s.value = {json.dumps(name)}; s.dispatchEvent(new Event('change')) }})"
            "(document.getElementById('model'))"
        )
        self.wait()

    def give(self, field, path):
        self.forget()
        root = self.browser.call("DOM.getDocument")["root"]["nodeId"]
        node = self.browser.call("DOM.querySelector", nodeId=root, selector=f"#{field}")["nodeId"]
        self.browser.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])
        self.wait()

    def press(self, field):
        self.forget()
        self.browser.value(f"document.getElementById('{field}').click()")
        self.wait()

    def forget(self):
        self.browser.value("delete document.getElementById('result').dataset.scores")

    def wait(self):
        self.browser.wait(
            "document.getElementById('result').dataset.scores"
            " || !document.getElementById('problem').hidden"
        )

    def text(self, field):
        return self.browser.value(f"document.getElementById('{field}').textContent.trim()")

    @property
    def problem(self):
        hidden = self.browser.value("document.getElementById('problem').hidden")
        return "" if hidden else self.text("problem")

    @property
    def pixels(self):
        text = self.browser.value("document.getElementById('result').dataset.pixels")
        return np.array(text.split(","), dtype=np.uint8)

    @property
    def scores(self):
        return json.loads(self.browser.value("document.getElementById('result').dataset.scores"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The address of the page, with the engines and the models."""
    folder = tmp_path_factory.mktemp("web") / "site"
    shutil.copytree(WEB, folder, ignore=shutil.ignore_patterns("runtime", "models"))
    (folder / "runtime").symlink_to(find_environment("web") / "runtime")
    spec = importlib.util.spec_from_file_location("get_runtime", WEB / "get_runtime.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.copy_models([REPOSITORY / "models" / "happy-sad"], folder / "models")
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def page(site, tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("chromium") / "profile", OFFLINE)
    yield Page(browser, site)
    browser.close()


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A drawn face as PNG, as JPEG, turned, and of odd sizes; and transparent noise."""
    folder = tmp_path_factory.mktemp("images")
    face = draw_image(np.random.default_rng(1), "happy", size=320)
    noise = np.random.default_rng(2).integers(0, 256, (61, 333, 4), dtype=np.uint8)
    noise[..., 3] = 255 * (noise[..., 3] > 128)
    turned = Image.Exif()
    turned[0x0112] = 6
    face.save(folder / "face.png")
    face.resize((37, 91)).save(folder / "small.png")
    Image.fromarray(noise).save(folder / "noise.png")
    face.save(folder / "face.jpg", quality=90)
    face.resize((301, 233)).save(folder / "turned.jpg", quality=90, exif=turned)
    return folder


@pytest.fixture(params=FILES)
def model(request):
    """A shipped file, and a classifier of it that takes images whole."""
    sealed = unseal(REPOSITORY / "models" / request.param)
    return request.param, Classifier.from_model(sealed, faces=None)


@pytest.mark.parametrize(
    ("name", "most"),
    [("face.png", 0), ("small.png", 0), ("noise.png", 0), ("face.jpg", 2), ("turned.jpg", 3)],
)
def test_the_network_reads_the_pixels_that_python_reads(page, images, model, name, most):
    file, classifier = model
    page.give("image-file", images / name)
    page.choose_model(file)
    assert page.problem == ""
    spec = replace(classifier.spec, faces=None)
    expected = preprocess(images / name, spec).ravel()
    assert np.abs(page.pixels.astype(int) - expected).max() <= most
    ours = classifier.predict_pixels(page.pixels.reshape(spec.input_shape))
    assert page.scores == pytest.approx(list(ours.scores.values()), abs=1e-6)
    assert page.text("label") == ours.label


def test_a_square_of_the_image_can_be_predicted_and_moved_with_the_keyboard(page, images):
    page.give("image-file", images / "face.png")
    page.press("square")
    spec = replace(unseal(REPOSITORY / "models" / FILES[0]).spec, faces=None)
    face = Image.open(images / "face.png")
    assert np.array_equal(page.pixels, preprocess(face.crop((80, 80, 240, 240)), spec).ravel())
    page.forget()
    page.browser.call("Input.dispatchKeyEvent", type="keyDown", key="ArrowRight")
    page.wait()
    assert np.array_equal(page.pixels, preprocess(face.crop((88, 80, 248, 240)), spec).ravel())
    page.press("whole")
    assert np.array_equal(page.pixels, preprocess(face, spec).ravel())


def test_a_file_that_is_no_image_or_no_model_is_one_line(page, images, tmp_path):
    (tmp_path / "text.png").write_text("no image")
    page.give("image-file", tmp_path / "text.png")
    assert page.problem == "text.png: this browser cannot read it as an image"
    content = bytearray((REPOSITORY / "models" / FILES[0]).read_bytes())
    content[5000] ^= 1
    (tmp_path / "broken.tflite").write_bytes(content)
    page.give("model-file", tmp_path / "broken.tflite")
    assert page.problem == "broken.tflite: it is damaged"
    (tmp_path / "other.onnx").write_bytes(bytes(content[:4000]))
    page.give("model-file", tmp_path / "other.onnx")
    assert page.problem == "other.onnx: it is not a file that edgeemo exported"


def test_a_model_of_ones_own_can_be_opened(page, images, tmp_path):
    golden = REPOSITORY / "tests" / "golden" / "int8.tflite"
    spec = unseal(golden).spec
    form = make_tflite_form(read_engine_model(golden), spec)
    (tmp_path / "rgb.tflite").write_bytes(seal(form, make_client_spec(spec), format="tflite"))
    for file in (golden, tmp_path / "rgb.tflite"):
        page.give("image-file", images / "face.png")
        page.give("model-file", file)
        classifier = Classifier.from_model(unseal(file), faces=None)
        assert page.problem == ""
        assert page.scores == list(classifier.predict(images / "face.png").scores.values())
        expected = preprocess(images / "face.png", classifier.spec)
        assert np.array_equal(page.pixels, expected.ravel())


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_window(page, images, width, scheme):
    page.give("image-file", images / "noise.png")
    page.browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=width, height=900, deviceScaleFactor=1, mobile=False,
    )  # fmt: skip
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.browser.call("Emulation.setEmulatedMedia", features=features)
    page.browser.wait(f"innerWidth === {width}")
    assert page.browser.value("document.documentElement.scrollWidth") <= width
    color = "getComputedStyle(document.body).backgroundColor"
    assert (
        page.browser.value(color)
        == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]
    )


def test_nothing_is_requested_from_elsewhere(page):
    names = json.loads(
        page.browser.value(
            "JSON.stringify(performance.getEntriesByType('resource').map(each => each.name))"
        )
    )
    assert any(name.endswith(".wasm") for name in names)
    assert [name for name in names if not name.startswith(page.url)] == []
