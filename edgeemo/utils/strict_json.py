"""Read JSON that somebody else wrote: nothing is guessed, and every fault is a `ValueError`.

`json.loads` takes NaN, the last of equal keys and numbers without end, and dies of nesting.
Standard library only, and of it only what starts fast.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_DEPTH = 50
MAX_BYTES = 1 << 26
_MAX_DIGITS = 18
_BOM = b"\xef\xbb\xbf"

_NAMES: dict[type, str] = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Args:
        text: The JSON text; bytes are UTF-8.

    Raises:
        ValueError: If it is not JSON (RFC 8259), is larger than `MAX_BYTES` or nested deeper than
            `MAX_DEPTH`, repeats a key, has a number that is infinite, not a number or an integer
            of more than 18 digits, or has half of a character, which could not be written again.
    """
    if len(text) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES >> 20} MiB")
    if isinstance(text, bytes):
        text = text.removeprefix(_BOM).decode()
    try:
        value = json.loads(
            text,
            object_pairs_hook=_to_object,
            parse_int=_to_integer,
            parse_float=_to_number,
            parse_constant=_refuse_constant,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    _check_depth(value, MAX_DEPTH)
    if "\\ud" in text or "\\uD" in text:  # the only way to write half of a surrogate pair
        _check_characters(value)
    return value


def parse_object(text: str | bytes) -> dict[str, Any]:
    """Return the object of a JSON text, as `parse_json` does.

    Raises:
        ValueError: As `parse_json`, or if the text is not an object.
    """
    return dict(require(parse_json(text), dict, "its content"))


def require(value: Any, kind: type, name: str) -> Any:
    """Return a value of JSON if it has the type; `float` allows a whole number.

    Args:
        value: The value.
        kind: int, float, str, bool, list or dict. True and false are no numbers.
        name: Name of the value in the message.

    Raises:
        ValueError: If it has another type.
    """
    if type(value) is kind or (kind is float and type(value) is int):
        return value
    raise ValueError(f"{name}: {_NAMES[kind]} expected, not {type(value).__name__}")


def require_fields(
    fields: Any, kinds: Mapping[str, type], name: str = "its content"
) -> dict[str, Any]:
    """Return an object after checking the types of its values, as `require` does.

    Args:
        fields: The object.
        kinds: Type of the value of each key; a key may be missing, and others are not checked.
        name: Name of the object in the message.

    Raises:
        ValueError: If it is not an object, or a value has another type.
    """
    for key, value in require(fields, dict, name).items():
        if key in kinds:
            require(value, kinds[key], key)
    return dict(fields)


def _to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(
            f"the key {next(key for key in keys if keys.count(key) > 1)!r} is repeated"
        )
    return found


def _to_integer(digits: str) -> int:
    if len(digits.lstrip("-")) > _MAX_DIGITS:
        raise ValueError(f"an integer of more than {_MAX_DIGITS} digits")
    return int(digits)


def _to_number(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number out of range")
    return number


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _check_characters(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair") from None


def _check_depth(value: Any, left: int) -> None:
    if not isinstance(value, list | dict):
        return
    if not left:
        raise ValueError("nested too deeply")
    for each in value.values() if isinstance(value, dict) else value:
        _check_depth(each, left - 1)
