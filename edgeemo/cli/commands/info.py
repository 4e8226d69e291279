"""``edgeemo info``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from edgeemo.cli.command import command
from edgeemo.cli.options.common import DEFAULT_MODEL, Json
from edgeemo.cli.output.console import print_facts, print_json, print_table
from edgeemo.utils.options import Argument
from edgeemo.utils.serialize import to_plain

if TYPE_CHECKING:
    from edgeemo.model.container import SealedModel
    from edgeemo.model.folder import ModelFolder
    from edgeemo.model.spec import ModelSpec
    from edgeemo.model.verified import VerifiedFile


@dataclass(frozen=True, kw_only=True)
class InfoArguments:
    """Options of ``edgeemo info``."""

    model: Annotated[
        Path | None,
        Argument(f"Exported file or model folder; {DEFAULT_MODEL}.", metavar="FILE|FOLDER"),
    ] = None
    json: Json = False


@command("edgeemo info models/mine", "edgeemo info int8.tflite", "edgeemo info models/mine --json")
def info(given: InfoArguments) -> None:
    """Show what is inside an exported file or a model folder."""
    from edgeemo.cli.default_model import choose_model, require_folder
    from edgeemo.model.folder import open_folder

    path = choose_model(given.model)
    if path.suffix.lower() in (".tflite", ".onnx") and not path.is_dir():
        facts = _file_facts(path)
        title = str(path)
    else:
        require_folder(path)
        facts = _folder_facts(open_folder(path))
        title = f"{path} (model folder)"
    if given.json:
        print_json(facts)
        return
    files = facts.pop("files", [])
    print_facts(_spoken(facts), title=title)
    if files:
        columns = list(files[0])
        print_table(columns, [[_text(entry[key]) for key in columns] for entry in files])


def _file_facts(path: Path) -> dict[str, Any]:
    from edgeemo.model.container import unseal
    from edgeemo.model.folder import ModelFolder
    from edgeemo.model.verified import find_verification

    model = unseal(path)
    entry = find_verification(path, sha256=model.sha256)
    return {
        "format": model.format,
        "size_bytes": model.size_bytes,
        "sha256": model.sha256,
        "verified": entry is not None and entry.passed,
        **_quality_facts(ModelFolder(path.parent), entry, model.spec),
        **_spec_facts(asdict(model.spec)),
        **_engine_facts(model),
    }


def _quality_facts(
    folder: ModelFolder, entry: VerifiedFile | None, spec: ModelSpec
) -> dict[str, Any]:
    """Return accuracy, what verification showed of a file, and the places of card and report."""
    from edgeemo.model.summary import describe_proof, find_card, find_report, read_accuracy

    return {
        "accuracy": read_accuracy(folder, entry),
        "verification": describe_proof(entry, spec),
        "model_card": find_card(folder.path),
        "report": find_report(folder.path),
    }


def _spec_facts(spec: dict[str, Any]) -> dict[str, Any]:
    provenance = spec.pop("provenance")
    return {**spec, "labels": list(spec["labels"]), **provenance}


def _spoken(facts: dict[str, Any]) -> dict[str, str]:
    """Return the facts as text for a table."""
    if facts.get("adopted"):
        from edgeemo.model.adoption import parse_adoption

        adopted = parse_adoption(to_plain(facts["adopted"]))
        facts = {key: value for key, value in facts.items() if key != "scale"}
        facts["adopted"] = f"{adopted.describe_tensor()}{'; gives logits' * adopted.logits}"
    shown = {key: value for key, value in facts.items() if value is not None or key == "faces"}
    return {key: _faces(value) if key == "faces" else _text(value) for key, value in shown.items()}


def _faces(faces: dict[str, Any] | None) -> str:
    if faces is None:
        return "not detected: images are predicted as a whole"
    from edgeemo.model.face_settings import FaceSettings

    trained = "; trained on crops" if faces["cropped"] else ""
    return f"found by {FaceSettings(**faces).text}{trained}"


def _engine_facts(model: SealedModel) -> dict[str, Any]:
    """Return the facts that need the engine; none where it is not installed."""
    from edgeemo.engines.litert import LiteRTEngine
    from edgeemo.engines.load import load_engine
    from edgeemo.engines.trial import try_model
    from edgeemo.errors import MissingExtraError

    try:
        try_model(model)
        engine = load_engine(model)
    except MissingExtraError as error:
        return {"engine": str(error)}
    facts: dict[str, Any] = {"engine": engine.name}
    if isinstance(engine, LiteRTEngine):
        operations = engine.operations
        facts["operators"] = [name for name in operations if name != "DELEGATE"]
        facts["xnnpack_partitions"] = operations.count("DELEGATE")
        facts["input_type"], facts["output_type"] = engine.types
    return facts


def _folder_facts(folder: ModelFolder) -> dict[str, Any]:
    from edgeemo.errors import ModelFolderError
    from edgeemo.model.training_facts import NamedFolders
    from edgeemo.model.verified import find_verification
    from edgeemo.utils.files import sha256_file

    facts = folder.read_training()
    training = to_plain(facts)
    if isinstance(facts.data, NamedFolders):
        training["data"] = [str(path) for path in facts.data.folders.values()]
    entry = None
    try:
        path = folder.choose_default_file()
        default = path.name
        entry = find_verification(path, sha256=sha256_file(path))
    except ModelFolderError:
        default = "none: run 'edgeemo export'"
    spec = folder.read_spec()
    return {
        **_spec_facts(asdict(spec)),
        **{
            key: training[key]
            for key in ("arch", "epochs_run", "best_epoch", "seed", "data")
            if training[key] is not None
        },
        "default_file": default,
        **_quality_facts(folder, entry, spec),
        "files": [_exported_facts(path) for path in folder.list_exported()],
    }


def _exported_facts(path: Path) -> dict[str, Any]:
    from edgeemo.errors import EngineError, SpecError
    from edgeemo.model.container import unseal
    from edgeemo.model.verified import is_verified

    try:
        model = unseal(path)
    except (EngineError, SpecError) as error:
        return {"file": path.name, "size_bytes": path.stat().st_size, "verified": str(error)}
    return {
        "file": path.name,
        "size_bytes": model.size_bytes,
        "verified": "adopted" if model.spec.adopted else is_verified(path, sha256=model.sha256),
    }


def _text(value: Any) -> str:
    from edgeemo.model.summary import MeasuredAccuracy

    if isinstance(value, MeasuredAccuracy):
        return f"{value} on {value.n:,} test images"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and value > 9999:
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)
