"""The body of a request: within the limits, in memory alone."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from edgeemo.serve.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from edgeemo.serve.limits import Budget, Limits
    from edgeemo.serve.web import Request

_SMALL = 64 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a request.

    Attributes:
        name: Its name, as the client gave it; "-" without one.
        content: Its bytes.
    """

    name: str
    content: bytes


@asynccontextmanager
async def receive_body(request: Request, *, limits: Limits, budget: Budget) -> AsyncIterator[bytes]:
    """Receive the body of a request, whose memory is given back at the end of the block.

    Raises:
        ProblemError: 400 if its length is none, 408 if it takes too long, 413 if it is too large,
            429 if others take all the memory.
    """
    _check_length(request, limits.body_bytes)
    taken = _Taken(budget)
    try:
        yield await _read(request, limits, taken)
    finally:
        budget.give_back(taken.size_bytes)


class _Taken:
    """The share of the budget that one body has taken."""

    def __init__(self, budget: Budget) -> None:
        self.size_bytes, self._budget = 0, budget

    def add(self, size_bytes: int) -> None:
        self._budget.take(size_bytes)
        self.size_bytes += size_bytes


async def _read(request: Request, limits: Limits, taken: _Taken) -> bytes:
    parts = []
    try:
        async with asyncio.timeout(limits.arrival_s):
            async for part in request.stream():
                if taken.size_bytes + len(part) > limits.body_bytes:
                    raise _too_large(limits.body_bytes)
                taken.add(len(part))
                parts.append(part)
    except TimeoutError:
        raise ProblemError(
            HTTPStatus.REQUEST_TIMEOUT,
            f"the request did not arrive within {limits.arrival_s:.0f} seconds",
        ) from None
    return b"".join(parts)


async def receive_json(request: Request, *, limits: Limits, budget: Budget) -> dict[str, Any]:
    """Receive a small JSON object.

    Raises:
        ProblemError: As `receive_body`; 400 if it is no JSON object, 415 if it is not said to be.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body must have Content-Type: application/json"
        )
    _check_length(request, _SMALL)
    async with receive_body(request, limits=limits, budget=budget) as body:
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            raise ProblemError(HTTPStatus.BAD_REQUEST, "the body is not JSON") from None
    if not isinstance(content, dict):
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "the body must be a JSON object")
    return content


def parse_uploads(content_type: str, body: bytes, *, max_count: int) -> list[Upload] | None:
    """Return the files of a multipart body; None where it is not multipart.

    Args:
        content_type: The header.
        body: The body.
        max_count: Most files.

    Raises:
        ProblemError: 400 if it is malformed, 422 if there are more.
    """
    from python_multipart.exceptions import MultipartParseError
    from python_multipart.multipart import MultipartParser, parse_options_header

    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data":
        return None
    parts = _Parts(parse_options_header, max_count=max_count)
    boundary = options.get(b"boundary", b"")
    try:
        if not boundary or len(boundary) > 256:
            raise MultipartParseError("no boundary")
        parser = MultipartParser(boundary, parts.callbacks)  # type: ignore[arg-type]
        parser.write(body)
        parser.finalize()
    except MultipartParseError:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, "the body is not multipart/form-data with its boundary"
        ) from None
    if not parts.has_ended:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the multipart body is cut off")
    return parts.uploads


class _Parts:
    """Collects the files of a multipart body; other fields are passed over."""

    def __init__(self, parse: Callable[[bytes], Any], *, max_count: int) -> None:
        self._parse, self._max_count = parse, max_count
        self.uploads: list[Upload] = []
        self.has_ended = False
        self._field = self._value = b""
        self._disposition = b""
        self._content: list[bytes] = []
        self.callbacks = {
            "on_part_begin": self._begin,
            "on_header_field": self._add_field,
            "on_header_value": self._add_value,
            "on_header_end": self._end_header,
            "on_part_data": lambda data, start, end: self._content.append(data[start:end]),
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._field = self._value = self._disposition = b""
        self._content = []

    def _add_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._disposition = self._value
        self._field = self._value = b""

    def _end(self) -> None:
        _, options = self._parse(self._disposition)
        if b"filename" not in options:
            return
        if len(self.uploads) >= self._max_count:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"more than {self._max_count} images in one request",
            )
        name = options[b"filename"].decode("utf-8", "replace")[:255]
        self.uploads.append(Upload(name or "-", b"".join(self._content)))

    def _finish(self) -> None:
        self.has_ended = True


def _check_length(request: Request, most: int) -> None:
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > most:
        raise _too_large(most)


def _too_large(most: int) -> ProblemError:
    size = f"{most / 2**20:g} MB" if most >= 2**20 else f"{most / 2**10:g} kB"
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is larger than {size}; make it smaller"
    )
