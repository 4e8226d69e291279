"""Signed files, and a machine that runs no others."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgeemo import Classifier
from edgeemo.bundle import make_bundle
from edgeemo.errors import MissingExtraError, SignatureError
from edgeemo.model.signature import list_trusted_keys, verify_file
from edgeemo.model.signing import sign_file

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.fixture
def model(tmp_path) -> Path:
    return Path(shutil.copy(GOLDEN / "int8.tflite", tmp_path / "int8.tflite"))


@pytest.fixture
def trusting(signing_keys, tmp_path, monkeypatch) -> Path:
    """The folder of a machine that trusts the first key alone."""
    folder = tmp_path / "trusted"
    folder.mkdir()
    shutil.copy(signing_keys / "mine.pub", folder / "mine.pem")
    monkeypatch.setenv("EDGEEMO_KEYS", str(folder))
    return folder


def test_a_signature_fits_its_file_and_its_key_alone(signing_keys, model):
    mine, other = str(signing_keys / "mine.pub"), str(signing_keys / "other.pub")
    signature = sign_file(model, signing_keys / "mine.pem")
    assert signature.stat().st_size == 64
    assert verify_file(model, [other, mine]) == mine
    with pytest.raises(SignatureError, match=r"fits none of the keys .*other\.pub"):
        verify_file(model, [other])
    content = bytearray(model.read_bytes())
    content[100] ^= 1
    model.write_bytes(content)
    with pytest.raises(SignatureError, match="the file was changed"):
        verify_file(model, [mine])


def test_openssl_agrees(signing_keys, model, tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    sign_file(model, signing_keys / "mine.pem")
    command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin"]
    files = ["-inkey", signing_keys / "mine.pub", "-in", model, "-sigfile", f"{model}.sig"]
    assert subprocess.run([*command, *files], check=False, capture_output=True).returncode == 0
    made = tmp_path / "made.pem"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", made], check=True,
        capture_output=True,
    )  # fmt: skip
    sign_file(model, made)


def test_a_machine_with_keys_runs_signed_files_only(signing_keys, model, trusting):
    with pytest.raises(SignatureError, match=r"int8\.tflite: not signed"):
        Classifier.load(model)
    sign_file(model, signing_keys / "other.pem")
    with pytest.raises(SignatureError, match="fits none"):
        Classifier.load(model)
    sign_file(model, signing_keys / "mine.pem")
    assert Classifier.load(model).spec.labels == ("happy", "sad")


def test_a_machine_without_keys_runs_any(model, monkeypatch, tmp_path):
    (tmp_path / "none").mkdir()
    monkeypatch.setenv("EDGEEMO_KEYS", str(tmp_path / "none"))
    assert list_trusted_keys() == []
    assert Classifier.load(model)
    monkeypatch.setenv("EDGEEMO_KEYS", str(tmp_path / "missing"))
    with pytest.raises(SignatureError, match="no such folder of keys"):
        Classifier.load(model)
    monkeypatch.setenv("EDGEEMO_KEYS", str(model))
    with pytest.raises(SignatureError, match="Not a directory: the trusted keys"):
        Classifier.load(model)


def test_a_bundle_asks_for_its_own_signature(signing_keys, model, trusting, monkeypatch, tmp_path):
    sign_file(model, signing_keys / "mine.pem")
    monkeypatch.delenv("EDGEEMO_KEYS")
    bundle = make_bundle(model, tmp_path / "b.pyz").path
    monkeypatch.setenv("EDGEEMO_KEYS", str(trusting))

    def run():
        command = [sys.executable, bundle, "info"]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    refused = run()
    assert refused.returncode == 1
    assert refused.stderr == f"error: {bundle}: not signed: {bundle}.sig is missing\n"
    sign_file(bundle, signing_keys / "mine.pem")
    assert run().returncode == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an Ed25519 private key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "not an Ed25519"),
        (None, "no such file"),
    ],
)
def test_a_key_that_cannot_be_used_is_one_line(model, tmp_path, content, message):
    key = tmp_path / "key.pem"
    if content is not None:
        key.write_bytes(content)
    with pytest.raises(SignatureError, match=message) as caught:
        sign_file(model, key)
    assert "\n" not in str(caught.value)


def test_a_key_of_another_kind_or_with_a_password_is_refused(signing_keys, model, tmp_path):
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    other = ec.generate_private_key(ec.SECP256R1())
    key = tmp_path / "key.pem"
    key.write_bytes(
        other.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    )
    with pytest.raises(SignatureError, match="not an Ed25519 private key"):
        sign_file(model, key)
    key.write_bytes(
        ed25519.Ed25519PrivateKey.generate().private_bytes(
            form.Encoding.PEM, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(b"word")
        )
    )
    with pytest.raises(SignatureError, match="without a password"):
        sign_file(model, key)
    with pytest.raises(SignatureError, match="not an Ed25519 public key"):
        sign_file(model, signing_keys / "mine.pem")
        verify_file(model, [str(signing_keys / "mine.pem")])


@pytest.mark.parametrize("size", [0, 63, 65])
def test_a_signature_of_another_size_is_refused(signing_keys, model, size):
    Path(f"{model}.sig").write_bytes(bytes(size))
    with pytest.raises(SignatureError, match=f"{size} bytes, not the 64"):
        verify_file(model, [str(signing_keys / "mine.pub")])


def test_without_cryptography_it_says_how_to_install_it(signing_keys, model, monkeypatch):
    for name in list(sys.modules):
        if name.split(".")[0] == "cryptography":
            monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(MissingExtraError, match="-m pip install cryptography"):
        sign_file(model, signing_keys / "mine.pem")
