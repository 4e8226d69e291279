"""Read the graph of a SavedModel before anything of it runs.

A graph is a program: its operators can read and write files, run Python and use the network, while
it is loaded or when it predicts. The file is parsed as data here, without running it. Needs
TensorFlow, for the definition of the file's format.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from edgeemo.errors import ModelFolderError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

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
_STREAMS = frozenset({b"", b"stderr", b"stdout", b"log(info)", b"log(warning)", b"log(error)"})


def check_saved_model(folder: Path) -> None:
    """Refuse a SavedModel whose graph reaches files, Python code or the network.

    TensorFlow's own saving and restoring of variables is allowed, where nothing else runs it.

    Args:
        folder: The SavedModel.

    Raises:
        ModelFolderError: If there is such an operator, or the file cannot be read.
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    path, model = folder / "saved_model.pb", SavedModel()
    try:
        model.ParseFromString(path.read_bytes())
    except (OSError, DecodeError) as error:
        raise ModelFolderError(f"{path}: cannot be read as a SavedModel ({error})") from None
    for meta_graph in model.meta_graphs:
        found = next(_find_reaching(meta_graph), None)
        if found:
            raise ModelFolderError(
                f"{folder}: its graph has the operator {found}, which reaches files, code or the "
                "network; no such model is loaded: save the network alone"
            )


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
