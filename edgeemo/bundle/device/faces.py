"""What finds faces in a bundle: which settings hold, and what they need on the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.errors import BundleError

if TYPE_CHECKING:
    from edgeemo.bundle.device.contents import Contents
    from edgeemo.model.spec import FaceSettings

_PACKAGES = {
    "blaze": "ai-edge-litert",
    "cascade": "opencv-python-headless",
    "yunet": "opencv-python-headless",
}


def finder_package(detector: str) -> str:
    """The package that a detector runs in, as pip calls it; empty for no detector."""
    return _PACKAGES.get(detector, "")


def finder_versions(detector: str) -> dict[str, str]:
    """The version of that package, by its name; empty where pip does not know it."""
    from importlib.metadata import PackageNotFoundError, version

    package = finder_package(detector)
    try:
        return {package: version(package)} if package else {}
    except PackageNotFoundError:
        return {}


def wanted_faces(contents: Contents, faces: bool | None) -> FaceSettings | bool | None:
    """How to find faces, for `edgeemo.model.spec.ModelSpec.with_faces`.

    Args:
        contents: The bundle.
        faces: Whether they were asked for on the command line; None: as bundled.
    """
    bundled = contents.manifest.faces
    return bundled if faces is None or (faces and bundled) else faces


def prepare_finder(contents: Contents, settings: FaceSettings) -> None:
    """Make ready what finds faces, so that what it lacks is told before the first image.

    Args:
        contents: The bundle.
        settings: What finds them.

    Raises:
        BundleError: If the bundle does not hold it.
        EngineError: If its package cannot be loaded.
        FaceModelError: If its file cannot be used.
        MissingExtraError: If its package is not installed.
    """
    if settings.detector != contents.manifest.detector:
        raise BundleError(
            f"this bundle holds nothing that finds faces ({settings.detector}); make one that "
            "does: edgeemo bundle --faces"
        )
    from edgeemo.imaging.faces import face_finder

    if settings.file_sha256:
        from edgeemo.imaging.faces.model_file import FACE_MODEL, name_content

        name_content(contents.member(FACE_MODEL), name=f"{contents.archive}/{FACE_MODEL}")
    face_finder(settings)
