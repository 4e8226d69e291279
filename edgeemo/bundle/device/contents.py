"""What a bundle holds: the manifest, the model, the golden images. No engine, no numpy.

The members are read with zipimport, which Python has loaded already, and not with zipfile, which a
Pi would pay with 50 ms.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any
from zipimport import zipimporter

from edgeemo.errors import BundleError
from edgeemo.model.face_settings import FaceSettings

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1
GOLDEN = "golden"
PHOTO = f"{GOLDEN}/photo.jpg"
"""The golden photo, in which faces are found."""


@dataclass(frozen=True, kw_only=True)
class Golden:
    """One golden image and what must come of it.

    Attributes:
        file: The member that holds it.
        decoded_sha256: SHA-256 of the decoded image's pixels, before resizing.
        pixels_sha256: SHA-256 of the array that preprocessing gives.
        outputs: What the engine answers, in [0, 1]; exactly as it gave it.
        label: The class answered, or "not sure".
        faces: Left, top and side of the faces found in the decoded image, in pixels, of which the
            first is answered; none where the image is answered as it is.
    """

    file: str
    decoded_sha256: str
    pixels_sha256: str
    outputs: tuple[float, ...]
    label: str
    faces: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a bundle says of itself.

    Attributes:
        edgeemo: The version of edgeemo that made it.
        model: The member that holds the exported file.
        model_sha256: SHA-256 of the exported file.
        engine: The engine's package, as pip calls it.
        threads: Threads per answer that the model folder's recorded default asks for, else 1.
        verified: Whether the exported file passed its verification.
        verification: Its entry in ``verify.json``, or None.
        tolerance: How far an output may lie from the golden one; 0 for int8.
        built_with: Versions of the packages that gave the golden answers.
        golden: The golden images.
        members: SHA-256 of every other member; empty in a fallback's.
        fallback: The same of a second file, which is run where the engine of the first cannot be.
        fallback_for: In a fallback's: the first file.
        faces: The face settings that apply; None where every image is taken whole.
        detector: The face detector, an `edgeemo.model.face_settings.Detector`; empty without one.
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
    golden: tuple[Golden, ...]
    members: dict[str, str]
    fallback: Manifest | None = None
    fallback_for: str = ""
    faces: FaceSettings | None = None
    detector: str = ""

    @property
    def model_text(self) -> str:
        """Return the model's name, with the file that it replaces where it is a fallback."""
        return f"{self.model}{self.fallback_text}"

    @property
    def fallback_text(self) -> str:
        """Return ", the fallback for NAME", or nothing."""
        return f", the fallback for {self.fallback_for}" if self.fallback_for else ""

    @classmethod
    def from_json(cls, text: bytes) -> Manifest:
        """Read a manifest.

        Raises:
            BundleError: If it is not one that this version understands.
        """
        try:
            fields = json.loads(text)
            version = fields.pop("version")
            if version != MANIFEST_VERSION:
                raise ValueError(f"version {version} is not {MANIFEST_VERSION}")
            fallback = fields.pop("fallback")
            return cls(**_typed(fields), fallback=cls(**_typed(fallback)) if fallback else None)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BundleError(
                f"{MANIFEST}: not a bundle's manifest ({error}); make it again"
            ) from None


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
        except ImportError:
            raise BundleError(f"{archive}: not a bundle") from None
        self.manifest = Manifest.from_json(self.member(MANIFEST))

    def member(self, name: str) -> bytes:
        """The bytes of one member.

        Raises:
            BundleError: If there is none of that name.
        """
        try:
            return self._importer.get_data(name)
        except (OSError, ImportError):
            raise BundleError(f"{self.archive}: holds no {name}; make the bundle again") from None

    def use_fallback(self) -> None:
        """Let the fallback be the bundle's file; there has to be one."""
        manifest = self.manifest
        self.manifest = replace(manifest.fallback or manifest, members=manifest.members)

    def check_members(self) -> None:
        """Hold every member against the SHA-256 in the manifest.

        Raises:
            BundleError: If one is missing, is not what it was, or does not belong there.
        """
        import zipfile
        import zlib
        from hashlib import sha256

        try:
            with zipfile.ZipFile(self.archive) as archive:
                there = {
                    name: sha256(archive.read(name)).hexdigest()
                    for name in archive.namelist()
                    if name != MANIFEST
                }
        except (zipfile.BadZipFile, zlib.error) as error:
            raise BundleError(f"{self.archive}: damaged ({error}); copy it again") from None
        if there != self.manifest.members:
            odd = min(dict(there.items() ^ self.manifest.members.items()))
            raise BundleError(
                f"{self.archive}: somebody changed {odd} inside; copy or make the bundle again"
            )


def _typed(fields: dict[str, Any]) -> dict[str, Any]:
    """A manifest's fields with the golden images and the settings as such."""
    faces = fields["faces"]
    return {
        **fields,
        "golden": tuple(map(_golden, fields["golden"])),
        "faces": FaceSettings(**faces) if faces else None,
    }


def _golden(fields: dict[str, Any]) -> Golden:
    faces = tuple((left, top, side) for left, top, side in fields["faces"])
    return Golden(**{**fields, "outputs": tuple(fields["outputs"]), "faces": faces})
