"""Who may use the server: a token, the names of this machine, and no page of another site."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edgeemo.serve.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

_COOKIE = "edgeemo"
_WRONG, _WINDOW_S = 20, 10.0
"""Wrong tokens within so many seconds after which further ones are refused unseen."""


class Token:
    """A secret that a request has to show, and how often it was a wrong one.

    Args:
        secret: The secret.
    """

    def __init__(self, secret: str) -> None:
        self._digest = _digest(secret)
        key = hashlib.sha256(b"edgeemo key" + secret.encode()).digest()
        self._cookie = hmac.new(key, b"page", hashlib.sha256).hexdigest()
        self._cookie_digest = _digest(self._cookie)
        self._wrong: deque[float] = deque(maxlen=_WRONG)

    def write_cookie(self, *, path: str, is_secure: bool) -> str:
        """Return the value of Set-Cookie for a browser that has shown the secret."""
        secure = "; Secure" if is_secure else ""
        return (
            f"{_COOKIE}={self._cookie}; Path={path or '/'}; Max-Age=31536000; HttpOnly; "
            f"SameSite=Strict{secure}"
        )

    def is_shown(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request shows the secret or the cookie.

        Args:
            headers: The headers, names in lower case.

        Raises:
            ProblemError: 429 if it shows a wrong one, as many did a moment ago.
        """
        shown = _read_authorization(headers.get("authorization", ""))
        if shown:
            return self.matches(shown)
        cookie = _read_cookie(headers.get("cookie", ""))
        return bool(cookie) and hmac.compare_digest(_digest(cookie), self._cookie_digest)

    def matches(self, text: str) -> bool:
        """Return whether a text is the secret, in the same time for every text.

        Raises:
            ProblemError: As `is_shown`.
        """
        if hmac.compare_digest(_digest(text), self._digest):
            return True
        now = time.monotonic()
        is_flood = len(self._wrong) == _WRONG and now - self._wrong[0] < _WINDOW_S
        self._wrong.append(now)
        if is_flood:
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too many wrong tokens; try again later",
                retry_after_s=int(_WINDOW_S),
            )
        return False


def _list_own_names() -> frozenset[str]:
    name = socket.gethostname().lower()
    return frozenset({"localhost", name, name.partition(".")[0], f"{name.partition('.')[0]}.local"})


@dataclass(frozen=True, kw_only=True)
class Access:
    """Rules about who may use the server.

    Attributes:
        token: The token; None where none is needed.
        hosts: Further names under which the server may be addressed.
        root_path: Path below which a proxy shows the server, such as "/camera"; else empty.
        is_secure: Whether it is addressed by https.
    """

    token: Token | None = None
    hosts: tuple[str, ...] = ()
    root_path: str = ""
    is_secure: bool = False
    _own: frozenset[str] = field(default_factory=_list_own_names)

    def check_host(self, headers: Mapping[str, str]) -> None:
        """Refuse a name that is not this machine's: a foreign one that was pointed to it.

        Raises:
            ProblemError: If it is one.
        """
        name = _read_host(headers.get("host", ""))
        if name in self._own or name in self.hosts or name.endswith(".localhost"):
            return
        try:
            ipaddress.ip_address(name)
        except ValueError:
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                "the name in Host is not one of this server; --allowed-host NAME allows it",
            ) from None

    def check_origin(self, headers: Mapping[str, str], *, method: str) -> None:
        """Refuse a request that a page of another site makes.

        Raises:
            ProblemError: If it is one.
        """
        origin = headers.get("origin")
        if origin is not None:
            host = headers.get("host", "").lower()
            is_own = bool(host) and urlsplit(origin).netloc.lower() == host
        else:
            site = headers.get("sec-fetch-site", "none")
            is_visit = headers.get("sec-fetch-mode") == "navigate" and method == "GET"
            is_own = site in ("same-origin", "none") or is_visit
        if not is_own:
            raise ProblemError(
                HTTPStatus.FORBIDDEN, "pages of another site may not use this server"
            )


def _read_authorization(value: str) -> str:
    """Return the token of a header: Bearer, or Basic with any name and the token as password."""
    scheme, _, rest = value.partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except ValueError:
            return rest
    return rest.strip() if scheme.lower() == "bearer" else value


def _read_cookie(value: str) -> str:
    for pair in value.split(";"):
        name, _, content = pair.strip().partition("=")
        if name == _COOKIE:
            return content
    return ""


def _read_host(value: str) -> str:
    """Return the name or address of a Host header, without the port."""
    if value.startswith("["):
        return value[1:].partition("]")[0]
    return value.partition(":")[0].lower().rstrip(".")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
