"""A request over HTTP or HTTPS, with redirections, user name and password. Standard library only.

`urllib.request` would do, but keeps the socket to itself, whose time limit has to change and which
has to be shut from another thread.
"""

from __future__ import annotations

import base64
import ssl
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from socket import SHUT_RDWR, gaierror, socket
from urllib.parse import quote, unquote, urljoin, urlsplit

from edgeemo.errors import SourceError
from edgeemo.utils.urls import hide_password

_MAX_REQUESTS = 5
_MOVED = (301, 302, 303, 307, 308)
_MEANINGS = {
    401: "refuses the user name or the password (401)",
    403: "refuses this user (403)",
    404: "has no such path (404)",
    503: "has no room for another viewer, or is starting (503)",
}
_FAILURES: dict[type[Exception], str] = {
    ConnectionRefusedError: "nothing listens there (connection refused)",
    ConnectionError: "closed the connection",
    gaierror: "no such host",
    ssl.SSLCertVerificationError: "its certificate is not trusted: name its file in SSL_CERT_FILE",
    HTTPException: "does not speak HTTP, or hung up",
    ValueError: "not an address; write special characters of a password as %40 and the like",
}
_IN_TARGET = "/?%:;=&~+!$,'@()*[]-._"


class HttpReply:
    """A reply whose content is still to be received.

    Args:
        connection: The connection, with the request sent.

    Attributes:
        content_type: Type of the content, in lower case, without its parameters.
    """

    def __init__(self, connection: HTTPConnection) -> None:
        self._connection, self._socket = connection, connection.sock
        try:
            self.response: HTTPResponse = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        self.content_type = self.response.headers.get_content_type().lower()

    def receive(self, *, timeout_s: float) -> bytes:
        """Return bytes of the content, as many as there are; none at its end.

        Raises:
            OSError: If the connection fails, or nothing comes within `timeout_s`.
        """
        self._socket.settimeout(timeout_s)
        try:
            return self.response.read1(1 << 16)
        except HTTPException as error:
            raise OSError(str(error)) from None

    def close(self) -> None:
        """Close the connection and have a `receive` in another thread end."""
        with suppress(OSError):
            socket.shutdown(self._socket, SHUT_RDWR)
        self.response.close()
        self._connection.close()


def request(address: str, *, timeout_s: float) -> HttpReply:
    """Request an address.

    Args:
        address: "http://..." or "https://...", perhaps with a user name and a password.
        timeout_s: Seconds to wait for the connection, and for each line of the reply.

    Raises:
        SourceError: If there is no reply, or one that refuses.
    """
    name = hide_password(address)
    try:
        return _follow(address, name, timeout_s)
    except (OSError, HTTPException, ValueError) as error:
        raise SourceError(f"{name}: {_explain(error, timeout_s=timeout_s)}") from None


def _explain(error: Exception, *, timeout_s: float) -> str:
    """Return the meaning of a failed connection, which holds no address."""
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_s:.0f} s"
    for kind, meaning in _FAILURES.items():
        if isinstance(error, kind):
            return meaning
    return str(getattr(error, "strerror", None) or "closed the connection")


def _follow(address: str, name: str, timeout_s: float) -> HttpReply:
    """Request an address, and again where it has moved or requires a password."""
    parts = urlsplit(address)
    credentials = (unquote(parts.username or ""), unquote(parts.password or ""))
    url, authorization = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), ""
    for _ in range(_MAX_REQUESTS):
        reply = HttpReply(_send(url, authorization, timeout_s))
        status, headers = reply.response.status, reply.response.headers
        if status == 200:
            return reply
        reply.close()
        if status == 401 and parts.username and not authorization:
            challenges = headers.get_all("WWW-Authenticate", [])
            try:
                authorization = _authorize(url, challenges, credentials)
            except ValueError:  # another algorithm, or a password beyond ASCII
                raise SourceError(f"{name}: requires a login of a kind not known here") from None
        elif status in _MOVED and headers.get("Location"):
            moved = urljoin(url, headers["Location"])
            if urlsplit(moved)[:2] != urlsplit(url)[:2]:  # nobody else is given the password
                authorization, parts = "", urlsplit(moved)
            url = moved
        else:
            raise SourceError(f"{name}: {_MEANINGS.get(status, f'answers with status {status}')}")
    raise SourceError(f"{name}: moved more than {_MAX_REQUESTS} times")


def _send(url: str, authorization: str, timeout_s: float) -> HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(url)
    make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = make(parts.hostname, parts.port, timeout=timeout_s)
    target = quote(parts._replace(scheme="", netloc="", fragment="").geturl(), safe=_IN_TARGET)
    headers = {"User-Agent": "edgeemo", "Accept": "*/*"}
    if authorization:
        headers["Authorization"] = authorization
    try:
        connection.request("GET", target or "/", headers=headers)
    except BaseException:
        connection.close()
        raise
    return connection


def _authorize(url: str, challenges: list[str], credentials: tuple[str, str]) -> str:
    """Return the header that a reply 401 requires: digest (RFC 7616) before basic (RFC 7617)."""
    digest = next((each for each in challenges if each.lower().startswith("digest ")), None)
    if digest is None:
        return f"Basic {base64.b64encode(':'.join(credentials).encode()).decode()}"
    from urllib import request as urllib_request

    passwords = urllib_request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, url, *credentials)
    handler = urllib_request.HTTPDigestAuthHandler(passwords)
    challenge = urllib_request.parse_keqv_list(
        urllib_request.parse_http_list(digest.partition(" ")[2])
    )
    made = handler.get_authorization(urllib_request.Request(url), challenge)
    return f"Digest {made}"
