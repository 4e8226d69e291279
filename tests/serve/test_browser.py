"""The page in Chromium: what it shows, how soon it says that the camera is gone, and barriers."""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from edgeemo.live.sources.drawn import DrawnFaces
from edgeemo.live.sources.settings import SourceSettings
from edgeemo.serve.images import encode_jpeg

from ..chromium import CHROMIUM, Browser
from ..client_environments import find_environment
from .conftest import TOKEN, Process

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium"),
    pytest.mark.slow,
]

MAX_BYTES = 60_000


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    made = Browser(tmp_path_factory.mktemp("chromium"))
    yield made
    made.close()


def text(id):
    return f"document.getElementById('{id}').textContent"


def click(browser, id):
    browser.value(f"document.getElementById('{id}').click()")


def wait_live(browser):
    browser.wait(
        f"document.getElementById('view').dataset.mode === 'live' && {text('label')} > ' '"
    )


def show_sample(browser):
    click(browser, "sample")
    browser.wait("!document.getElementById('back').hidden")
    browser.wait(f"{text('who')} === 'Largest of 2 faces'")


def set_size(browser, width, scheme="light"):
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=width, height=800, deviceScaleFactor=1, mobile=width < 500,
    )  # fmt: skip
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.call("Emulation.setEmulatedMedia", features=features)


def test_the_label_follows_the_camera(live, browser):
    browser.open(live.url)
    wait_live(browser)
    assert browser.value(text("status-text")) == "Live"
    first = browser.value(text("label"))
    browser.wait(f"{text('label')} !== {json.dumps(first)}")
    changed = live.get("/v1/state").json["frame"]["faces"][0]["label"]
    browser.wait(f"{text('label')} === {json.dumps(changed)}")
    sizes = browser.value("document.getElementById('image').width")
    assert sizes == 640
    browser.wait(f"/^\\d+ ms$/.test({text('age')})")
    browser.wait("document.querySelectorAll('#changes li').length > 1")
    browser.wait(f"{text('announcement')} !== ''")


def test_the_page_is_small_and_asks_nobody_else(live, browser):
    browser.open(live.url)
    wait_live(browser)
    names = browser.value(
        "JSON.stringify([location.href, ...performance.getEntriesByType('resource')"
        ".map((each) => each.name)])"
    )
    names = json.loads(names)
    assert [name for name in names if not name.startswith(live.url)] == []
    files = [name.removeprefix(live.url) for name in names if "/v1/" not in name]
    assert len(files) >= 10
    assert sum(len(live.get(file).body) for file in set(files)) <= MAX_BYTES


def test_pause_threshold_and_an_image_of_ones_own(live, browser):
    browser.open(live.url)
    wait_live(browser)
    browser.press("p")
    browser.wait(f"{text('status-text')} === 'Paused'")
    click(browser, "pause")
    browser.wait(f"{text('status-text')} === 'Live'")
    slide = "document.getElementById('threshold')"
    browser.value(f"{slide}.value = 0.95; {slide}.dispatchEvent(new Event('input'))")
    browser.wait(f"['not sure', 'neither'].includes({text('label')})")
    browser.value(f"{slide}.value = 0; {slide}.dispatchEvent(new Event('input'))")
    browser.wait(f"{text('threshold-text')} === 'none'")
    show_sample(browser)
    assert browser.value(text("label")) == "happy"
    browser.press("Escape")
    wait_live(browser)
    end = time.monotonic() + 5
    while live.get("/v1/state").json["min_confidence"]:
        assert time.monotonic() < end


def test_a_click_gives_a_face_its_label(live, browser, place):
    browser.open(live.url)
    wait_live(browser)
    browser.wait("document.querySelector('#image[aria-label*=face]')")
    browser.value(
        "(() => { const place = document.getElementById('image').getBoundingClientRect();"
        "for (let x = 0; x < 1 && !document.getElementById('labelling').open; x += 0.05)"
        "document.getElementById('image').dispatchEvent(new MouseEvent('click',"
        "{clientX: place.left + x * place.width, clientY: place.top + place.height / 2})) })()"
    )
    browser.wait("document.getElementById('labelling').open")
    browser.value("document.querySelectorAll('#labelling-labels button')[2].click()")
    browser.wait(f"{text('problem')} === 'Kept as sad.'")
    assert [path.name for path in place.glob("kept/sad/*_labelled.png")]


