"""``edgeemo sign``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from edgeemo.cli.command import command
from edgeemo.cli.options.common import Json
from edgeemo.cli.output.console import print_facts, print_json
from edgeemo.utils.options import Argument, Option


@dataclass(frozen=True, kw_only=True)
class SignArguments:
    """Options of ``edgeemo sign``."""

    files: Annotated[
        tuple[str, ...], Argument("Exported files and bundles to sign.", metavar="FILE...")
    ]
    key: Annotated[
        Path, Option("Private key: Ed25519, PEM, without a password.", metavar="KEY.pem")
    ]
    json: Json = False


@command(
    "openssl genpkey -algorithm ed25519 -out key.pem",
    "openssl pkey -in key.pem -pubout -out public.pem",
    "edgeemo sign --key key.pem models/mine/int8.tflite dist/mine.pyz",
)
def sign(given: SignArguments) -> None:
    """Sign files for devices that run signed files only.

    The signature of NAME is written as NAME.sig. A device that has the public key in
    /etc/edgeemo/keys refuses exported files and bundles without a signature that fits.
    """
    from edgeemo.model.signing import read_private_key, sign_file

    read_private_key(given.key)
    signatures = {name: str(sign_file(name, given.key)) for name in given.files}
    if given.json:
        print_json({"signatures": signatures})
    else:
        print_facts(signatures, title="signatures")
