"""Run damaged and crafted bundles: none may predict, and none may end in a traceback.

    python -m benchmarks.reliability.run bundles

Damaged are those that a card, a cable or a program changed: cut short, with flipped bits, with
sectors of zeros, repeated or exchanged, with line ends converted, or longer than they were. Crafted
are those whose checksum is right and whose manifest or members are not; of these the self-test is
run, since `predict` does not hash the members.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import zipfile
from collections import Counter
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.reliability.check import Check, check_counts
from benchmarks.reliability.subjects import SHIPPED, make_face_bundle
from edgeemo.bundle.archive import pack
from edgeemo.bundle.device.contents import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Members = dict[str, bytes]

DAMAGED, CRAFTED = 600, 100
_SECTOR = 512
_IMAGE = SHIPPED / "golden" / "01.jpg"
_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1e400, 1.5, "", "\n\x1b[31m", "../../etc/passwd", "a" * 100_000, [], [None],
    {}, {"a": {"a": {"a": []}}},
)  # fmt: skip

_FREE = {"verification", "fallback"}


def measure() -> list[Check]:
    """Return the checks of damaged and of crafted bundles of the shipped model."""
    with TemporaryDirectory() as folder:
        content = make_face_bundle(Path(folder)).read_bytes()
    return attack(content, damaged=DAMAGED, crafted=CRAFTED)


def attack(content: bytes, *, damaged: int, crafted: int) -> list[Check]:
    """Return the checks of bundles made of one, and print how they ended.

    Args:
        content: The bundle.
        damaged: Number of damaged ones.
        crafted: Number of crafted ones.
    """
    with TemporaryDirectory() as folder:
        place = Path(folder, "b.pyz")
        ruined = _run_all(place, damage(content, damaged), ["predict", str(_IMAGE)])
        forged = _run_all(place, craft(content, crafted), ["selftest"])
    figures = "predicted / tracebacks"
    return [
        check_counts(f"{damaged} damaged bundles: {figures}", ruined),
        check_counts(f"{crafted} crafted bundles: passed their self-test / tracebacks", forged),
    ]


def damage(content: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield the kind of a damage and the damaged bundle."""
    drawn = random.Random(0)
    for number in range(count):
        ruin = _DAMAGES[number % len(_DAMAGES)]
        ruined = content
        while ruined == content:
            ruined = ruin(content, drawn)
        yield ruin.__name__.strip("_"), ruined


