"""``edgeemo sign``, ``edgeemo verify-signature`` and ``edgeemo bundle --sign``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.fixture
def place(signing_keys, tmp_path, monkeypatch) -> Path:
    """A working folder with a pair of keys and an exported file."""
    shutil.copy(signing_keys / "mine.pem", tmp_path / "key.pem")
    shutil.copy(signing_keys / "mine.pub", tmp_path / "public.pem")
    shutil.copy(GOLDEN / "int8.tflite", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_sign_and_verify(edgeemo, place):
    signed = edgeemo("sign", "--key", "key.pem", "int8.tflite", "--json")
    assert json.loads(signed.out) == {"signatures": {"int8.tflite": "int8.tflite.sig"}}
    valid = edgeemo("verify-signature", "int8.tflite", "--key", "public.pem")
    assert valid.status == 0
    assert "public.pem" in valid.out
    with Path("int8.tflite").open("ab") as stream:
        stream.write(b"x")
    changed = edgeemo("verify-signature", "int8.tflite", "--key", "public.pem")
    assert (changed.status, changed.out) == (1, "")
    assert "the file was changed, or signed with another key" in changed.err


def test_the_trusted_keys_are_the_default(edgeemo, place, monkeypatch):
    none = edgeemo("verify-signature", "int8.tflite")
    assert none.err == "error: /etc/edgeemo/keys: no public key; name one with --key\n"
    (place / "trusted").mkdir()
    shutil.copy("public.pem", "trusted")
    monkeypatch.setenv("EDGEEMO_KEYS", "trusted")
    refused = edgeemo("info", "int8.tflite")
    assert refused.err == "error: int8.tflite: not signed: int8.tflite.sig is missing\n"
    edgeemo("sign", "int8.tflite", "--key", "key.pem")
    assert edgeemo("verify-signature", "int8.tflite", "--json").status == 0
    assert edgeemo("info", "int8.tflite").status == 0


def test_a_bundle_is_signed(edgeemo, place):
    made = edgeemo("bundle", "int8.tflite", "--out", "b.pyz", "--sign", "key.pem", "--json")
    assert json.loads(made.out)["signature"] == "b.pyz.sig"
    assert edgeemo("verify-signature", "b.pyz", "--key", "public.pem").status == 0


def test_a_wrong_key_is_refused_before_the_work(edgeemo, place):
    shown = edgeemo("bundle", "int8.tflite", "--out", "b.pyz", "--sign", "public.pem")
    assert shown.status == 1
    assert "public.pem: not an Ed25519 private key" in shown.err
    assert not Path("b.pyz").exists()
