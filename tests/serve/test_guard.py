"""Who is let in, and what every response says to a browser."""

from __future__ import annotations

import base64
import time

import pytest
import websockets.sync.client
from websockets.exceptions import InvalidStatus

from .conftest import TOKEN

BEARER = {"Authorization": f"Bearer {TOKEN}"}


def test_the_token_is_needed_for_all_but_health_and_login(guarded):
    for path in ("/v1/info", "/v1/state", "/metrics", "/openapi.json", "/v1/events", "/nothing"):
        reply = guarded.get(path)
        assert (reply.status, reply.headers["WWW-Authenticate"]) == (401, 'Bearer realm="edgeemo"')
        assert TOKEN not in reply.body.decode()
    assert guarded.get("/healthz").status == 200
    assert guarded.get("/page/style.css").status == 200
    assert guarded.get("/v1/info", **BEARER).status == 200
    assert guarded.post("/v1/predict", b"x", Authorization="Bearer wrong").status == 401


def test_players_that_know_names_and_passwords_alone_are_let_in(guarded):
    assert guarded.get("/v1/snapshot.jpg").headers["WWW-Authenticate"].startswith("Basic")
    shown = base64.b64encode(f"anybody:{TOKEN}".encode()).decode()
    assert guarded.get("/v1/snapshot.jpg", Authorization=f"Basic {shown}").status == 404


def test_the_page_asks_for_the_token_and_keeps_a_cookie(guarded):
    asked = guarded.get("/")
    assert (asked.status, asked.headers["Location"]) == (303, "/login")
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    wrong = guarded.post("/login", b"token=wrong", **form)
    assert wrong.status == 401
    assert "This is not the token." in wrong.body.decode()
    right = guarded.post("/login", f"token={TOKEN}".encode(), **form)
    cookie = right.headers["Set-Cookie"]
    assert (right.status, right.headers["Location"]) == (303, "/")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    cookie = cookie.partition(";")[0]
    assert guarded.get("/", Cookie=cookie).status == 200
    assert guarded.get("/", Cookie=f"{cookie}x").status == 303


def test_a_thousand_wrong_tokens_keep_nobody_else_out(serve_within):
    server, _ = serve_within(token=TOKEN)
    connection = server.connect()
    statuses = []
    for number in range(1000):
        connection.request("GET", "/v1/info", headers={"Authorization": f"Bearer {number}"})
        reply = connection.getresponse()
        reply.read()
        statuses.append(reply.status)
    connection.close()
    assert statuses[:20] == [401] * 20
    assert set(statuses[20:]) == {429}
    start = time.monotonic()
    assert server.get("/v1/info", **BEARER).status == 200
    assert time.monotonic() - start < 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8000"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "cors"},
    ],
)
def test_other_names_and_pages_of_other_sites_are_refused(live, headers):
    for method, path in (("GET", "/v1/state"), ("POST", "/v1/predict"), ("GET", "/healthz")):
        assert live.ask(method, path, b"", **headers).status == 403


def test_pages_of_other_sites_open_no_websocket(live):
    address = f"ws://127.0.0.1:{live.port}/v1/watch"
    with pytest.raises(InvalidStatus) as refused:
        websockets.sync.client.connect(address, origin="http://evil.example")
    assert refused.value.response.status_code == 403
    assert b"another site" in refused.value.response.body
    with websockets.sync.client.connect(address, origin=live.url) as own:
        own.send("next")
        assert own.recv(timeout=5)


def test_own_names_and_visits_are_let_in(live):
    for host in ("localhost", f"localhost:{live.port}", "192.168.1.5:8000", "[::1]:8000"):
        assert live.get("/v1/state", Host=host).status == 200
    own = {"Origin": f"http://127.0.0.1:{live.port}"}
    assert live.post("/v1/state", {"paused": False}, **own).status == 200
    visit = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert live.get("/", **visit).status == 200


def test_every_response_guards_the_browser(live):
    for path in ("/", "/nothing", "/v1/info", "/page/main.js"):
        headers = live.get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'self'; ")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in headers
        assert "Server" not in headers
    assert live.get("/v1/info").headers["Cache-Control"] == "no-store"


def test_a_proxy_may_show_it_below_a_path(serve_within):
    server, _ = serve_within(token=TOKEN, root_path="/camera")
    for prefix in ("", "/camera"):
        assert server.get(f"{prefix}/v1/info", **BEARER).status == 200
        asked = server.get(f"{prefix}/")
        assert (asked.status, asked.headers["Location"]) == (303, "/camera/login")
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    reply = server.post("/camera/login", f"token={TOKEN}".encode(), **form)
    assert "Path=/camera;" in reply.headers["Set-Cookie"]
