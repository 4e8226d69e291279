"""The page of a review: for this machine's browser, and for nobody else."""

from __future__ import annotations

import http.client
import io
import json
import socket
from threading import Thread

import pytest
from PIL import Image

from edgeemo.dataset.review import ReviewServer
from edgeemo.errors import DatasetError


@pytest.fixture
def server(begin):
    made = ReviewServer(begin())
    thread = Thread(target=made.serve)
    thread.start()
    yield made
    made.stop()
    thread.join(5)
    assert not thread.is_alive()


@pytest.fixture
def ask(server):
    """Function (path, ...): status, headers and body of a request."""

    def ask(path, *, body=None, origin=True, token=None, host=None, method=None):
        own = f"127.0.0.1:{server.port}"
        headers = {"Host": host or own}
        if origin:
            headers["Origin"] = f"http://{own}" if origin is True else origin
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        content = None if body is None else json.dumps(body)
        method = method or ("GET" if body is None else "POST")
        place = f"/{server.token if token is None else token}/{path}"
        connection.request(method, place, content, headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()

    return ask


def test_the_page_and_its_parts_come_from_here_alone(ask):
    for name, kind in (("", "text/html"), ("review.css", "text/css"), ("review.js", "text/jav")):
        status, headers, content = ask(name, origin=False)
        assert status == 200
        assert headers["Content-Type"].startswith(kind)
        assert headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert b"http" not in content  # nothing from elsewhere
        assert b"style=" not in content
        assert b"onclick" not in content


def test_images_are_jpeg_files_by_number(ask, server):
    for path, longer in (("image/2", 560), ("image/3", 560), ("image/3/0", 160)):
        status, headers, content = ask(path)
        assert (status, headers["Content-Type"]) == (200, "image/jpeg")
        with Image.open(io.BytesIO(content)) as image:
            assert max(image.size) == longer
    for wrong in ("4", "-1", "3/9", "x", "", "%C2%B2", "1/0/0"):
        assert ask(f"image/{wrong}")[0] == 404


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"token": ""}, 404),
        ({"token": "x"}, 404),
        ({"token": "%C3%A9"}, 404),
        ({"host": "evil.example"}, 403),
        ({"host": "evil.example:80"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"body": {}, "origin": False}, 403),
        ({"body": {}, "origin": "http://127.0.0.1:1"}, 403),
        ({"method": "PUT"}, 501),
        ({"body": {"item": 0}}, 400),
        ({"body": {"item": 0, "decision": "drop", "label": ""}}, 400),
        ({"body": {"item": "x", "decision": "keep", "label": ""}}, 400),
        ({"body": {"item": 99, "decision": "keep", "label": ""}}, 400),
        ({"body": []}, 400),
        ({"body": "x" * 9000}, 413),
    ],
)
def test_what_is_refused_changes_nothing(ask, server, changes, status):
    assert ask("decide" if "body" in changes else "", **changes)[0] == status
    assert server.session.decided == 0


@pytest.mark.parametrize(
    "path", ["../state", "..%2Fstate", "review.py", "image/../state", "nothing"]
)
def test_no_other_file_is_found(ask, path):
    assert ask(path)[0] == 404


def test_broken_requests_end_nothing(server, ask):
    broken = (b"\0\0\0", b"GET", b"POST /x HTTP/1.1\r\nContent-Length: x")
    for raw in broken:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as stream:
            stream.sendall(raw + b"\r\n\r\n")
            stream.recv(200)
    assert ask("state")[0] == 200


def test_a_browser_that_goes_away_is_no_error(server, ask, capfd):
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as stream:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            own = f"127.0.0.1:{server.port}"
            get = f"GET /{server.token}/image/2 HTTP/1.1\r\nHost: {own}\r\n\r\n"
            stream.sendall(get.encode())
    assert ask("state")[0] == 200
    assert capfd.readouterr().err == ""


def test_a_review_from_the_first_image_to_the_end(ask, server):
    state = json.loads(ask("state")[2])
    assert (state["labels"], state["first"], len(state["items"])) == (["happy", "sad"], 0, 4)
    body = {"item": 0, "decision": "relabel", "label": "sad"}
    found = json.loads(ask("decide", body=body)[2])
    assert found == {"item": 0, "decision": {"decision": "relabel", "label": "sad"}, "decided": 1}
    assert json.loads(ask("undo", body={})[2])["item"] == 0
    assert server.session.decided == 0
    assert ask("finish", body={})[0] == 200


def test_a_table_that_cannot_be_written_is_told(ask, server, tmp_path):
    (tmp_path / "review.csv").mkdir()
    status, _, content = ask("decide", body={"item": 0, "decision": "keep", "label": ""})
    assert (status, content[:9]) == (507, b"not saved")
    assert server.session.decided == 0


def test_a_taken_port_is_one_line(begin, server):
    with pytest.raises(DatasetError, match=f"port {server.port} of 127.0.0.1 cannot be used: Addr"):
        ReviewServer(begin(), port=server.port)


def test_no_name_is_looked_up(begin, monkeypatch):
    def look_up(*_):
        raise AssertionError("a name was looked up")

    for name in ("getfqdn", "gethostbyaddr", "gethostbyname", "getaddrinfo"):
        monkeypatch.setattr(socket, name, look_up)
    server = ReviewServer(begin())
    thread = Thread(target=server.serve)
    thread.start()
    server.stop()
    thread.join(10)
    assert server.port


def test_it_is_on_the_loopback_address_alone(server):
    assert server.url == f"http://127.0.0.1:{server.port}/{server.token}/"
    assert len(server.token) >= 32
