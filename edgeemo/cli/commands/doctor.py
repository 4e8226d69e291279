"""``edgeemo doctor``."""

from __future__ import annotations

import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from edgeemo import __version__
from edgeemo.cli.command import command
from edgeemo.cli.options.common import MODELS, Json
from edgeemo.cli.output.console import note, print_facts, print_json, print_table, say, warn
from edgeemo.errors import EXIT_ERROR, EdgeEmoError
from edgeemo.utils.text import format_size, plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgeemo.utils.cameras import VideoNode
    from edgeemo.utils.installation import ExtraState

_LITTLE_BYTES = 10**9
"""Free disk below which a warning is given: a training keeps the decoded images in a file."""

_BASE = "(every)"


@dataclass(frozen=True, kw_only=True)
class DoctorArguments:
    """Options of ``edgeemo doctor``."""

    json: Json = False


@command("edgeemo doctor", "edgeemo doctor --json")
def doctor(given: DoctorArguments) -> None:
    """Show what is installed, what is missing, and the machine.

    Packages of every extra, with the command that installs the missing ones; processor, memory,
    clock governor, free disk, cameras; and whether the included model predicts here. Exit status 1
    where it does not.
    """
    from edgeemo.utils.cameras import list_video_nodes
    from edgeemo.utils.installation import list_extras

    facts, extras, nodes = _read_machine(), list_extras(), list_video_nodes()
    engine, problem = _try_model()
    warnings = list(_list_warnings(extras))
    if given.json:
        print_json(
            {
                **facts,
                "engine": engine,
                "problem": problem,
                "extras": extras,
                "video_nodes": [{**asdict(node), "is_camera": node.is_camera} for node in nodes],
                "warnings": warnings,
            }
        )
    else:
        _print(facts, engine, extras, nodes)
    for text in warnings:
        warn(text)
    if problem:
        say(f"error: {problem}")
        raise typer.Exit(EXIT_ERROR)


def _read_machine() -> dict[str, Any]:
    from edgeemo.bench.conditions import read_conditions
    from edgeemo.utils.system import describe_machine, read_memory_bytes

    conditions = read_conditions()
    total, available = read_memory_bytes()
    place = Path(sys.modules["edgeemo"].__file__ or "").parent
    return {
        "edgeemo": __version__,
        "package": str(place),
        "interpreter": sys.executable,
        **describe_machine(),
        "memory_bytes": total,
        "available_memory_bytes": available,
        "governors": list(conditions.governors),
        "celsius": conditions.celsius,
        "throttled": conditions.throttled_reasons,
        "free_disk_bytes": shutil.disk_usage(".").free,
        "model": _describe_model(),
    }


def _describe_model() -> str:
    """Return the model that predicts where none is named."""
    from edgeemo.model.chosen import choose_model_folder

    try:
        chosen = choose_model_folder(MODELS)
    except EdgeEmoError as error:
        return str(error)
    path = chosen.folder.path
    return f"{path.name if chosen.folder.is_shipped else path} ({chosen.reason})"


def _try_model() -> tuple[str, str]:
    """Return the engine with which the included model predicts, or why it does not."""
    import numpy as np

    from edgeemo.model.face_request import FaceRequest
    from edgeemo.model.folder import shipped_folder
    from edgeemo.runtime.classifier import Classifier

    try:
        path = shipped_folder().path
        classifier = Classifier.load(path, faces=FaceRequest(enabled=False))
        classifier.predict_pixels(np.zeros(classifier.spec.input_shape, np.uint8))
    except (EdgeEmoError, OSError) as error:
        return "", f"the included model does not predict: {error}"
    return classifier.engine.name, ""


def _list_warnings(extras: Sequence[ExtraState]) -> Iterator[str]:
    free = shutil.disk_usage(".").free
    if free < _LITTLE_BYTES:
        yield f"{format_size(free)} of free disk here; a training may need more"
    for each in extras:
        if each.missing and not each.extra:
            yield f"{', '.join(each.missing)} missing: {each.command}"


def _print(
    facts: dict[str, Any], engine: str, extras: Sequence[ExtraState], nodes: Sequence[VideoNode]
) -> None:
    print_facts({**_list_facts(facts), "engine": engine or "does not work"}, title="")
    rows = [(each.extra or _BASE, each.purpose, _list_packages(each)) for each in extras]
    if rows:
        columns = ("extra", "for", "packages")
        print_table(columns, rows, numbers_from=3, prose=("for", "packages"))
    _print_missing([each for each in extras if each.missing])
    _print_cameras(nodes)


def _list_packages(each: ExtraState) -> str:
    missing = [f"{name} missing" for name in each.missing]
    return ", ".join([*(f"{name} {found}" for name, found in each.installed.items()), *missing])


def _print_missing(extras: Sequence[ExtraState]) -> None:
    """Print the command that installs each missing extra, on a line of its own."""
    from edgeemo.utils.layout import get_width, wrap

    width = get_width(sys.stdout)
    for each in extras:
        lacks = f"{each.extra or _BASE} lacks {', '.join(each.missing)}:"
        typer.echo("\n".join((*wrap(lacks, width), *wrap(each.command, width), "")))


def _list_facts(facts: dict[str, Any]) -> dict[str, str]:
    shown = {name: value for name, value in facts.items() if isinstance(value, str) and value}
    if facts["memory_bytes"]:
        available = format_size(facts["available_memory_bytes"])
        shown["memory"] = f"{format_size(facts['memory_bytes'])}, {available} available"
    shown["free disk"] = format_size(facts["free_disk_bytes"])
    shown["governor"] = ", ".join(facts["governors"]) or "unknown"
    if facts["throttled"]:
        shown["throttled"] = ", ".join(facts["throttled"])
    return shown


def _print_cameras(nodes: Sequence[VideoNode]) -> None:
    cameras = [node for node in nodes if node.is_camera]
    if cameras:
        rows = [
            (node.device, node.kind, node.name, "" if node.is_readable else "not readable")
            for node in cameras
        ]
        print_table(("camera", "kind", "name", ""), rows, numbers_from=4)
    codecs = sum(node.kind == "codec" for node in nodes)
    others = f" ({plural(codecs, 'codec node is', 'codec nodes are')} no camera)" if codecs else ""
    if not cameras:
        note(f"no camera{others}")
    if any(not node.is_readable for node in cameras):
        warn("a camera is not readable: add the user to the group video")
