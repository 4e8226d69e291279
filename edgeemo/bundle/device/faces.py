"""Face detection in a bundle: the settings that apply, and what they require on the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.errors import BundleError

if TYPE_CHECKING:
    from edgeemo.bundle.device.contents import Contents
    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.model.face_settings import FaceSettings


def detector_package(detector: str) -> str:
    """Return the package that a detector runs in, as pip calls it; empty for no detector."""
    from edgeemo.model.face_settings import Detector

    return Detector(detector).package if detector else ""


def find_detector_versions(detector: str) -> dict[str, str]:
    """Return the version of that package, by its name; empty where pip does not know it."""
    from importlib.metadata import PackageNotFoundError, version

    package = detector_package(detector)
    try:
        return {package: version(package)} if package else {}
    except PackageNotFoundError:
        return {}


def select_faces(
    contents: Contents, model: FaceSettings | None, *, enabled: bool | None
) -> FaceSettings | None:
    """Return the face settings that apply; None where every image is taken whole.

    Args:
        contents: The bundle.
        model: The face settings of the model.
        enabled: As requested on the command line; None: as bundled.
    """
    if enabled is False:
        return None
    if enabled and contents.manifest.faces is None:
        from edgeemo.model.face_request import FaceRequest

        return FaceRequest(enabled=True).apply(model)
    return contents.manifest.faces


def read_detector_file(contents: Contents, settings: FaceSettings | None) -> DetectorFile | None:
    """Return the face detector's own file, if it has one.

    Args:
        contents: The bundle.
        settings: The face settings that apply, or None.

    Raises:
        BundleError: If the bundle does not hold the detector.
        FaceModelError: If the file is not an ONNX file.
    """
    if settings is None:
        return None
    if settings.detector != contents.manifest.detector:
        raise BundleError(
            f"this bundle holds no face detector ({settings.detector}); make one that does: "
            "edgeemo bundle --faces"
        )
    if not settings.file_sha256:
        return None
    from edgeemo.model.detector_file import FACE_MODEL, DetectorFile

    name = f"{contents.archive}/{FACE_MODEL}"
    return DetectorFile(content=contents.member(FACE_MODEL), name=name)
