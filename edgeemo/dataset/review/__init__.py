"""Review of the images that a check finds odd, in a browser: a person decides.

Needs the ``data`` extra; no TensorFlow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.lazy import import_on_use

if TYPE_CHECKING:
    from edgeemo.dataset.review.queue import ReviewItem, build_queue
    from edgeemo.dataset.review.server import ReviewServer, serve_review
    from edgeemo.dataset.review.session import ReviewSession, prepare_review

__all__ = [
    "ReviewItem",
    "ReviewServer",
    "ReviewSession",
    "build_queue",
    "prepare_review",
    "serve_review",
]

__getattr__ = import_on_use(
    __name__,
    {
        "ReviewItem": "edgeemo.dataset.review.queue",
        "ReviewServer": "edgeemo.dataset.review.server",
        "ReviewSession": "edgeemo.dataset.review.session",
        "build_queue": "edgeemo.dataset.review.queue",
        "prepare_review": "edgeemo.dataset.review.session",
        "serve_review": "edgeemo.dataset.review.server",
    },
)
