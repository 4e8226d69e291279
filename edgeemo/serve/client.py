"""A client of ``edgeemo serve``, of the standard library alone."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from edgeemo.errors import ImageError, RequestError
from edgeemo.runtime.prediction import ImageResult, Prediction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_TOO_LARGE, _UNPROCESSABLE = 413, 422
_RETRY_S = 1.0


@dataclass(frozen=True, kw_only=True)
class ServedEvent:
    """An event of the live run.

    Attributes:
        id: Its id; `Client.events` resumes behind it.
        kind: "appeared", "changed", "left", "lost" or "back".
        fields: All that is known of it.
    """

    id: str
    kind: str
    fields: Mapping[str, Any]


class Client:
    """A client of a server; one thread may use it, which keeps one connection open.

    Args:
        url: Address of the server, with its --root-path.
        token: The token, where it needs one.
        timeout_s: Longest time to wait for an answer, in seconds.

    Example:
        >>> with Client("http://raspberrypi.local:8000", token="...") as client:  # doctest: +SKIP
        ...     client.predict("photo.jpg")[0].label
        'happy'
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        token: str | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"url must be like http://127.0.0.1:8000, not {url!r}")
        self._parts, self._timeout_s = parts, timeout_s
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._kept: http.client.HTTPConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def predict(self, image: str | os.PathLike[str] | bytes) -> tuple[Prediction, ...]:
        """Predict every face in an image, the largest first; or the image taken whole.

        Args:
            image: Path or content of an image file.

        Returns:
            The predictions, as of `edgeemo.Classifier.predict_all`.

        Raises:
            ImageError: If the server cannot read the image.
            RequestError: If the server refuses the request, or does not answer.
        """
        _, content = _read(image)
        try:
            reply = self._post("v1/predict", content, "application/octet-stream")
        except RequestError as error:
            if error.status in (_TOO_LARGE, _UNPROCESSABLE):
                raise ImageError(str(error)) from None
            raise
        return _parse_result(reply["images"][0]).predictions

    def predict_results(
        self, images: Iterable[str | os.PathLike[str] | bytes]
    ) -> list[ImageResult]:
        """Predict several images in one request; one that cannot be read does not stop the rest.

        Args:
            images: As in `predict`; at most as many as `info` states.

        Raises:
            RequestError: As `predict`, also where no image can be read.
        """
        boundary = secrets.token_hex(16)
        parts = [_write_part(boundary, *_read(each)) for each in images]
        body = b"".join(parts) + f"--{boundary}--\r\n".encode()
        reply = self._post("v1/predict", body, f"multipart/form-data; boundary={boundary}")
        return [_parse_result(each) for each in reply["images"]]

    def info(self) -> dict[str, Any]:
        """Return what is known of the server: its model, its source, its limits."""
        return self._get_json("v1/info")

    def state(self) -> dict[str, Any]:
        """Return what the live run sees now."""
        return self._get_json("v1/state")

    def set_state(self, **settings: bool | float | None) -> dict[str, Any]:
        """Change the live run: `paused`, `min_confidence` (None for the model's).

        Raises:
            RequestError: If a setting is wrong.
        """
        return self._post("v1/state", json.dumps(settings).encode(), "application/json")

    def switch_model(self, name: str) -> dict[str, Any]:
        """Have the server continue with another model, one of ``info()["models"]``.

        Raises:
            RequestError: If it cannot be used; the present one then stays.
        """
        return self._post("v1/model", json.dumps({"model": name}).encode(), "application/json")

    def snapshot(self) -> bytes:
        """Return the newest image, a JPEG file.

        Raises:
            RequestError: If there is none.
        """
        return self._request("GET", "v1/snapshot.jpg")

    def is_healthy(self) -> bool:
        """Return whether the server answers, and its source, if any, gives images."""
        try:
            self._request("GET", "healthz")
        except RequestError:
            return False
        return True

    def events(self, *, after: str = "") -> Iterator[ServedEvent]:
        """Yield the events of the live run, for ever: a lost connection is opened again.

        Args:
            after: Id of the last event that is known; "" for none.

        Raises:
            RequestError: If the server refuses the request.
        """
        while True:
            connection = self._connect()
            try:
                for event in self._read_events(connection, after):
                    after = event.id
                    yield event
            except (OSError, http.client.HTTPException):
                pass  # the server stopped, or the network is away
            finally:
                connection.close()
            time.sleep(_RETRY_S)

    def _read_events(
        self, connection: http.client.HTTPConnection, after: str
    ) -> Iterator[ServedEvent]:
        headers = {**self._headers, **({"Last-Event-ID": after} if after else {})}
        connection.request("GET", self._path("v1/events"), headers=headers)
        response = connection.getresponse()
        if response.status != http.client.OK:
            raise _make_error(response.status, response.headers, response.read())
        fields: dict[str, str] = {}
        for line in response:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                fields[name] = value
            elif "data" in fields:
                yield ServedEvent(
                    id=fields["id"], kind=fields["event"], fields=json.loads(fields["data"])
                )
                fields = {}

    def _get_json(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._request("GET", path))
        return found

    def _post(self, path: str, body: bytes, kind: str) -> dict[str, Any]:
        reply: dict[str, Any] = json.loads(self._request("POST", path, body, kind))
        return reply

    def _request(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> bytes:
        headers = {**self._headers, **({"Content-Type": kind} if kind else {})}
        is_fresh = self._kept is None
        self._kept = connection = self._kept or self._connect()
        try:
            connection.request(method, self._path(path), body, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if not (
                is_fresh or isinstance(error, TimeoutError)
            ):  # the server closed the connection while it was idle
                return self._request(method, path, body, kind)
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise RequestError(
                f"{self._parts.netloc}: the server does not answer ({reason.lower()})"
            ) from None
        if response.status >= http.client.BAD_REQUEST:
            raise _make_error(response.status, response.headers, content)
        return content

    def _connect(self) -> http.client.HTTPConnection:
        is_secure = self._parts.scheme == "https"
        connect = http.client.HTTPSConnection if is_secure else http.client.HTTPConnection
        return connect(self._parts.hostname or "", self._parts.port, timeout=self._timeout_s)

    def _path(self, path: str) -> str:
        return f"{self._parts.path.rstrip('/')}/{path}"


def _read(image: str | os.PathLike[str] | bytes) -> tuple[str, bytes]:
    """Return name and content of an image file."""
    if isinstance(image, bytes):
        return "-", image
    try:
        with open(image, "rb") as stream:  # noqa: PTH123 - pathlib is slow to import
            return os.path.basename(image), stream.read()  # noqa: PTH119
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ImageError(f"{os.fspath(image)}: {reason}") from None


def _write_part(boundary: str, name: str, content: bytes) -> bytes:
    plain = name.encode("ascii", "replace").decode().replace('"', "'")
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{plain}"\r\n\r\n'
    )
    return head.encode() + content + b"\r\n"


def _parse_result(found: Mapping[str, Any]) -> ImageResult:
    faces = found.get("faces", () if "error" in found else (found,))
    return ImageResult(
        source=found["file"],
        predictions=tuple(map(_parse_prediction, faces)),
        error=found.get("error"),
        ms=found["ms"],
    )


def _parse_prediction(found: Mapping[str, Any]) -> Prediction:
    face = None
    if "box" in found:
        from edgeemo.imaging.faces import Face

        face = Face(*found["box"][:3])
    return Prediction(
        label=found["label"],
        score=found["score"],
        scores=found["scores"],
        guess=found.get("guess", found["label"]),
        face=face,
    )


def _make_error(status: int, headers: http.client.HTTPMessage, content: bytes) -> RequestError:
    try:
        detail = str(json.loads(content)["detail"])
    except (ValueError, KeyError, TypeError):
        detail = f"the server answers {status}"
    wait = headers.get("Retry-After", "")
    return RequestError(detail, status=status, retry_after_s=int(wait) if wait.isdecimal() else 0)
