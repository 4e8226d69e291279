"""Verify signatures of exported files and bundles: Ed25519 (RFC 8032) over the whole file.

The signature of ``NAME`` is ``NAME.sig``, its 64 bytes. Keys are PEM files as OpenSSL writes them.
A machine with a public key in `TRUSTED` runs signed files only. Needs the package
`cryptography` (the ``sign`` extra), which is imported when something is verified.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from edgeemo.errors import MissingExtraError, SignatureError

if TYPE_CHECKING:
    from collections.abc import Sequence

SUFFIX = ".sig"
TRUSTED = "/etc/edgeemo/keys"
"""Folder of the public keys (``*.pem``) whose signatures a machine trusts."""

VARIABLE = "EDGEEMO_KEYS"
"""Environment variable that names another folder; it must exist."""


def verify_file(path: str | os.PathLike[str], keys: Sequence[str]) -> str:
    """Verify the signature of a file.

    Args:
        path: The file.
        keys: PEM files of Ed25519 public keys; one of them has to fit.

    Returns:
        The key that fits.

    Raises:
        SignatureError: If there is no signature, or no key fits it.
        MissingExtraError: If the package `cryptography` is not installed.
    """
    name = os.fspath(path)
    content, signature = read_bytes(name), _read_signature(name)
    invalid = import_cryptography().exceptions.InvalidSignature
    for key in keys:
        try:
            _read_public_key(key).verify(signature, content)
        except invalid:
            continue
        return key
    raise SignatureError(
        f"{name}: its signature {name}{SUFFIX} fits none of the keys {', '.join(keys)}; the file "
        "was changed, or signed with another key"
    )


def require_signature(path: str | os.PathLike[str]) -> None:
    """Refuse an unsigned file on a machine that trusts certain keys; elsewhere do nothing.

    Raises:
        SignatureError: If the machine has keys, and none of them signed the file.
        MissingExtraError: If the machine has keys and the package `cryptography` is not installed.
    """
    keys = list_trusted_keys()
    if keys:
        verify_file(path, keys)


def list_trusted_keys() -> list[str]:
    """Return the public keys that this machine trusts, in the order of their names.

    Raises:
        SignatureError: If the folder cannot be read, or `VARIABLE` names none.
    """
    folder = os.environ.get(VARIABLE) or TRUSTED
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".pem"))  # noqa: PTH208 - pathlib is slow to import
    except FileNotFoundError:
        if folder == TRUSTED:
            return []
        raise SignatureError(f"{folder}: no such folder of keys; correct {VARIABLE}") from None
    except OSError as error:
        raise SignatureError(f"{folder}: {error.strerror}: the trusted keys") from None
    return [f"{folder}/{name}" for name in names]


def _read_public_key(path: str) -> Any:
    package = import_cryptography()
    try:
        key = package.hazmat.primitives.serialization.load_pem_public_key(read_bytes(path))
    except (ValueError, package.exceptions.UnsupportedAlgorithm):
        key = None
    if not isinstance(key, package.hazmat.primitives.asymmetric.ed25519.Ed25519PublicKey):
        raise SignatureError(
            f"{path}: not an Ed25519 public key; 'openssl pkey -in key.pem -pubout' prints it"
        )
    return key


def _read_signature(name: str) -> bytes:
    place = f"{name}{SUFFIX}"
    if not os.path.exists(place):  # noqa: PTH110
        raise SignatureError(f"{name}: not signed: {place} is missing")
    signature = read_bytes(place)
    if len(signature) != 64:
        raise SignatureError(f"{place}: {len(signature)} bytes, not the 64 of a signature")
    return signature


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a file.

    Raises:
        SignatureError: If it cannot be read.
    """
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - pathlib is slow to import
            return stream.read()
    except OSError as error:
        raise SignatureError(f"{path}: {(error.strerror or str(error)).lower()}") from None


def import_cryptography() -> Any:
    """Return the package `cryptography` with the modules of Ed25519.

    Raises:
        MissingExtraError: If it is not installed.
    """
    try:
        import cryptography.exceptions
        import cryptography.hazmat.primitives.asymmetric.ed25519
        import cryptography.hazmat.primitives.serialization
    except ImportError:
        raise MissingExtraError("cryptography", purpose="signing or verifying a file") from None
    return cryptography
