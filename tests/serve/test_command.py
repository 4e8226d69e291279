"""``edgeemo serve`` as it is typed: what cannot be used is told in one line."""

from __future__ import annotations

import socket
import sys

import pytest

from edgeemo.serve.options import ServeOptions

LONG = "0123456789abcdef"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("--host 0.0.0.0", "--host 0.0.0.0 requires --token or --token-file"),
        ("--host 192.168.1.5", "requires --token"),
        ("--token short", "--token: a token has 16 or more ASCII characters"),
        (f"--token {LONG} --token-file x", "exclude each other"),
        ("--token-file none.txt", "--token-file none.txt: no such file"),
        ("--root-path camera", "--root-path must be like /camera"),
        ("--tls-cert a.pem", "--tls-cert requires --tls-key"),
        ("--tls-cert a.pem --tls-key b.pem", "a.pem: no such file"),
        (f"--host nowhere.invalid --token {LONG}", "--host nowhere.invalid: "),
        ("nothing-there", "nothing-there: "),
        ("test --mask 1,2", "--mask takes X,Y,W,H"),
        ("test --no-images --collect kept", "--no-images excludes --collect"),
        ("--model none", "none: no such file or folder"),
        ("--config none.toml", "none.toml: no such file"),
    ],
)
def test_what_cannot_be_used_is_one_line(edgeemo, tmp_path, monkeypatch, words, line):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EDGEEMO_TOKEN", raising=False)
    shown = edgeemo("serve", "--port", "0", *words.split())
    assert (shown.status in (1, 2), shown.out) == (True, "")
    assert shown.err.startswith("error: ")
    assert line in shown.err
    assert len(shown.err.splitlines()) == 1
    assert LONG not in shown.err


def test_a_port_in_use_is_one_line(edgeemo):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        shown = edgeemo("serve", "--port", port)
    assert shown.status == 2
    assert shown.err == (
        f"error: port {port} of 127.0.0.1: address already in use; give another --port, or 0 for "
        "any free one\n"
    )


def test_a_missing_extra_is_told_with_its_remedy(edgeemo, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    shown = edgeemo("serve")
    assert shown.status == 1
    assert shown.err.startswith("error: 'edgeemo serve' needs uvicorn, which is not installed: ")
    assert "[serve]" in shown.err


def test_the_token_comes_from_a_file_or_the_environment(tmp_path, monkeypatch):
    file = tmp_path / "token.txt"
    file.write_text(f"{LONG}\n")
    assert ServeOptions(token_file=file).read_token() == LONG
    monkeypatch.setenv("EDGEEMO_TOKEN", LONG[::-1])
    assert ServeOptions(host="0.0.0.0").read_token() == LONG[::-1]
    assert ServeOptions(token=LONG).read_token() == LONG


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_this_machine_alone_needs_no_token(host, monkeypatch):
    monkeypatch.delenv("EDGEEMO_TOKEN", raising=False)
    assert ServeOptions(host=host).read_token() is None
