"""No operator of a SavedModel runs before its graph was looked at. Needs the `train` extra."""

from __future__ import annotations

import re

import pytest

from edgeemo.errors import ModelFolderError
from edgeemo.model.saved_model import check_saved_model

pytestmark = pytest.mark.tensorflow


class _TensorFlow:
    """TensorFlow, imported when it is first used."""

    def __getattr__(self, name):
        if name.startswith("_"):  # pytest looks for its own marks in every name of a module
            raise AttributeError(name)
        return getattr(pytest.importorskip("tensorflow"), name)


tf = _TensorFlow()


def _save(folder, body, *, weight=False):
    """A SavedModel that runs `body` beside its prediction."""
    module = tf.Module()
    if weight:
        module.weight = tf.Variable(1.0)

    @tf.function(input_signature=[tf.TensorSpec((1, 8, 8, 1), tf.float32)])
    def predict(x):
        with tf.control_dependencies([each for each in [body(x)] if each is not None]):
            scale = module.weight if weight else 1.0
            return {"p": tf.reshape(scale * tf.sigmoid(tf.reduce_mean(x)), (1, 1))}

    module.predict = predict
    tf.saved_model.save(module, str(folder), signatures=predict)
    return folder


def _nested(x):
    @tf.function
    def inner(x):
        return tf.cond(x[0, 0, 0, 0] > 9, lambda: tf.io.read_file("/etc/hostname"), lambda: "")

    return inner(x)


_HOSTILE = {
    "WriteFile": lambda x: tf.io.write_file("written-by-the-model.txt", "x"),
    "ReadFile": _nested,
    "MatchingFiles": lambda x: tf.io.matching_files("/*"),
    "EagerPyFunc": lambda x: tf.py_function(lambda: 1, [], tf.int32),
    "PyFunc": lambda x: tf.numpy_function(lambda: 1, [], tf.int64),
    "SaveV2": lambda x: tf.raw_ops.SaveV2(
        prefix="stolen", tensor_names=["x"], shape_and_slices=[""], tensors=[x]
    ),
    "RestoreV2": lambda x: tf.raw_ops.RestoreV2(
        prefix="/other", tensor_names=["x"], shape_and_slices=[""], dtypes=[tf.float32]
    )[0],
    "ImmutableConst": lambda x: tf.raw_ops.ImmutableConst(
        dtype=tf.float32, shape=(1,), memory_region_name="/etc/passwd"
    ),
    "PrintV2 into a file": lambda x: tf.print(x, output_stream="file://printed.txt"),
    "TextLineDataset": lambda x: tf.raw_ops.TextLineDataset(
        filenames="/etc/passwd", compression_type="", buffer_size=0
    ),
    "CollectiveBcastSend": lambda x: tf.raw_ops.CollectiveBcastSend(
        input=x, group_size=2, group_key=1, instance_key=1, shape=x.shape
    ),
    "DebugIdentityV2": lambda x: tf.raw_ops.DebugIdentityV2(
        input=x, debug_urls=["file:///tmp/dump"]
    ),
}


@pytest.mark.parametrize("operator", _HOSTILE)
def test_an_operator_that_reaches_out_is_refused(tmp_path, operator, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = _save(tmp_path / "hostile", _HOSTILE[operator])
    made = set(tmp_path.iterdir())
    message = re.escape(f"{folder}: its graph has the operator {operator}, which reaches files")
    with pytest.raises(ModelFolderError, match=message):
        check_saved_model(folder)
    assert set(tmp_path.iterdir()) == made == {folder}


def test_the_variables_of_a_model_are_saved_and_restored(tmp_path):
    check_saved_model(_save(tmp_path / "fine", lambda x: None, weight=True))
    check_saved_model(_save(tmp_path / "prints", lambda x: tf.print("x")))


def test_the_function_that_saves_must_not_be_called_by_the_model(tmp_path):
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    path = _save(tmp_path / "model", lambda x: None, weight=True) / "saved_model.pb"
    model = SavedModel.FromString(path.read_bytes())
    functions = model.meta_graphs[0].graph_def.library.function
    (saving,) = [f.signature.name for f in functions if "traced_save" in f.signature.name]
    caller = next(f for f in functions if "predict" in f.signature.name)
    caller.node_def.add(name="steal", op="StatefulPartitionedCall").attr["f"].func.name = saving
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelFolderError, match=r"operator (MergeV2Checkpoints|SaveV2)"):
        check_saved_model(path.parent)


def test_a_graph_of_tensorflow_1_may_restore_its_variables_and_nothing_else(tmp_path):
    v1 = tf.compat.v1

    def save(folder, write):
        with v1.Graph().as_default(), v1.Session() as session:
            x = v1.placeholder(tf.float32, (1, 8, 8, 1))
            weight = v1.get_variable("weight", (), use_resource=True)
            with v1.control_dependencies([tf.io.write_file("f", "x")] if write else []):
                y = weight * tf.reduce_mean(x)
            session.run(v1.global_variables_initializer())
            v1.saved_model.simple_save(session, str(folder), {"x": x}, {"y": y})
        return folder

    check_saved_model(save(tmp_path / "fine", False))
    with pytest.raises(ModelFolderError, match="operator WriteFile"):
        check_saved_model(save(tmp_path / "hostile", True))


@pytest.mark.parametrize("content", [None, b"", b"\xff" * 99])
def test_what_is_no_graph_is_one_line(tmp_path, content):
    if content is not None:
        (tmp_path / "saved_model.pb").write_bytes(content)
    if content == b"":
        check_saved_model(tmp_path)  # an empty message; TensorFlow refuses it
        return
    with pytest.raises(ModelFolderError, match=r"saved_model\.pb: cannot be read as a SavedModel"):
        check_saved_model(tmp_path)
