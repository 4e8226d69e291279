"""From figures to causes, and the names of layers."""

from __future__ import annotations

import json
import zipfile

import pytest

from edgeemo.diagnose import Cause
from edgeemo.diagnose.attribution import LayerEffect
from edgeemo.diagnose.causes import list_findings
from edgeemo.diagnose.evidence import LayerEvidence, choose_narrow
from edgeemo.diagnose.layer_names import LayerNames, read_layer_names
from edgeemo.diagnose.measure import ActivationFigures
from edgeemo.diagnose.quantisation import Quantisation
from edgeemo.diagnose.tables import tabulate_layers
from edgeemo.model.folder import ModelFolder


def _figures(layer, **changes):
    sound = {
        "key": layer, "low": 0.0, "high": 6.0, "grid_low": 0.0, "grid_high": 6.0, "step": 0.023,
        "clipped": 0.0, "own_sqnr_db": 40.0, "sqnr_db": 38.0, "clipping": 0.0, "narrow": 1.0,
        "narrow_gain": 1.0, "outlier": 2.0, "channel": 0, "channels": 8,
    }  # fmt: skip
    return ActivationFigures(layer=layer, **{**sound, **changes})


def _layer(name, alone, *, hard_swish=False, last=False, readers=(), weights=None, **changes):
    effect = LayerEffect(
        layer=name, alone=alone, saved=alone, flips_alone=0, flips_without=0, weights_alone=weights
    )
    return LayerEvidence(
        effect=effect,
        activations=[_figures(name, **changes)],
        weights=[],
        is_hard_swish=hard_swish,
        is_last=last,
        readers=readers,
    )


def _find(*layers, gain=1.0, max_difference=0.1, kept=()):
    named = {"model": "m m", "data": ["d"], "kept": kept}
    return list_findings(layers, **named, max_difference=max_difference, narrow_gain=gain)


OTHERS = [_layer(f"other_{number}", 0.1) for number in range(4)]


@pytest.mark.parametrize(
    ("layer", "gain", "cause", "command"),
    [
        (_layer("a", 0.6, clipped=0.02, clipping=0.9), 1.0, Cause.SATURATED, "--seed 1"),
        (_layer("a", 0.6, clipped=0.02, clipping=0.1), 1.0, Cause.COARSE, "--keep-float a"),
        (_layer("a", 0.6, outlier=50.0), 1.0, Cause.OUTLIER, "--keep-float a"),
        (_layer("a", 0.6, outlier=50.0, channels=3), 1.0, Cause.COARSE, "--keep-float a"),
        (_layer("a", 0.6, narrow_gain=9.0, narrow=0.5), 2.0, Cause.STRAY, "percentile"),
        (_layer("a", 0.6, narrow_gain=9.0, narrow=0.5), 1.0, Cause.COARSE, "--keep-float a"),
        (_layer("a", 0.6, hard_swish=True), 1.0, Cause.HARD_SWISH, "--auto"),
        (_layer("a", 0.6, last=True, step=0.8), 1.0, Cause.LAST_STEPS, "--keep-float a"),
        (_layer("a", 0.05), 1.0, Cause.ACCUMULATED, "--int8-aware"),
    ],
)
def test_the_cause_of_the_largest_error(layer, gain, cause, command):
    finding = _find(layer, *OTHERS, gain=gain)[0]
    assert (finding.cause, command in finding.command) == (cause, True)
    assert "'m m'" in finding.command


def test_an_error_below_a_step_of_the_output_has_no_cause():
    assert _find(_layer("a", 0.6, outlier=50.0), max_difference=1 / 256) == ()


def test_the_layer_behind_an_outlier_belongs_to_it():
    found = _find(_layer("a", 0.3, outlier=50.0, readers=["b"]), _layer("b", 0.6), *OTHERS)
    assert (found[0].cause, found[0].layers) == (Cause.OUTLIER, ("a", "b"))
    assert "--keep-float a,b" in found[0].command


def test_layers_to_keep_in_float():
    by_weights = _layer("a", 0.6, weights=0.5, readers=["b"])
    assert "--keep-float a " in _find(by_weights, *OTHERS)[0].command
    by_output = _layer("a", 0.6, weights=0.1, readers=["b", "c"])
    assert "--keep-float a,b,c " in _find(by_output, *OTHERS)[0].command
    assert "--keep-float a,b,c,d " in _find(by_output, *OTHERS, kept=["d"])[0].command


def test_ranges_to_try():
    figures = [_figures("a", narrow_gain=3.0, narrow=0.25), _figures("b", narrow_gain=1.5)]
    assert choose_narrow(figures) == {"a": 0.25}


def test_a_grid():
    grid = Quantisation(0.5, -128, "int8")
    assert grid.range == (0.0, 127.5)
    assert grid.round([-3, 0.3, 0.2, 999]).tolist() == [0.0, 0.5, 0.0, 127.5]
    assert grid.narrow(0.5).range == (0.0, 63.75)


def test_names_of_layers():
    names = LayerNames(frozenset({"conv", "conv_1", "swish", "bn", "head"}))
    scope = "edgeemo_1/edgeemo_1/functional_1"
    assert names.find(f"{scope}/conv_1/convolution") == "conv"
    assert names.find(f"{scope}/conv_1_1/Relu;{scope}/conv_1_1/BiasAdd") == "conv_1"
    assert names.find(f"{scope}/conv_scaled_pairs_1/Squeeze") == "conv"
    assert names.find(f"{scope}/bn_affine_1/depthwise") == "bn"
    assert names.find("edgeemo_1/head_logit_1/MatMul") == "head"
    assert names.find("StatefulPartitionedCall_1:0") == ""
    merged = f"{scope}/act_1/Relu;{scope}/bn_1/batchnorm/add_1;{scope}/conv_1/convolution"
    assert names.find_kernel(merged) == "conv"
    assert names.find_hard_swish(f"{scope}/swish_gate_1/Relu6;{scope}/swish_shift_1/add")
    assert not names.find_hard_swish(f"{scope}/conv_1/convolution")


def test_names_without_a_reference_model():
    names = LayerNames()
    scope = "edgeemo_1/edgeemo_1/functional_1"
    assert names.find(f"{scope}/conv2d_70_1/convolution") == "conv2d_70"
    assert names.find(f"{scope}/conv2d_pairs_1/Squeeze") == "conv2d"


def test_names_of_nested_models_are_read(tmp_path):
    inner = {"class_name": "Functional", "config": {"name": "inner", "layers": [
        {"class_name": "Conv2D", "config": {"name": "conv"}},
    ]}}  # fmt: skip
    config = {"class_name": "Sequential", "config": {"layers": [
        inner, {"class_name": "Dense", "config": {"name": "head"}},
    ]}}  # fmt: skip
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(config))
    names = read_layer_names(ModelFolder(tmp_path))
    assert names.find("edgeemo_1/inner_1/conv_1/convolution") == "conv"
    assert names.find("edgeemo_1/inner_1/Add") == ""


def test_a_narrow_terminal_leaves_columns_out_and_no_name(golden):
    from edgeemo.diagnose import diagnose

    (layer, *_) = diagnose(golden.path, images=4).layers
    for width, last in ((None, 7), (60, 7), (45, 6), (20, 4)):
        head, rows = tabulate_layers([layer], width=width)
        assert (len(head), head[0], rows[0][0]) == (len(rows[0]), "layer", "conv2d")
        assert len(head) <= last
