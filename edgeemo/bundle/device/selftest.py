"""``python3 NAME.pyz selftest``: compare golden images with the workstation's results."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, dataclass
from json import dumps
from typing import TYPE_CHECKING, Any

from edgeemo.bundle.device.checks import FACE_PIXELS, check_golden
from edgeemo.bundle.device.faces import detector_package, find_detector_versions
from edgeemo.bundle.device.info import describe_verification
from edgeemo.bundle.device.load import load_classifier
from edgeemo.errors import EXIT_GATE_FAILED
from edgeemo.utils.system import describe_machine, versions
from edgeemo.utils.text import escape_controls

if TYPE_CHECKING:
    from edgeemo.bundle.device.checks import GoldenCheck, Places
    from edgeemo.bundle.device.contents import Contents, Manifest


@dataclass(frozen=True, kw_only=True)
class SelfTestResult:
    """The outcome of a self-test.

    Attributes:
        manifest: Manifest of the bundle.
        checks: One per golden image.
        machine: See `edgeemo.utils.system.describe_machine`.
        versions: See `edgeemo.utils.system.versions`.
        seconds: Duration of the self-test, loading included.
    """

    manifest: Manifest
    checks: tuple[GoldenCheck, ...]
    machine: dict[str, str]
    versions: dict[str, str]
    seconds: float

    @property
    def failures(self) -> tuple[GoldenCheck, ...]:
        """Return the checks that failed."""
        return tuple(check for check in self.checks if check.differs)

    @property
    def verdict(self) -> str:
        """Return the outcome as one line."""
        count = len(self.checks)
        name = f"{self.manifest.model_text}, {self.seconds:.1f} s"
        if not self.failures:
            off = self.manifest.tolerance
            how = f"within {off:.1g} of" if off else "identical to"
            return f"PASSED: outputs of all {count} images are {how} the workstation's ({name})"
        stages = ", ".join(dict.fromkeys(map(self._describe_stage, self.failures)))
        return (
            f"FAILED: results of {len(self.failures)} of {count} images differ from the "
            f"workstation's in {stages} ({name})"
        )

    def _describe_stage(self, check: GoldenCheck) -> str:
        """Return the stage that differs, and its package's versions if they differ as well."""
        stage = check.differs or ""
        package = {
            "engine": self.manifest.engine,
            "face detection": detector_package(self.manifest.detector),
        }.get(stage, "pillow")
        here, there = self.versions.get(package), self.manifest.built_with.get(package)
        if here == there:
            return stage
        return f"{stage} ({package} {here or 'is not used'} here, {there} on the workstation)"

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome, ready for JSON."""
        return {
            "passed": not self.failures,
            "verdict": self.verdict,
            "model": self.manifest.model,
            "fallback_for": self.manifest.fallback_for,
            "sha256": self.manifest.model_sha256,
            "verified": self.manifest.verified,
            "tolerance": self.manifest.tolerance,
            "checks": [asdict(check) for check in self.checks],
            "machine": self.machine,
            "versions": self.versions,
            "built_with": self.manifest.built_with,
            "seconds": self.seconds,
        }


def run(contents: Contents, *, threads: int | None, json: bool) -> int:
    """Run the self-test and print its outcome.

    Args:
        contents: The bundle.
        threads: Threads per prediction; by default as in the manifest.
        json: Whether to print one JSON object.

    Returns:
        Exit status: 0, or that of a gate if an output differs.
    """
    result = run_selftest(contents, threads=threads)
    lines = [dumps(result.to_dict(), indent=2)] if json else map(escape_controls, _format(result))
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return EXIT_GATE_FAILED if result.failures else 0


def run_selftest(contents: Contents, *, threads: int | None = None) -> SelfTestResult:
    """Predict every golden image and compare each stage.

    Args:
        contents: The bundle.
        threads: Threads per prediction; by default as in the manifest.

    Raises:
        BundleError: If a member was changed.
        EngineError: If the engine refuses the model.
    """
    start = time.perf_counter()
    contents.check_members()
    classifier = load_classifier(contents, threads=threads)
    manifest = contents.manifest  # the fallback's if the first cannot be loaded
    checks = [
        check_golden(
            classifier, golden, image=contents.member(golden.file), tolerance=manifest.tolerance
        )
        for golden in manifest.golden
    ]
    return SelfTestResult(
        manifest=manifest,
        checks=tuple(checks),
        machine=describe_machine(),
        versions=versions(classifier.engine.name) | find_detector_versions(manifest.detector),
        seconds=time.perf_counter() - start,
    )


def _format(result: SelfTestResult) -> list[str]:
    count, failures = len(result.checks), result.failures
    preprocessed = sum(check.differs in (None, "engine") for check in result.checks)
    median = sorted(check.ms for check in result.checks)[count // 2]
    facts = {
        "model": f"{result.manifest.model_text}, {describe_verification(result.manifest)}",
        **result.machine,
        "packages": _format_packages(result),
        "images": f"{preprocessed} of {count} preprocessed to the same bytes",
        **_list_face_facts(result),
        "predictions": f"{count - len(failures)} of {count} the same",
        "time": f"{median:.1f} ms an image (median), from its file to the prediction",
    }
    lines = [f"{name:<14}{text}" for name, text in facts.items()]
    lines += [f"  {check.file}: {_format_difference(check)}" for check in failures]
    return [*lines, result.verdict]


def _list_face_facts(result: SelfTestResult) -> dict[str, str]:
    checked = [check for check in result.checks if check.expected_faces]
    if not checked:
        return {}
    same = sum(check.differs != "face detection" for check in checked)
    return {
        "faces": f"{same} of {len(checked)} images with faces: detected in the same places, to "
        f"within {FACE_PIXELS} pixels"
    }


def _format_packages(result: SelfTestResult) -> str:
    def one(name: str, version: str) -> str:
        there = result.manifest.built_with.get(name, "none")
        return f"{name} {version}" + (f" (workstation: {there})" if there != version else "")

    return ", ".join(one(*item) for item in result.versions.items())


def _format_difference(check: GoldenCheck) -> str:
    if check.differs == "face detection":
        here, there = (_format_places(each) for each in (check.faces, check.expected_faces))
        return f"face detection differs; {here} here, {there} on the workstation"
    here, there = (
        " ".join(f"{value:.7g}" for value in values) for values in (check.outputs, check.expected)
    )
    return f"{check.differs} differs; output {here} here, {there} on the workstation"


def _format_places(faces: Places) -> str:
    from edgeemo.imaging.faces import Face

    return " and ".join(Face(*face).text for face in faces) or "no face"