class Camera:
    """A camera that sends JPEG files over HTTP, and can be unplugged."""

    def __init__(self):
        drawing = DrawnFaces(SourceSettings(fps=15)).open()
        frames = [encode_jpeg(drawing.read().pixels.decode()) for _ in range(4)]
        self.stalls, self.is_gone = Event(), Event()
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if camera.is_gone.is_set():
                    self.close_connection = True
                    return
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=b")
                self.end_headers()
                number = 0
                while not camera.is_gone.is_set():
                    jpeg = frames[number % len(frames)]
                    number += 1
                    if not camera.stalls.is_set():
                        head = f"--b\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}"
                        try:
                            self.wfile.write(head.encode() + b"\r\n\r\n" + jpeg + b"\r\n")
                        except OSError:
                            return
                    time.sleep(0.05)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def close(self):
        self.is_gone.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.mark.parametrize("how", ["stalls", "is_gone"])
def test_it_says_that_the_camera_is_gone_and_comes_back_by_itself(browser, how):
    camera = Camera()
    server = Process(camera.url, "--model", "happy-sad")
    try:
        browser.open(server.url)
        wait_live(browser)
        getattr(camera, how).set()
        start = time.monotonic()
        browser.wait(f"{text('status-text')} === 'Camera gone'")
        assert time.monotonic() - start < 3.5  # 3 on an idle machine
        assert browser.value(text("label")) == "no image"
        assert server.get("/healthz").status == 503
        getattr(camera, how).clear()
        browser.wait(f"{text('status-text')} === 'Live'")
        browser.wait(f"{text('label')} !== 'no image'")
        assert server.get("/healthz").status == 200
    finally:
        assert server.stop() == 0
        camera.close()


def check_barriers(browser, *, schemes=("light", "dark")):
    axe = (find_environment("axe") / "axe.min.js").read_text(encoding="utf-8")
    browser.value(axe)
    for width in (360, 1280):
        for scheme in schemes:
            set_size(browser, width, scheme)
            assert find_barriers(browser) == "[]", (width, scheme)
            assert browser.value("document.documentElement.scrollWidth <= innerWidth"), width


def find_barriers(browser):
    browser.value("window.found = null")
    browser.value("axe.run().then((found) => { window.found = found.violations })")
    browser.wait("window.found")
    return browser.value(
        "JSON.stringify(window.found.map((each) => [each.id, each.nodes.map((n) => n.html)]))"
    )


def test_axe_finds_no_barrier_in_the_login(guarded, browser):
    browser.open(f"{guarded.url}/login")
    check_barriers(browser)


def test_axe_finds_no_barrier_in_the_page(live, browser):
    browser.open(live.url)
    wait_live(browser)
    check_barriers(browser)
    browser.value("document.getElementById('labelling').showModal()")
    check_barriers(browser, schemes=("dark",))
    click(browser, "labelling-cancel")
    show_sample(browser)
    check_barriers(browser, schemes=("light",))


def test_without_a_camera_it_is_a_page_to_try(serve_within, browser):
    server, _ = serve_within()
    browser.open(server.url)
    browser.wait("!document.getElementById('empty').hidden")
    check_barriers(browser)
    click(browser, "sample")
    browser.wait(f"{text('label')} === 'happy'")
    click(browser, "back")
    browser.wait("!document.getElementById('empty').hidden")


def test_a_browser_logs_in_by_the_token(guarded, browser):
    browser.open(f"{guarded.url}/")
    browser.wait("document.getElementById('token')")
    for token, result in (
        ("wrong", "document.querySelector('[role=alert]')"),
        (TOKEN, text("label")),
    ):
        browser.value(f"document.getElementById('token').value = '{token}'")
        browser.value("document.querySelector('form').submit()")
        browser.wait(result)
    assert browser.value("document.cookie") == ""
