"""Read a bundle: the manifest, the model, the golden images. No engine, no numpy.

The members are read with zipimport, which Python has loaded already, and not with zipfile, which
costs a Pi 50 ms.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from zipimport import zipimporter

from edgeemo.errors import BundleError, SpecError
from edgeemo.utils.strict_json import parse_object, require, require_fields

if TYPE_CHECKING:
    from edgeemo.model.face_settings import FaceSettings
    from edgeemo.model.verified import VerifiedFile

MANIFEST = "manifest.json"
MANIFEST_VERSION = 2
GOLDEN = "golden"
PHOTO = f"{GOLDEN}/photo.jpg"
"""The golden photo, in which faces are detected."""

ENGINES = ("ai-edge-litert", "tflite-runtime", "onnxruntime")
"""Packages of the engines that a bundle may name."""

_TYPES: dict[str, type] = {
    "edgeemo": str, "model": str, "model_sha256": str, "engine": str, "threads": int,
    "verified": bool, "tolerance": float, "built_with": dict, "golden": list, "members": dict,
    "fallback_for": str, "detector": str, "adopted": bool,
}  # fmt: skip
_GOLDEN_TYPES: dict[str, type] = {
    "file": str, "decoded_sha256": str, "pixels_sha256": str, "outputs": list, "label": str,
    "faces": list,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class GoldenImage:
    """One golden image and its expected results.

    Attributes:
        file: The member that contains it.
        decoded_sha256: SHA-256 of the decoded image's pixels, before resizing.
        pixels_sha256: SHA-256 of the preprocessed array.
        outputs: The engine's outputs, in [0, 1], exactly.
        label: The predicted class, or "not sure".
        faces: Left, top and side of the faces detected in the decoded image, in pixels, of which
            the first is predicted; empty if the image is predicted as it is.
    """

    file: str
    decoded_sha256: str
    pixels_sha256: str
    outputs: tuple[float, ...]
    label: str
    faces: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The description of a bundle.

    Attributes:
        edgeemo: Version of edgeemo that made it.
        model: The member that contains the exported file.
        model_sha256: SHA-256 of the exported file.
        engine: The engine's package, as pip calls it.
        threads: Threads per prediction of the model folder's recorded default, else 1.
        verified: Whether the exported file passed its verification.
        verification: Its entry in ``verify.json``, or None.
        tolerance: Maximum difference of an output from the golden one; 0 for int8, but one step of
            the output for a softmax.
        built_with: Versions of the packages that gave the golden outputs.
        golden: The golden images.
        members: SHA-256 of every other member; empty in a fallback's.
        fallback: Description of a second file, which is used if the engine of the first cannot be.
        fallback_for: In a fallback's: name of the first file.
        faces: The face settings that apply; None takes every image whole.
        detector: Face detector, an `edgeemo.model.face_settings.Detector`; empty without one.
        adopted: Whether the model was adopted: it has no reference model to be verified against.
    """

    edgeemo: str
    model: str
    model_sha256: str
    engine: str
    threads: int
    verified: bool
    verification: dict[str, Any] | None
    tolerance: float
    built_with: dict[str, str]
    golden: tuple[GoldenImage, ...]
    members: dict[str, str]
    fallback: Manifest | None = None
    fallback_for: str = ""
    faces: FaceSettings | None = None
    detector: str = ""
    adopted: bool = False

    @property
    def verified_file(self) -> VerifiedFile | None:
        """Return the verification of the exported file, or None."""
        from edgeemo.model.verified import parse_entry

        return parse_entry(self.verification) if self.verification else None

    @property
    def model_text(self) -> str:
        """Return the model's name, with the file that it replaces if it is a fallback."""
        note = f", the fallback for {self.fallback_for}" if self.fallback_for else ""
        return f"{self.model}{note}"

    @classmethod
    def from_json(cls, text: bytes) -> Manifest:
        """Read a manifest.

        Raises:
            BundleError: If it is not a manifest of this version.
        """
        try:
            fields = parse_object(text)
            version = fields.pop("version")
            if version != MANIFEST_VERSION:
                raise ValueError(f"version {version} is not {MANIFEST_VERSION}")
            fallback = fields.pop("fallback")
            manifest = cls(
                **_parse_fields(fields),
                fallback=cls(**_parse_fields(fallback)) if fallback else None,
            )
            for each in (manifest, manifest.fallback):
                if each and manifest.members.get(each.model) != each.model_sha256:
                    raise ValueError("model_sha256: is not that of the member")
            return manifest
        except (ValueError, TypeError, KeyError, SpecError) as error:
            raise _refuse(f"{MANIFEST}: not a bundle's manifest ({error}); make it again") from None


