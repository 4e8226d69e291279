"""Read the graph of a SavedModel before anything of it runs.

A graph is a program: its operators can read and write files, run Python and use the network, while
it is loaded or when it predicts. The file is parsed as data here, without running it. Needs
TensorFlow, for the definition of the file's format.
"""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ModelFolderError
from edgeemo.model.graph_types import TO_FLOAT, change_function, has_types

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_GRAPH = "saved_model.pb"
_REACHING = re.compile(
    # files
    "File(?!name|spec)|Reader|Record|Dataset|Iterator|Checkpoint|^Save|^Restore|ImmutableConst|"
    "AndRemap|VocabRemap|^Skipgram|FixedUnigram|CalibrationStatisticsSaver|DistributedSave|^Dump|"
    "^Debug|Summary(Writer|Db|File)|SummaryWriter|^Write.*Summary|^ImportEvent|DTensorRestore|"
    # Python and native code
    "PyFunc|XlaCallModule|XlaCustomCall|XlaHostCompute|Trt|TRT|"
    # the network and other devices
    "Rpc|^Remote|^Collective|^Nccl|Send|Recv|TPU|Tpu|^Infeed|^Outfeed|^WorkerHeartbeat"
)
"""Names of the operators of TensorFlow 2.21 that reach beyond the model."""
_SAVER = frozenset({"SaveV2", "RestoreV2", "MergeV2Checkpoints"})
"""Operators that every SavedModel has, for saving and restoring its own variables."""
_SAVER_FUNCTION = re.compile(r"__inference__traced_(save|restore)_\d+")
_APART = ("_XlaMustCompile", "_noinline")
"""Attributes of functions that cannot be made part of the graph around them."""
_STREAMS = frozenset({b"", b"stderr", b"stdout", b"log(info)", b"log(warning)", b"log(error)"})


def check_saved_model(folder: Path) -> None:
    """Refuse a SavedModel whose graph reaches files, Python code or the network.

    TensorFlow's own saving and restoring of variables is allowed, where nothing else runs it.

    Args:
        folder: The SavedModel.

    Raises:
        ModelFolderError: If there is such an operator, or the file cannot be read.
    """
    for meta_graph in _parse(folder).meta_graphs:
        found = next(_find_reaching(meta_graph), None)
        if found:
            raise ModelFolderError(
                f"{folder}: its graph has the operator {found}, which reaches files, code or the "
                "network; no such model is loaded: save the network alone"
            )


@contextmanager
def open_compatible_folder(folder: Path) -> Iterator[Path]:
    """Yield a SavedModel that can be loaded here and converted to every format.

    It is without the slots of an optimizer, which Keras 2 saves, too. It computes in float32, since
    TFLite has no operators in half precision. Its functions are not compiled by XLA, since they
    could not be made part of the graph that is converted: Keras compiles grouped convolutions.

    Args:
        folder: The SavedModel, checked.

    Yields:
        `folder` itself, or a folder that refers to the same variables, for the time of the block.
    """
    model = _parse(folder)
    changes = [_make_compatible(graph) for graph in model.meta_graphs]
    if not any(changes):
        yield folder
        return
    with TemporaryDirectory() as name:
        changed = Path(name)
        (changed / _GRAPH).write_bytes(model.SerializeToString())
        for inner in ("variables", "assets"):
            if (folder / inner).is_dir():
                _refer(changed / inner, (folder / inner).resolve())
        yield changed


