"""Errors as problem+json (RFC 9457): a status and one sentence."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from edgeemo.serve.web import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEM = "application/problem+json"
"""Media type of an error."""


class ProblemError(Exception):
    """A request that is refused.

    Args:
        status: The status of HTTP.
        detail: One sentence: what is wrong, and the remedy.
        retry_after_s: Seconds after which the same request may be made again; 0 for none.
        headers: Further headers.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        retry_after_s: int = 0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.headers = {**(headers or {})}
        if retry_after_s:
            self.headers["Retry-After"] = str(retry_after_s)

    def reply(self) -> Response:
        """Return the response."""
        return Response(
            write_problem(self.status, self.detail),
            status_code=self.status,
            media_type=PROBLEM,
            headers=self.headers,
        )


def write_problem(status: int, detail: str) -> bytes:
    """Return the body of an error."""
    title = HTTPStatus(status).phrase
    return json.dumps({"title": title, "status": int(status), "detail": detail}).encode()


def reply_json(content: object, *, status: int = HTTPStatus.OK) -> Response:
    """Return a value of JSON as a response."""
    return Response(json.dumps(content).encode(), status_code=status, media_type="application/json")
