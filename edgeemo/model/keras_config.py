"""Rewrite the configuration in a Keras file into one that this Keras computes in float32.

Files of Keras 2 name arguments that Keras 3 no longer has, and files trained on a graphics card
compute in half precision, for which TFLite has no operators. The file itself is left as it is: a
changed copy is loaded. Needs h5py, which Keras brings.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CONFIG = "config.json"
_ATTRIBUTE = "model_config"
_FUNCTIONAL = "keras.src.models.functional"

_NEUTRAL: dict[str, dict[str, tuple[Any, ...]]] = {
    "DepthwiseConv1D": {"groups": (1,)},
    "DepthwiseConv2D": {"groups": (1,)},
    "SeparableConv1D": {"groups": (1,)},
    "SeparableConv2D": {"groups": (1,)},
    "Conv1DTranspose": {"groups": (1,)},
    "Conv2DTranspose": {"groups": (1,)},
    "LSTM": {"time_major": (False,)},
    "GRU": {"time_major": (False,)},
    "SimpleRNN": {"time_major": (False,)},
    "RNN": {"time_major": (False,)},
    "BatchNormalization": {
        "renorm": (False,),
        "fused": (None, True, False),
        "virtual_batch_size": (None,),
        "adjustment": (None,),
    },
}
"""Arguments of Keras 2 that Keras 3 lacks, with the values that change nothing."""

_KERNEL = ("kernel_initializer", "kernel_regularizer", "kernel_constraint")
_UNUSED = dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), _KERNEL)
"""Arguments of Keras 2 that Keras 3 lacks and that a trained layer does not use."""

_MODELS = ("Functional", "Model")
_PRECISIONS = frozenset(
    {"float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16", "mixed_float64"}
)
_POLICIES = frozenset({"Policy", "DTypePolicy", "PolicyV1"})


@contextmanager
def open_compatible(path: Path) -> Iterator[Path]:
    """Yield a file that this Keras loads in float32: `path`, or a copy for the time of the block.

    Args:
        path: A ``.keras`` or ``.h5`` file, perhaps a broken one, which is yielded as it is.
    """
    is_zip = zipfile.is_zipfile(path)
    try:
        text = _read_zip(path) if is_zip else _read_h5(path)
        config = json.loads(text)
    except Exception:  # of a broken file; Keras' own message is the better one
        yield path
        return
    changed = modernise(config, is_legacy=not is_zip)
    if changed == config:
        yield path
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder) / path.with_suffix(path.suffix.lower()).name
        write: Callable[[Path, Path, str], None] = _copy_zip if is_zip else _copy_h5
        write(path, copy, json.dumps(changed))
        yield copy


def modernise(config: Any, *, is_legacy: bool) -> Any:
    """Return a configuration as Keras 3 writes it for float32.

    Args:
        config: Parsed JSON, or a part of it.
        is_legacy: Whether it is of an ``.h5`` file, where a class has no module.
    """
    if isinstance(config, list):
        return [modernise(entry, is_legacy=is_legacy) for entry in config]
    if not isinstance(config, dict):
        return config
    result: dict[str, Any] = {
        key: "float32" if _is_precision(key, value) else modernise(value, is_legacy=is_legacy)
        for key, value in config.items()
    }
    _replace_module(result, is_legacy=is_legacy)
    if isinstance(result.get("config"), dict):
        result["config"] = _drop_unknown(result.get("class_name"), result["config"])
        if result.get("class_name") in _MODELS:
            _unwrap_ends(result["config"])
            _renumber_calls(result["config"])
    return result


def set_precision(config: Any, precision: str) -> Any:
    """Return a configuration whose layers all compute in one precision, such as "float64"."""
    if isinstance(config, list):
        return [set_precision(entry, precision) for entry in config]
    if not isinstance(config, dict):
        return config
    return {
        key: precision if key == "dtype" and value else set_precision(value, precision)
        for key, value in config.items()
    }


def _is_precision(key: str, value: Any) -> bool:
    if key != "dtype":
        return False
    if isinstance(value, dict) and value.get("class_name") in _POLICIES:
        value = (value.get("config") or {}).get("name")
    return isinstance(value, str) and value in _PRECISIONS


def _replace_module(entry: dict[str, Any], *, is_legacy: bool) -> None:
    """Give a functional model of Keras 2 the name that Keras 3 has for it."""
    module = entry.get("module")
    if not isinstance(module, str) or module == _FUNCTIONAL:
        return
    if entry.get("class_name") in _MODELS and "engine" in module:
        entry["class_name"] = "Functional"
        entry["module"] = _FUNCTIONAL
    elif module.startswith("tf_keras."):
        entry["module"] = module.removeprefix("tf_")
    if is_legacy and entry["module"] != module:
        del entry["module"]


def _unwrap_ends(config: dict[str, Any]) -> None:
    """Make a model's only input or output a tensor, not a list of one.

    Keras 3 takes a list literally, and a Sequential around the model then passes two tensors on.
    """
    for side in ("input_layers", "output_layers"):
        ends = config.get(side)
        if isinstance(ends, list) and len(ends) == 1 and isinstance(ends[0], list):
            config[side] = ends[0]


def _renumber_calls(config: dict[str, Any]) -> None:
    """Count the calls of nested models from 0, as those of layers; Keras 2 counts them from 1."""
    layers = [entry for entry in config.get("layers", ()) if isinstance(entry, dict)]
    calls = {entry.get("name"): len(entry.get("inbound_nodes", ())) for entry in layers}
    inner = [each for layer in layers for each in _list_references(layer.get("inbound_nodes"))]
    outer = list(_list_references(config.get("output_layers")))
    shifted = {each[0] for each in (*inner, *outer) if each[1] == calls.get(each[0])}
    # Keras 3 counts a functional model from 1 itself, but only as the output of another.
    functional = {entry.get("name") for entry in layers if entry.get("class_name") in _MODELS}
    for each in inner:
        each[1] -= each[0] in shifted
    for each in outer:
        each[1] -= each[0] in shifted - functional


def _list_references(nodes: Any) -> Iterator[list[Any]]:
    """Yield the references [layer, call, tensor, ...] in nested lists."""
    if not isinstance(nodes, list):
        return
    if len(nodes) >= 3 and isinstance(nodes[0], str) and isinstance(nodes[1], int):
        yield nodes
        return
    for entry in nodes:
        yield from _list_references(entry)


def _drop_unknown(name: Any, config: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a layer that Keras 3 has, or that are not neutral."""
    neutral = _NEUTRAL.get(name, {}) if isinstance(name, str) else {}
    unused = _UNUSED.get(name, ()) if isinstance(name, str) else ()
    kept = {
        key: value
        for key, value in config.items()
        if key not in unused and (key not in neutral or value not in neutral[key])
    }
    if isinstance(name, str) and name.startswith("Random"):
        kept.pop("rng_type", None)
    axis = kept.get("axis")
    if name == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
        kept["axis"] = axis[0]
    return kept


def _read_zip(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        return archive.read(_CONFIG).decode()


def _read_h5(path: Path) -> str:
    import h5py

    with h5py.File(path) as file:
        text = file.attrs[_ATTRIBUTE]
    return text.decode() if isinstance(text, bytes) else str(text)


def _copy_zip(path: Path, copy: Path, config: str) -> None:
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(copy, "w") as result:
        for entry in archive.infolist():
            if entry.filename == _CONFIG:
                result.writestr(_CONFIG, config)
                continue
            with archive.open(entry) as source, result.open(entry.filename, "w") as target:
                shutil.copyfileobj(source, target)


def _copy_h5(path: Path, copy: Path, config: str) -> None:
    import h5py

    shutil.copyfile(path, copy)
    copy.chmod(0o600)
    with h5py.File(copy, "r+") as file:
        file.attrs[_ATTRIBUTE] = config
