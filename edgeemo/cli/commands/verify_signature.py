"""``edgeemo verify-signature``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from edgeemo.cli.command import command
from edgeemo.cli.options.common import Json
from edgeemo.cli.output.console import print_facts, print_json
from edgeemo.utils.options import Argument, Option


@dataclass(frozen=True, kw_only=True)
class VerifySignatureArguments:
    """Options of ``edgeemo verify-signature``."""

    files: Annotated[
        tuple[str, ...],
        Argument("Exported files and bundles, with their .sig beside them.", metavar="FILE..."),
    ]
    key: Annotated[
        str | None,
        Option(
            "Public key: Ed25519, PEM.",
            metavar="PUBLIC.pem",
            default="any in /etc/edgeemo/keys, or in $EDGEEMO_KEYS",
        ),
    ] = None
    json: Json = False


@command(
    "edgeemo verify-signature dist/mine.pyz --key public.pem",
    "edgeemo verify-signature /opt/fleet/mine.pyz && python3 /opt/fleet/mine.pyz predict photo.jpg",
)
def verify_signature(given: VerifySignatureArguments) -> None:
    """Verify the signatures of files.

    Exit status 1 unless every file has a signature that fits. Verify a bundle in this way before it
    runs: a bundle that checks itself proves nothing.
    """
    from edgeemo.errors import SignatureError
    from edgeemo.model.signature import TRUSTED, list_trusted_keys, verify_file

    keys = [given.key] if given.key else list_trusted_keys()
    if not keys:
        raise SignatureError(f"{TRUSTED}: no public key; name one with --key")
    signers = {name: verify_file(name, keys) for name in given.files}
    if given.json:
        print_json({"keys": signers})
    else:
        print_facts(signers, title="valid, with the key")
