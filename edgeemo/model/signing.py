"""Sign exported files and bundles; see `edgeemo.model.signature`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from edgeemo.errors import SignatureError
from edgeemo.model.signature import SUFFIX, import_cryptography, read_bytes
from edgeemo.utils.files import write_file


def sign_file(path: str | os.PathLike[str], key: str | os.PathLike[str]) -> Path:
    """Sign a file.

    Args:
        path: The file.
        key: PEM file of an Ed25519 private key without a password.

    Returns:
        The path of the signature, beside the file.

    Raises:
        SignatureError: If the key or the file cannot be used.
        MissingExtraError: If the package `cryptography` is not installed.
    """
    signature = read_private_key(key).sign(read_bytes(path))
    return write_file(Path(f"{os.fspath(path)}{SUFFIX}"), signature)


def read_private_key(path: str | os.PathLike[str]) -> Any:
    """Return the Ed25519 private key of a PEM file.

    Raises:
        SignatureError: If it is none, or has a password.
        MissingExtraError: If the package `cryptography` is not installed.
    """
    package = import_cryptography()
    try:
        key = package.hazmat.primitives.serialization.load_pem_private_key(read_bytes(path), None)
    except (ValueError, TypeError, package.exceptions.UnsupportedAlgorithm):
        key = None
    if not isinstance(key, package.hazmat.primitives.asymmetric.ed25519.Ed25519PrivateKey):
        raise SignatureError(
            f"{path}: not an Ed25519 private key without a password; "
            f"'openssl genpkey -algorithm ed25519 -out key.pem' makes one"
        )
    return key
