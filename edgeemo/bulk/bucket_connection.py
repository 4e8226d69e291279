"""Connections to the storage of buckets, through pyarrow, and what its errors mean.

Credentials are those of the environment, as the programs of these clouds read them. An endpoint is
AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, or STORAGE_EMULATOR_HOST. pyarrow is imported with the
first request.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta
from typing import Any

from edgeemo.utils.text import one_line

_TIMEOUT_S = 10
_ATTEMPTS = 3

_REASONS = {
    r"NO_SUCH_BUCKET|Bucket '.*' not found|NOT_FOUND": "there is no such bucket",
    r"INVALID_ACCESS_KEY_ID|InvalidAccessKeyId|SIGNATURE|InvalidToken|Expired|UNRECOGNIZED": (
        "the credentials are refused: wrong or expired"
    ),
    r"OAuth2 access token|UNAUTHENTICATED|HTTP status( code:)? 401": (
        "there are no credentials; a public bucket is {scheme}anonymous@{bucket}"
    ),
    r"ACCESS_DENIED|AccessDenied|PERMISSION_DENIED|HTTP status( code:)? 403": (
        "access is denied: the credentials do not permit it, or there are none; a public bucket is "
        "{scheme}anonymous@{bucket}"
    ),
    r"PermanentRedirect|AuthorizationHeaderMalformed|HTTP status( code:)? 301": (
        "the bucket is in another region; set AWS_REGION"
    ),
    r"NETWORK_CONNECTION|CURL error|PerformWork|curlCode": "{endpoint} cannot be reached",
}
"""Patterns of pyarrow's errors, and what they mean."""


def explain_error(error: Exception, *, scheme: str, bucket: str, endpoint: str) -> str:
    """Return what an error of pyarrow's means, in one line.

    Args:
        error: The error.
        scheme: "s3://" or "gs://".
        bucket: Name of the bucket.
        endpoint: As of `find_endpoint`.
    """
    text = str(error)
    text = text.partition("AWS Error")[2] or text  # which begins with the name of the file
    for pattern, reason in _REASONS.items():
        if re.search(pattern, text):
            shown = re.sub(r"//[^/]*@", "//", endpoint) or "the storage"  # without credentials
            return reason.format(scheme=scheme, bucket=bucket, endpoint=shown)
    return one_line(error)[:300]


def find_endpoint(scheme: str) -> str:
    """Return the URL of the storage where the environment names one, else "".

    Args:
        scheme: "s3://" or "gs://".
    """
    names = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    if scheme == "gs://":
        names = ("STORAGE_EMULATOR_HOST", "CLOUD_STORAGE_EMULATOR_ENDPOINT")
    endpoint = next(filter(None, map(os.environ.get, names)), "")
    return endpoint if not endpoint or "://" in endpoint else f"http://{endpoint}"


def connect_amazon(name: str, endpoint: str, *, anonymous: bool) -> Any:
    """Return pyarrow's file system for a bucket of Amazon's, or of what speaks like it.

    Args:
        name: Name of the bucket.
        endpoint: URL of the storage; "" for Amazon's.
        anonymous: Whether to use no credentials.

    Raises:
        OSError: If the region of the bucket cannot be found out.
    """
    from pyarrow import fs

    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not endpoint:
        region = fs.resolve_s3_region(name)  # a bucket of Amazon's knows its own
    return fs.S3FileSystem(
        anonymous=anonymous,
        region=region or "us-east-1",
        allow_delayed_open=True,  # a small file is one request instead of three
        endpoint_override=endpoint or None,
        connect_timeout=_TIMEOUT_S,
        request_timeout=_TIMEOUT_S,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
    )


def connect_google(_name: str, endpoint: str, *, anonymous: bool) -> Any:
    """Return pyarrow's file system for a bucket of Google's, as `connect_amazon` does."""
    from pyarrow import fs

    scheme, _, host = endpoint.partition("://")
    return fs.GcsFileSystem(
        anonymous=anonymous or bool(endpoint),
        scheme=scheme or None,
        endpoint_override=host or None,
        retry_time_limit=timedelta(seconds=_TIMEOUT_S),
    )