def craft(content: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield the kind of a forgery and the bundle, whose checksum is right."""
    drawn = random.Random(0)
    with zipfile.ZipFile(BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for number in range(count):
        forge = _FORGERIES[number % len(_FORGERIES)]
        forged = members
        while forged == members:
            forged = dict(members)
            forge(forged, drawn)
        yield forge.__name__.strip("_"), pack(forged)


def _run_all(place: Path, bundles: Iterator[tuple[str, bytes]], words: list[str]) -> list[int]:
    """Return the number of bundles that succeeded, and of those that ended in a traceback."""
    ends: Counter[tuple[str, str]] = Counter()
    for kind, content in bundles:
        place.write_bytes(content)
        end, said = _run(place, words)
        if end not in ("refused",):
            print(f"{kind}: {end}: {said[-300:]!r}", file=sys.stderr)
        ends[kind, end] += 1
    print(dict(ends), flush=True)
    found = Counter({end: 0 for _, end in ends})
    for (_, end), number in ends.items():
        found[end] += number
    return [found["succeeded"], found["traceback"]]


def _run(place: Path, words: list[str]) -> tuple[str, str]:
    """Return how a bundle ended, and its standard error."""
    command = [sys.executable, str(place), *words]
    run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if "Traceback" in run.stderr or run.returncode < 0:
        return "traceback", run.stderr
    if run.returncode == 0 or (words[0] == "predict" and run.stdout):
        return "succeeded", run.stdout
    return "refused", run.stderr


def _cut(content: bytes, drawn: random.Random) -> bytes:
    return content[: drawn.randrange(len(content))]


def _lose_start(content: bytes, drawn: random.Random) -> bytes:
    return content[drawn.choice((1, 4, 100, _SECTOR, drawn.randrange(len(content)))) :]


def _flip_bit(content: bytes, drawn: random.Random) -> bytes:
    changed = bytearray(content)
    changed[drawn.randrange(len(content))] ^= 1 << drawn.randrange(8)
    return bytes(changed)


def _flip_bit_of_start(content: bytes, drawn: random.Random) -> bytes:
    """Flip a bit of the program that checks the checksum."""
    start = content.index(b"start.py")
    at = drawn.randrange(start, content.index(b"__main__.py", start) - 40)
    return content[:at] + bytes([content[at] ^ 1 << drawn.randrange(8)]) + content[at + 1 :]


def _flip_bit_of_directory(content: bytes, drawn: random.Random) -> bytes:
    start = content.index(b"PK\1\2")
    at = drawn.randrange(start, len(content))
    return content[:at] + bytes([content[at] ^ 1 << drawn.randrange(8)]) + content[at + 1 :]


def _fill_sectors(content: bytes, drawn: random.Random) -> bytes:
    length = _SECTOR * drawn.choice((1, 1, 8, 64))
    at = drawn.randrange(len(content) // _SECTOR) * _SECTOR
    filling = drawn.choice((b"\0", b"\xff", drawn.randbytes(1)))
    return (content[:at] + filling * length + content[at + length :])[: len(content)]


def _exchange_sectors(content: bytes, drawn: random.Random) -> bytes:
    first, second = sorted(drawn.sample(range(len(content) // _SECTOR), 2))
    sectors = [content[at : at + _SECTOR] for at in range(0, len(content), _SECTOR)]
    sectors[first], sectors[second] = sectors[second], sectors[first]
    return b"".join(sectors)


def _repeat_part(content: bytes, drawn: random.Random) -> bytes:
    start, end = sorted(drawn.sample(range(len(content)), 2))
    return content[:end] + content[start:]


def _pad_with_zeros(content: bytes, drawn: random.Random) -> bytes:
    """Keep the length and lose the end: a copy on a full card."""
    end = drawn.randrange(len(content))
    return content[:end] + bytes(len(content) - end)


def _append(content: bytes, drawn: random.Random) -> bytes:
    return content + drawn.choice((b"\n", b"\0" * 10_000, b"</html>", content))


def _convert_line_ends(content: bytes, drawn: random.Random) -> bytes:
    return content.replace(b"\n", b"\r\n") if drawn.random() < 0.5 else content.replace(b"\r", b"")


def _insert(content: bytes, drawn: random.Random) -> bytes:
    at = drawn.randrange(len(content))
    return content[:at] + drawn.randbytes(drawn.choice((1, 2, 300))) + content[at:]


_DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _cut, _lose_start, _flip_bit, _flip_bit_of_start, _flip_bit_of_directory, _fill_sectors,
    _exchange_sectors, _repeat_part, _pad_with_zeros, _append, _convert_line_ends, _insert,
)  # fmt: skip


def _change_manifest(members: Members, drawn: random.Random) -> None:
    """Replace a value of the manifest, or of one of its golden images, by another.

    Not one of which any value of its type is right, such as the version of edgeemo.
    """
    manifest = json.loads(members[MANIFEST])
    fields = drawn.choice((manifest, manifest, drawn.choice(manifest["golden"])))
    name = drawn.choice(sorted(fields.keys() - _FREE))
    different = [value for value in _VALUES if type(value) is not type(fields[name])]
    fields[name] = drawn.choice(different)
    members[MANIFEST] = json.dumps(manifest).encode()


def _drop_field(members: Members, drawn: random.Random) -> None:
    manifest = json.loads(members[MANIFEST])
    del manifest[drawn.choice(sorted(manifest.keys() - {"fallback_for", "detector"}))]
    members[MANIFEST] = json.dumps(manifest).encode()


def _replace_manifest(members: Members, drawn: random.Random) -> None:
    members[MANIFEST] = drawn.choice(
        (b"", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"version": 2}', b'{"version": 9}')
    )


def _change_member(members: Members, drawn: random.Random) -> None:
    data = [name for name in members if not name.endswith((".py", ".pyc", MANIFEST))]
    name = drawn.choice(data)
    content = bytearray(members[name])
    content[drawn.randrange(len(content))] ^= 1 << drawn.randrange(8)
    members[name] = bytes(content)


def _empty_member(members: Members, drawn: random.Random) -> None:
    members[drawn.choice([name for name in members if name != "__main__.py"])] = b""


def _drop_member(members: Members, drawn: random.Random) -> None:
    del members[drawn.choice([name for name in members if name != "__main__.py"])]


def _add_member(members: Members, drawn: random.Random) -> None:
    members[drawn.choice(("../../evil", "golden/17.jpg", "edgeemo/x.py"))] = b"raise"


_FORGERIES: tuple[Callable[[Members, random.Random], None], ...] = (
    _change_manifest, _drop_field, _change_manifest, _replace_manifest, _change_member,
    _empty_member, _drop_member, _add_member, _change_manifest, _change_manifest,
)  # fmt: skip
