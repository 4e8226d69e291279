"""The targets of the fuzzers, and the changes that suit their inputs."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.reliability import fuzz_bundles, fuzz_images, fuzz_specs
from benchmarks.reliability.mutants import mend_checksums

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 0.5, -0.0, 1e-9, 0.999999, 1e308, float("nan"), float("inf"),
    4096, 4097, 2**31, 10**17, 10**18, 10**30, "", "a", "not sure", "\x1b[31m", "a\nb", "\u202e",
    "\ud800", "yunet", "blaze", "cascade", "softmax", "sigmoid", "bilinear", "../a", [], {}, [[]],
    ["a", "b"], {"a": 1}, [1, 2, 3], "onnxruntime", "9" * 64,
)  # fmt: skip
_KEYS = ("", "a", "a\nb", "faces", "least_score", "min_score", "version", "detector", "fallback")


@dataclass(frozen=True, kw_only=True)
class Target:
    """What one fuzzer feeds.

    Attributes:
        check: The oracle's part: it takes an input, and raises `EdgeEmoError` if it is refused.
        list_seeds: Makes the first inputs.
        mend: Changes an input further, after the fuzzer's own changes, or leaves it.
        max_bytes: Length of the longest input.
        mend_alone: Share of the inputs that `mend` alone changes.
    """

    check: Callable[[bytes], None]
    list_seeds: Callable[[], tuple[bytes, ...]]
    mend: Callable[[bytes, random.Random], bytes]
    max_bytes: int
    mend_alone: float = 0.5


def mend_image(data: bytes, drawn: random.Random) -> bytes:
    """Make the checksums of a PNG right in three of four, or nothing behind them is reached."""
    if not data.startswith(b"\x89PNG") or drawn.random() < 0.25:
        return data
    content = bytearray(data)
    mend_checksums(content)
    return bytes(content)


def change_json(data: bytes, drawn: random.Random) -> bytes:
    """Change one or more values of a JSON text, which stays JSON; other bytes are left alone."""
    try:
        value = json.loads(data)
        for _ in range(drawn.choice((1, 1, 2, 4))):
            places = _list_places(value)
            if places:
                _change(*drawn.choice(places), drawn, places)
        text = json.dumps(value, ensure_ascii=drawn.random() < 0.5)
    except (ValueError, RecursionError):
        return data
    return text.encode("utf-8", "surrogatepass")


def _list_places(value: Any) -> list[tuple[Any, Any]]:
    """Return every list or object inside, each with every key of it."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict | list):
            keys = list(each) if isinstance(each, dict) else range(len(each))
            found += [(each, key) for key in keys]
            waiting += [each[key] for key in keys]
    return found


def _change(holder: Any, key: Any, drawn: random.Random, places: list[tuple[Any, Any]]) -> None:
    """Replace, remove, rename or copy one value."""
    if key not in (holder if isinstance(holder, dict) else range(len(holder))):
        return  # an earlier change removed it
    kind = drawn.randrange(8)
    if kind < 4:
        holder[key] = deepcopy(drawn.choice(_VALUES))
    elif kind == 4:
        del holder[key]
    elif kind == 5 and isinstance(holder, dict):
        holder[drawn.choice(_KEYS)] = holder.pop(key)
    else:
        other, name = drawn.choice(places)
        copied = other.get(name) if isinstance(other, dict) else other[name : name + 1]
        holder[key] = deepcopy(copied)


def _change_json_in(modes: tuple[int, ...], count: int) -> Callable[[bytes, random.Random], bytes]:
    """Return the changes of inputs whose first byte is one of `count` modes, some of them JSON."""

    def change(data: bytes, drawn: random.Random) -> bytes:
        if not data or data[0] % count not in modes or drawn.random() < 0.4:
            return data
        return data[:1] + change_json(data[1:], drawn)

    return change


TARGETS = {
    "image": Target(
        check=fuzz_images.check,
        list_seeds=fuzz_images.list_seeds,
        mend=mend_image,
        max_bytes=1 << 14,
        mend_alone=0.0,
    ),
    "container": Target(
        check=fuzz_specs.check_container,
        list_seeds=fuzz_specs.list_container_seeds,
        mend=_change_json_in(fuzz_specs.ENTRY_MODES, len(fuzz_specs.CONTAINER_MODES)),
        max_bytes=1 << 12,
    ),
    "spec": Target(
        check=fuzz_specs.check_spec,
        list_seeds=fuzz_specs.list_spec_seeds,
        mend=_change_json_in((0,), 1),
        max_bytes=1 << 12,
    ),
    "manifest": Target(
        check=fuzz_bundles.check,
        list_seeds=fuzz_bundles.list_seeds,
        mend=_change_json_in(fuzz_bundles.JSON_MODES, len(fuzz_bundles.MODES)),
        max_bytes=1 << 13,
    ),
}