def _make_compatible(graph: Any) -> bool:
    """Change a graph in place, and return whether there was something to change."""
    nodes = graph.object_graph_def.nodes
    functions = [
        each
        for each in graph.graph_def.library.function
        if not _SAVER_FUNCTION.fullmatch(each.signature.name)
    ]
    has_slots = any(node.slot_variables for node in nodes)
    for node in nodes:
        del node.slot_variables[:]
    is_half = has_types(functions, TO_FLOAT)
    if is_half:
        for each in functions:
            change_function(each, TO_FLOAT)
        for concrete in graph.object_graph_def.concrete_functions.values():
            _change_signature(concrete.canonicalized_input_signature)
            _change_signature(concrete.output_signature)
    apart = [
        (attributes, name)
        for each in functions
        for attributes in (each.attr, *(node.attr for node in each.node_def))
        for name in _APART
        if name in attributes
    ]
    for attributes, name in apart:
        del attributes[name]
    return has_slots or is_half or bool(apart)


def _change_signature(value: Any) -> None:
    """Make the tensors of a signature float32 where they are of half precision."""
    field = value.WhichOneof("kind")
    if field == "tensor_spec_value":
        spec = value.tensor_spec_value
        spec.dtype = TO_FLOAT.get(spec.dtype, spec.dtype)
    elif field in ("list_value", "tuple_value"):
        for each in getattr(value, field).values:
            _change_signature(each)
    elif field == "dict_value":
        for each in value.dict_value.fields.values():
            _change_signature(each)


def _refer(place: Path, folder: Path) -> None:
    try:
        place.symlink_to(folder, target_is_directory=True)
    except OSError:  # Windows allows links to administrators only
        shutil.copytree(folder, place)


def _parse(folder: Path) -> Any:
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    path, model = folder / _GRAPH, SavedModel()
    try:
        model.ParseFromString(path.read_bytes())
    except (OSError, DecodeError) as error:
        raise ModelFolderError(f"{path}: cannot be read as a SavedModel ({error})") from None
    return model


def _find_reaching(meta_graph: Any) -> Iterator[str]:
    """Yield the forbidden operators of a graph and of its functions."""
    nodes, functions = list(meta_graph.graph_def.node), meta_graph.graph_def.library.function
    running = _list_running(meta_graph)
    called = {
        *_list_called(node for each in functions for node in each.node_def),
        *_list_called(node for node in nodes if node.name in running),
        *meta_graph.object_graph_def.concrete_functions,
    }
    for function in functions:
        name = function.signature.name
        is_saver = _SAVER_FUNCTION.fullmatch(name) is not None and name not in called
        yield from _list_reaching(function.node_def, is_saver=is_saver)
    yield from _list_reaching((node for node in nodes if node.name in running), is_saver=False)
    yield from _list_reaching((node for node in nodes if node.name not in running), is_saver=True)


def _list_reaching(nodes: Iterable[Any], *, is_saver: bool) -> Iterator[str]:
    for node in nodes:
        if node.op == "PrintV2":
            if node.attr["output_stream"].s not in _STREAMS:
                yield "PrintV2 into a file"
        elif _REACHING.search(node.op) and not (is_saver and node.op in _SAVER):
            yield node.op


def _list_called(nodes: Iterable[Any]) -> Iterator[str]:
    """Yield the names of the functions that nodes call, and of their operators."""
    for node in nodes:
        yield node.op
        for value in node.attr.values():
            yield value.func.name
            yield from (each.name for each in value.list.func)


def _list_running(meta_graph: Any) -> set[str]:
    """Return the names of the nodes that run besides saving: for signatures and at the start.

    TensorFlow 2 runs functions and none of these; a SavedModel of TensorFlow 1 has nothing else.
    """
    inputs = {
        node.name: [_name_node(each) for each in node.input] for node in meta_graph.graph_def.node
    }
    left = [
        _name_node(tensor.name)
        for signature in meta_graph.signature_def.values()
        for tensor in signature.outputs.values()
    ]
    for collection in meta_graph.collection_def.values():
        left += map(_name_node, collection.node_list.value)
    running: set[str] = set()
    while left:
        name = left.pop()
        if name not in running:
            running.add(name)
            left += inputs.get(name, [])
    return running


def _name_node(tensor: str) -> str:
    return tensor.removeprefix("^").partition(":")[0]
