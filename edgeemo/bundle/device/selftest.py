"""The self-test: does this machine answer the golden images as the workstation did?"""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, dataclass
from json import dumps
from typing import TYPE_CHECKING, Any

from edgeemo.bundle.device.checks import FACE_PIXELS, check
from edgeemo.bundle.device.faces import detector_package, detector_versions
from edgeemo.bundle.device.info import verification_text
from edgeemo.bundle.device.load import load_classifier
from edgeemo.errors import EXIT_GATE_FAILED
from edgeemo.utils.system import describe_machine, versions

if TYPE_CHECKING:
    from edgeemo.bundle.device.checks import Check, Places
    from edgeemo.bundle.device.contents import Contents, Manifest


@dataclass(frozen=True, kw_only=True)
class Result:
    """The outcome of a self-test.

    Attributes:
        manifest: Of the bundle.
        checks: One per golden image.
        machine: See `describe_machine`.
        versions: See `versions`.
        seconds: From the start of the self-test to its end, loading included.
    """

    manifest: Manifest
    checks: tuple[Check, ...]
    machine: dict[str, str]
    versions: dict[str, str]
    seconds: float

    @property
    def different(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.differs)

    @property
    def verdict(self) -> str:
        """The outcome as one line."""
        count = len(self.checks)
        name = f"{self.manifest.model_text}, {self.seconds:.1f} s"
        if not self.different:
            off = self.manifest.tolerance
            how = f"to within {off:.1g} as" if off else "exactly as"
            return (
                f"PASSED: this machine answers all {count} images {how} the workstation did "
                f"({name})"
            )
        stages = ", ".join(dict.fromkeys(map(self._blame, self.different)))
        return (
            f"FAILED: {len(self.different)} of {count} images come out differently here; "
            f"what differs is: {stages} ({name})"
        )

    def _blame(self, check: Check) -> str:
        """The stage that differs, and the versions of what does it where they differ as well."""
        stage = check.differs or ""
        package = {
            "engine": self.manifest.engine,
            "finding faces": detector_package(self.manifest.detector),
        }.get(stage, "pillow")
        here, there = self.versions.get(package), self.manifest.built_with.get(package)
        if here == there:
            return stage
        return f"{stage} ({package} {here or 'is not used'} here, {there} on the workstation)"

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "passed": not self.different,
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
    """Do the self-test and print it.

    Returns:
        Exit status: 0, or `EXIT_GATE_FAILED` where a prediction differs.
    """
    result = selftest(contents, threads=threads)
    sys.stdout.write(dumps(result.to_dict(), indent=2) if json else "\n".join(_lines(result)))
    sys.stdout.write("\n")
    return EXIT_GATE_FAILED if result.different else 0


def selftest(contents: Contents, *, threads: int | None = None) -> Result:
    """Answer every golden image and compare each stage.

    Raises:
        BundleError: If a member is not what it was.
        EngineError: If the engine refuses the model.
    """
    start = time.perf_counter()
    contents.check_members()
    classifier = load_classifier(contents, threads=threads)
    manifest = contents.manifest  # the fallback's where the first cannot be loaded
    checks = [
        check(classifier, golden, contents.member(golden.file), tolerance=manifest.tolerance)
        for golden in manifest.golden
    ]
    return Result(
        manifest=manifest,
        checks=tuple(checks),
        machine=describe_machine(),
        versions=versions(classifier.engine.name) | detector_versions(manifest.detector),
        seconds=time.perf_counter() - start,
    )


def _lines(result: Result) -> list[str]:
    count, ran = len(result.checks), result.different
    prepared = sum(check.differs in (None, "engine") for check in result.checks)
    median = sorted(check.ms for check in result.checks)[count // 2]
    facts = {
        "model": f"{result.manifest.model_text}, {verification_text(result.manifest)}",
        **result.machine,
        "packages": _packages(result),
        "images": f"{prepared} of {count} preprocessed to the same bytes",
        **_face_facts(result),
        "answers": f"{count - len(ran)} of {count} the same",
        "time": f"{median:.1f} ms an image (median), from its file to the answer",
    }
    lines = [f"{name:<14}{text}" for name, text in facts.items()]
    lines += [f"  {check.file}: {_difference(check)}" for check in result.different]
    return [*lines, result.verdict]


def _face_facts(result: Result) -> dict[str, str]:
    sought = [check for check in result.checks if check.expected_faces]
    if not sought:
        return {}
    same = sum(check.differs != "finding faces" for check in sought)
    return {
        "faces": f"{same} of {len(sought)} images with faces: found in the same places, to "
        f"within {FACE_PIXELS} pixels"
    }


def _packages(result: Result) -> str:
    def one(name: str, version: str) -> str:
        there = result.manifest.built_with.get(name, "none")
        return f"{name} {version}" + (f" (workstation: {there})" if there != version else "")

    return ", ".join(one(*item) for item in result.versions.items())


def _difference(check: Check) -> str:
    if check.differs == "finding faces":
        here, there = (_places_text(each) for each in (check.faces, check.expected_faces))
        return f"finding faces differs; {here} here, {there} on the workstation"
    here, there = (
        " ".join(f"{value:.7g}" for value in values) for values in (check.outputs, check.expected)
    )
    return f"{check.differs} differs; answer {here} here, {there} on the workstation"


def _places_text(faces: Places) -> str:
    from edgeemo.imaging.faces import Face

    return " and ".join(Face(*face).text for face in faces) or "no face"
