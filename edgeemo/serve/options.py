"""Options of ``edgeemo serve``, declared once."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from edgeemo.errors import OptionError
from edgeemo.serve.constants import MIN_TOKEN
from edgeemo.utils.options import Argument, Option

_SERVER, _LIMITS = "Server", "Limits"
_ENVIRONMENT = "EDGEEMO_TOKEN"

NOT_SERVED = (
    "list", "real_time", "seconds", "format", "json", "events", "annotate", "html", "clip",
    "clips", "keep",
)  # fmt: skip
"""Options of a live run that prints or writes."""


@dataclass(frozen=True, kw_only=True)
class TlsFiles:
    """Files for https.

    Attributes:
        certificate: The certificate, with those of its issuers.
        key: Its private key.
    """

    certificate: Path
    key: Path


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """Options of a server, apart from the live run and the model."""

    source: Annotated[
        str,
        Argument(
            "Camera, video or address, as of 'live', such as 0, csi or test.",
            metavar="SOURCE",
            default="none: a page to try the model with images",
        ),
    ] = ""
    host: Annotated[
        str,
        Option(
            "Address to listen on, such as 0.0.0.0 for the network; it requires a token.",
            metavar="ADDRESS",
            group=_SERVER,
        ),
    ] = "127.0.0.1"
    port: Annotated[
        int, Option("Port; 0 for any free one.", minimum=0, maximum=65535, group=_SERVER)
    ] = 8000
    token: Annotated[
        str | None,
        Option(
            f"Secret that everybody has to show, of {MIN_TOKEN} characters or more; better in "
            f"--token-file or the variable {_ENVIRONMENT}, which other users cannot see.",
            metavar="TEXT",
            default="none on this machine alone",
            group=_SERVER,
        ),
    ] = None
    token_file: Annotated[
        Path | None, Option("File with the token.", metavar="FILE", group=_SERVER)
    ] = None
    allowed_host: Annotated[
        tuple[str, ...],
        Option(
            "Further name under which the server is addressed, such as that of a proxy.",
            metavar="NAME",
            repeats=True,
            group=_SERVER,
        ),
    ] = ()
    root_path: Annotated[
        str,
        Option(
            "Path below which a proxy shows the server, such as /camera.",
            metavar="PATH",
            group=_SERVER,
        ),
    ] = ""
    tls_cert: Annotated[
        Path | None, Option("Certificate for https, PEM.", metavar="FILE", group=_SERVER)
    ] = None
    tls_key: Annotated[
        Path | None, Option("Private key of --tls-cert, PEM.", metavar="FILE", group=_SERVER)
    ] = None
    max_body: Annotated[
        int, Option("Largest request, in MB.", minimum=1, maximum=128, group=_LIMITS)
    ] = 16

    @property
    def is_local(self) -> bool:
        """Return whether this machine alone can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    @property
    def tls(self) -> TlsFiles | None:
        """Return the files for https, or None.

        Raises:
            OptionError: If one of two is given.
        """
        if self.tls_cert is None and self.tls_key is None:
            return None
        if self.tls_cert is None or self.tls_key is None:
            raise OptionError("--tls-cert requires --tls-key, and the other way round")
        return TlsFiles(certificate=self.tls_cert, key=self.tls_key)

    def read_token(self) -> str | None:
        """Return the token of the option, the file or the environment; None without one.

        Raises:
            OptionError: If there is none where one is needed, or it cannot be used.
        """
        token, origin = self.token, "--token"
        if token is not None and self.token_file is not None:
            raise OptionError("--token and --token-file exclude each other")
        if self.token_file is not None:
            token, origin = _read_file(self.token_file), str(self.token_file)
        elif token is None and _ENVIRONMENT in os.environ:
            token, origin = os.environ[_ENVIRONMENT], _ENVIRONMENT
        if token is None:
            if not self.is_local:
                raise OptionError(
                    f"--host {self.host} requires --token or --token-file, because others can "
                    f"reach it; python3 -c 'import secrets; print(secrets.token_urlsafe())' "
                    "makes one"
                )
            return None
        if len(token) < MIN_TOKEN or not (token.isascii() and token.isprintable()):
            raise OptionError(
                f"{origin}: a token has {MIN_TOKEN} or more ASCII characters, and no line ends"
            )
        return token

    def read_root_path(self) -> str:
        """Return the path below which the server is shown, without a "/" at its end.

        Raises:
            OptionError: If it is no path.
        """
        path = self.root_path.rstrip("/")
        allowed = path.replace("/", "").replace("-", "").replace("_", "").replace(".", "")
        is_path = path.startswith("/") and "//" not in path and allowed.isalnum()
        if path and not (is_path and path.isascii()):
            raise OptionError(f"--root-path must be like /camera, not {self.root_path!r}")
        return path


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OptionError(f"--token-file {path}: {reason}") from None
    except UnicodeDecodeError:
        raise OptionError(f"--token-file {path}: not a text file") from None
