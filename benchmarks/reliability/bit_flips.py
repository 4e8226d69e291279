"""Is a changed exported file ever accepted with another meaning?

    python -m benchmarks.reliability.run flips
    python -m benchmarks.reliability.bit_flips [FILE ...]

For each file, by default the golden int8 models of the tests, it flips

* every bit behind the model, one at a time: of the spec, the labels and the checksum;
* every bit of the model, or `SAMPLE` of them, drawn with a fixed seed;

and it makes 2,000 files whose spec was edited and whose checksum is broken, also with a fixed seed.
It counts how many of them `unseal` accepts, and how many of those with another spec or another
model. No engine runs. The second form prints a row per file; its exit status is 1 if any is
accepted with another meaning.
"""

from __future__ import annotations

import hashlib
import random
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.reliability.check import Check
from edgeemo.errors import EdgeEmoError
from edgeemo.model.container import unseal_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GOLDEN = Path(__file__).parents[2] / "tests" / "golden"
DEFAULT_FILES = (GOLDEN / "int8.tflite", GOLDEN / "int8.onnx")
BROKEN = 2000
SAMPLE = 2000
SEED = 15
_DIGEST = re.compile(rb'(?:(?<="model_sha256": ")|(?<= ))[0-9a-f]{64}')
_MODEL_BYTES = re.compile(rb'"model_bytes": (\d+)')


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Outcome of one kind of change.

    Attributes:
        tried: Number of changed files.
        accepted: Number of those that were read as models.
        altered: Number of those whose spec or model is another than that of the file.
    """

    tried: int
    accepted: int
    altered: int


@dataclass(frozen=True)
class Subject:
    """An exported file to change.

    Attributes:
        name: Name of the file.
        content: Its bytes.
    """

    name: str
    content: bytes

    @property
    def model_bytes(self) -> int:
        """Return the length of the model, which the spec follows."""
        (length,) = _MODEL_BYTES.findall(self.content)
        return int(length)

    def count(self, changed: Iterator[bytes]) -> Counts:
        """Return the outcome for changed copies of the file."""
        spec, model = self._read(self.content), self.content[: self.model_bytes]
        tried = accepted = altered = 0
        for content in changed:
            tried += 1
            try:
                found = self._read(content)
            except EdgeEmoError:
                continue
            accepted += 1
            altered += found != spec or content[: len(model)] != model
        return Counts(tried=tried, accepted=accepted, altered=altered)

    def _read(self, content: bytes) -> str:
        return unseal_bytes(content, name=self.name).spec.to_json()

    def flip_behind_model(self) -> Iterator[bytes]:
        """Yield the file with each bit behind the model flipped."""
        return self._flip(range(8 * self.model_bytes, 8 * len(self.content)))

    def flip_model(self, count: int | None) -> Iterator[bytes]:
        """Yield the file with each of `count` bits of the model flipped; all if None."""
        bits = range(8 * self.model_bytes)
        return self._flip(bits if count is None else random.Random(SEED).sample(bits, count))

    def _flip(self, bits: Iterator[int] | range | list[int]) -> Iterator[bytes]:
        for bit in bits:
            changed = bytearray(self.content)
            changed[bit // 8] ^= 1 << bit % 8
            yield bytes(changed)

    def break_checksum(self, count: int) -> Iterator[bytes]:
        """Yield `count` files with an edited spec and a broken checksum."""
        drawn = random.Random(SEED)
        for _ in range(count):
            yield drawn.choice(BREAKS)(self._edit(drawn), drawn)

    def _edit(self, drawn: random.Random) -> bytes:
        """Return the file with one letter or digit of the spec replaced by another."""
        start, end = self.content.index(b'"spec"') + 6, self.content.rindex(b"}")
        places = [at for at in range(start, end) if self.content[at : at + 1].isalnum()]
        at = drawn.choice(places)
        letters = b"0123456789" if self.content[at : at + 1].isdigit() else b"abcdefghikmnoprstuvw"
        new = drawn.choice([each for each in letters if each != self.content[at]])
        return self.content[:at] + bytes([new]) + self.content[at + 1 :]


def _replace_digest(content: bytes, digest: bytes) -> bytes:
    (found,) = _DIGEST.finditer(content)
    return content[: found.start()] + digest + content[found.end() :]


def _keep(content: bytes, drawn: random.Random) -> bytes:
    return content


def _random(content: bytes, drawn: random.Random) -> bytes:
    return _replace_digest(content, drawn.randbytes(32).hex().encode())


def _zeros(content: bytes, drawn: random.Random) -> bytes:
    return _replace_digest(content, b"0" * 64)


def _of_nothing(content: bytes, drawn: random.Random) -> bytes:
    """Claim a model of no bytes, whose digest is right."""
    (length,) = _MODEL_BYTES.findall(content)
    key = b'"model_bytes": '
    claimed = content.replace(key + length, key + b"0".ljust(len(length)))
    return _replace_digest(claimed, hashlib.sha256(b"").hexdigest().encode())


def _of_model(content: bytes, drawn: random.Random) -> bytes:
    """Give the digest of the model alone."""
    (length,) = _MODEL_BYTES.findall(content)
    return _replace_digest(content, hashlib.sha256(content[: int(length)]).hexdigest().encode())


def _capitals(content: bytes, drawn: random.Random) -> bytes:
    (found,) = _DIGEST.findall(content)
    return _replace_digest(content, found.upper())


BREAKS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _keep, _random, _zeros, _of_nothing, _of_model, _capitals,
)  # fmt: skip


def measure() -> list[Check]:
    """Return the check of every bit of `DEFAULT_FILES`, and of as many broken checksums."""
    found = [measure_file(path, sample=None) for path in DEFAULT_FILES]
    tried = [sum(counts[change].tried for counts in found) for change in found[0]]
    altered = sum(counts.altered for each in found for counts in each.values())
    behind, inside, broken = tried
    return [
        Check(
            name=f"every single-bit flip of one .tflite and one .onnx ({behind:,} behind the model,"
            f" {inside:,} in it), {broken:,} with a broken checksum: accepted with another meaning",
            measured=f"{altered:,}",
            promise="0",
            kept=altered == 0,
        )
    ]


def measure_file(
    path: Path, *, broken: int = BROKEN, sample: int | None = SAMPLE
) -> dict[str, Counts]:
    """Return the outcome of each kind of change of an exported file.

    Args:
        path: The file.
        broken: Number of files with a broken checksum.
        sample: Number of bits of the model that are flipped; all if None.
    """
    subject = Subject(path.name, path.read_bytes())
    return {
        "bit behind the model flipped": subject.count(subject.flip_behind_model()),
        "bit of the model flipped": subject.count(subject.flip_model(sample)),
        "spec edited, checksum broken": subject.count(subject.break_checksum(broken)),
    }


def main(files: list[str]) -> int:
    """Print a line for each file and kind of change."""
    altered = 0
    print("| file | change | tried | accepted | with another meaning |")
    print("|---|---|---:|---:|---:|")
    for path in map(Path, files or DEFAULT_FILES):
        for change, counts in measure_file(path).items():
            numbers = (counts.tried, counts.accepted, counts.altered)
            print(f"| {path.name} | {change} |", " | ".join(f"{each:,}" for each in numbers), "|")
            altered += counts.altered
    return int(altered > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