class Contents:
    """An opened bundle.

    Args:
        archive: Path of the ``.pyz``.

    Raises:
        BundleError: If it is not a bundle.
    """

    def __init__(self, archive: str) -> None:
        self.archive = archive
        try:
            self._importer = zipimporter(archive)
        except MemoryError:
            raise
        except Exception:  # a broken directory of members raises almost anything
            raise BundleError(f"{archive}: not a bundle") from None
        self.manifest = Manifest.from_json(self.member(MANIFEST))

    def member(self, name: str) -> bytes:
        """Return the bytes of one member.

        Raises:
            BundleError: If there is none of that name.
        """
        try:
            return self._importer.get_data(name)
        except MemoryError:
            raise
        except Exception:  # as in `__init__`
            raise _refuse(f"{self.archive}: contains no {name}; make it again") from None

    def use_fallback(self) -> None:
        """Make the fallback, which must exist, the bundle's file."""
        manifest = self.manifest
        self.manifest = replace(manifest.fallback or manifest, members=manifest.members)

    def check_members(self) -> None:
        """Check every member against its SHA-256 in the manifest.

        Raises:
            BundleError: If one is missing, was changed, or does not belong there.
        """
        import zipfile
        from hashlib import sha256

        try:
            with zipfile.ZipFile(self.archive) as archive:
                found = {
                    name: sha256(archive.read(name)).hexdigest()
                    for name in archive.namelist()
                    if name != MANIFEST
                }
        except MemoryError:
            raise
        except Exception as error:  # as in `__init__`
            raise _refuse(f"{self.archive}: damaged ({error}); copy it again") from None
        if found != self.manifest.members:
            changed = min(dict(found.items() ^ self.manifest.members.items()))
            raise _refuse(
                f"{self.archive}: {changed} was changed; copy the bundle or make it again"
            )


def _refuse(message: str) -> BundleError:
    """Return the error of a bundle, whose names and values may hold anything, as one line."""
    from edgeemo.utils.text import escape_controls

    return BundleError(escape_controls(message))


def _parse_fields(fields: dict[str, Any]) -> dict[str, Any]:
    # By hand: reading by type hints would cost every start of a bundle some milliseconds on a Pi.
    fields = require_fields(fields, _TYPES)
    if fields.pop("fallback", None) is not None:
        raise ValueError("fallback: has a fallback itself")
    fields["golden"] = tuple(map(_parse_golden, fields["golden"]))
    if not fields["golden"]:
        raise ValueError("golden: an image expected")
    for name, digest in fields["members"].items():
        require(digest, str, name)
    if fields["verification"] is not None:
        from edgeemo.model.verified import parse_entry

        parse_entry(fields["verification"])
    if fields["threads"] < 1:
        raise ValueError("threads: 1 or more expected")
    if fields["engine"] not in ENGINES:
        raise ValueError(f"engine {fields['engine']!r} is unknown")
    for name, version in fields["built_with"].items():
        require(version, str, name)
    if fields["detector"]:
        from edgeemo.model.face_settings import parse_detector

        parse_detector(fields["detector"])
    if fields["faces"] is not None:
        from edgeemo.model.face_settings import parse_settings  # not every bundle detects faces

        fields["faces"] = parse_settings(fields["faces"])
    return fields


def _parse_golden(fields: Any) -> GoldenImage:
    fields = require_fields(fields, _GOLDEN_TYPES, GOLDEN)
    for output in fields["outputs"]:
        require(output, float, "outputs")
    for number in [number for face in fields["faces"] for number in require(face, list, "faces")]:
        require(number, int, "faces")
    faces = tuple((left, top, side) for left, top, side in fields["faces"])
    return GoldenImage(**{**fields, "outputs": tuple(fields["outputs"]), "faces": faces})
