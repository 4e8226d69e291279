"""Which stage is named when a machine answers differently."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version

import pytest

from edgeemo.bundle import make_bundle
from edgeemo.bundle.device.checks import check_golden, record_golden
from edgeemo.bundle.device.contents import Contents
from edgeemo.bundle.device.load import load_classifier
from edgeemo.bundle.device.selftest import SelfTestResult, run, run_selftest
from edgeemo.errors import EXIT_GATE_FAILED, BundleError
from edgeemo.model.face_settings import FaceSettings
from edgeemo.utils.system import describe_machine


@pytest.fixture
def contents(int8):
    return Contents(str(int8.path))


@pytest.fixture
def case(contents):
    """A classifier, what must come of one image, and the image."""
    golden = contents.manifest.golden[3]
    return load_classifier(contents, threads=1), golden, contents.member(golden.file)


def test_what_is_recorded_is_what_comes_back(case):
    classifier, golden, image = case
    assert record_golden(classifier, image, file=golden.file) == golden
    assert check_golden(classifier, golden, image=image, tolerance=0).differs is None


def test_an_image_without_the_face_that_is_cropped_is_an_error_of_the_bundle(case):
    classifier, golden, image = case
    classifier.spec = replace(classifier.spec, faces=FaceSettings())
    with pytest.raises(BundleError, match="records no face"):
        check_golden(classifier, golden, image=image, tolerance=0)


@pytest.mark.parametrize(
    ("changed", "stage"),
    [
        ({"outputs": (0.123,)}, "engine"),
        ({"outputs": (float("nan"),)}, "engine"),
        ({"outputs": ()}, "engine"),
        ({"pixels_sha256": "0"}, "resizing"),
        ({"pixels_sha256": "0", "decoded_sha256": "0"}, "image decoding"),
    ],
)
def test_the_first_stage_that_differs_is_named(case, changed, stage):
    classifier, golden, image = case
    assert (
        check_golden(classifier, replace(golden, **changed), image=image, tolerance=0).differs
        == stage
    )


@pytest.mark.parametrize(("off", "tolerance", "fine"), [
    (0.0, 0.0, True), (1e-7, 0.0, False), (9e-7, 1e-6, True), (2e-6, 1e-6, False),
])  # fmt: skip
def test_int8_is_exact_and_floats_keep_to_a_millionth(case, off, tolerance, fine):
    classifier, golden, image = case
    shifted = replace(golden, outputs=tuple(value + off for value in golden.outputs))
    assert (
        check_golden(classifier, shifted, image=image, tolerance=tolerance).differs is None
    ) == fine


def test_a_failure_says_which_image_and_what_differs(contents, capsys):
    wrong = replace(contents.manifest.golden[5], outputs=(0.0,))
    golden = (*contents.manifest.golden[:5], wrong, *contents.manifest.golden[6:])
    contents.manifest = replace(contents.manifest, golden=golden)
    assert run(contents, threads=1, json=False) == EXIT_GATE_FAILED == 3
    *_, detail, verdict = capsys.readouterr().out.splitlines()
    assert detail.startswith(f"  {wrong.file}: engine differs; output 0.")
    assert detail.endswith("here, 0 on the workstation")
    assert verdict.startswith("FAILED: results of 1 of 16 images differ from the workstation's in ")
    assert "the workstation's in engine (" in verdict


def test_an_image_that_comes_out_differently_blames_another_pillow(contents):
    odd = replace(contents.manifest.golden[3], pixels_sha256="0")
    contents.manifest = replace(
        contents.manifest,
        golden=(odd,),
        built_with={**contents.manifest.built_with, "pillow": "99.1"},
    )
    verdict = run_selftest(contents).verdict
    assert f"resizing (pillow {version('pillow')} here, 99.1 on the workstation)" in verdict


def test_other_versions_are_shown_beside_the_workstations(contents, capsys):
    built_with = {**contents.manifest.built_with, "numpy": "1.0"}
    contents.manifest = replace(contents.manifest, built_with=built_with)
    run(contents, threads=1, json=False)
    assert "(workstation: 1.0)" in capsys.readouterr().out


def test_what_a_manifest_says_does_not_control_the_terminal(contents, capsys):
    contents.manifest = replace(contents.manifest, built_with={"numpy": "\x1b[31m\n1"})
    run(contents, threads=1, json=False)
    out = capsys.readouterr().out
    assert r"(workstation: \x1b[31m\n1)" in out
    assert "\x1b" not in out


def test_the_result_as_json_types(contents):
    result = run_selftest(contents)
    assert isinstance(result, SelfTestResult)
    assert result.to_dict()["checks"][0]["differs"] is None
    assert result.failures == ()


def test_a_raspberry_pi_is_recognised(tmp_path, monkeypatch):
    from edgeemo.utils import system as machine

    (tmp_path / "cpuinfo").write_text("processor\t: 0\nCPU part\t: 0xd08\n\nModel\t: Pi by name\n")
    (tmp_path / "board").write_bytes(b"Raspberry Pi 4 Model B Rev 1.4\0")
    (tmp_path / "release").write_text('NAME="x"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
    monkeypatch.setattr(machine, "_CPUINFO", str(tmp_path / "cpuinfo"))
    monkeypatch.setattr(machine, "_BOARD", str(tmp_path / "board"))
    monkeypatch.setattr(machine, "_OS_RELEASE", str(tmp_path / "release"))
    facts = describe_machine()
    assert facts["board"] == "Raspberry Pi 4 Model B Rev 1.4"
    assert facts["processor"] == "Cortex-A72"
    assert facts["system"] == "Debian GNU/Linux 12 (bookworm)"
    (tmp_path / "board").unlink()
    assert describe_machine()["board"] == "Pi by name"
    (tmp_path / "cpuinfo").unlink()
    assert "board" not in describe_machine()


def test_a_hesitant_model_is_hesitant_from_its_bundle(hesitant, tmp_path, device):
    model = hesitant("int8.tflite", tmp_path, 0.75)
    bundle = make_bundle(model, tmp_path / "tiny.pyz")
    contents = Contents(str(bundle.path))
    golden = contents.manifest.golden
    shown = [each.label for each in golden]
    assert "not sure" in shown
    assert len(set(shown)) > 1
    image = tmp_path / "image"
    image.write_bytes(contents.member(golden[shown.index("not sure")].file))
    assert device(bundle.path, "selftest").status == 0
    assert ": not sure (" in device(bundle.path, "predict", image).out
    assert "below a confidence of 0.750" in device(bundle.path, "info").out
