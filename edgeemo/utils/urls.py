"""Addresses in messages, without the passwords and keys that they hold. Standard library only."""

from __future__ import annotations

_SCHEME = "://"


def hide_password(url: str) -> str:
    """Return an address as messages, logs and pages may show it.

    Name and password, the query and the fragment are left out. A password that nobody has quoted
    may hold any character, so all up to the last "@" counts as one.

    Args:
        url: Address; a text without "://" is returned as it is.
    """
    scheme, found, rest = url.partition(_SCHEME)
    if not found:
        return url
    place = rest.rpartition("@")[2]
    for mark in "?#":
        place = place.partition(mark)[0]
    return f"{scheme}{_SCHEME}{place}"


def hide_passwords(text: object, url: str) -> str:
    """Return a message of a library in which an address is written as `hide_password` does.

    Args:
        text: The message, or an exception.
        url: The address that it may repeat.
    """
    return str(text).replace(url, hide_password(url)) if url else str(text)
