"""Counting instructions on a whole emulated machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emulation import cost, detection_cost
from emulation.cost import count_instructions
from emulation.cost_page import FIRST_COMMAND, SMALL_ENTRY_POINT, STAGES, compute_spread
from emulation.detection_cost import count_detection
from emulation.processors import A72
from emulation.root import EmulationError, find_missing_packages
from emulation.system_mode import TOOLS, run_steps

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.fixture(scope="module")
def counting(root):
    """The arm64 Debian, where there is something to count with; in CI there has to be."""
    missing = find_missing_packages(TOOLS)
    if missing and not os.environ.get("CI"):
        pytest.skip(f"nothing to count instructions with: apt install {' '.join(missing)}")
    return root("bookworm")


@pytest.fixture(scope="module", autouse=True)
def one_run():
    """Count one prediction of each image; the next one takes the same number of instructions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cost, "_RUNS", dict.fromkeys(cost._RUNS, 1))
        patch.setattr(detection_cost, "_RUNS", 1)
        few = {image: detection_cost._IMAGES[image] for image in ("two faces", "no face")}
        patch.setattr(detection_cost, "_IMAGES", few)
        yield


@pytest.fixture(scope="module")
def starts(counting):
    return count_instructions(
        counting, [GOLDEN / "int8.tflite"], GOLDEN / "int8.tflite", processors=(A72,)
    )


def test_counts_repeat_within_one_percent(starts):
    first, second = ([row.key for row in rows] for rows in starts)
    assert first == second
    assert len(first) > 8
    # One interrupt more, of a few thousand instructions, is much of a stage that has 60,000.
    large = [[row for row in rows if row.instructions > 1] for rows in starts]
    assert len(large[0]) == len(large[1]) > 6
    assert compute_spread(*large) < 1


def test_counts_make_sense(starts):
    rows = {(row.file, row.image, row.stage): row for row in starts[0]}
    of_webcam = [rows["int8.tflite", "640x480", stage].instructions for stage in STAGES]
    assert of_webcam[3] == pytest.approx(sum(of_webcam[:3]), rel=0.2)
    large, small = (rows["int8.tflite", size, "decode"] for size in ("4000x3000", "640x480"))
    assert large.instructions > 5 * small.instructions
    python = rows["python", "", "process"]
    bare = rows["bare script, int8.tflite", "640x480", "process"]
    assert bare.instructions > 5 * python.instructions
    assert 5 < python.peak_mb < 20 < bare.peak_mb < 100


def test_the_first_command_costs_little_more_than_the_small_entry_point(starts):
    rows = {row.file: row for row in starts[0] if row.stage == "process"}
    first, small = rows[FIRST_COMMAND], rows[SMALL_ENTRY_POINT]
    assert first.instructions <= 1.15 * small.instructions
    assert first.peak_mb <= small.peak_mb + 5


def test_face_detection_is_counted(counting):
    found = count_detection(counting, GOLDEN / "int8.tflite", processors=(A72,))
    faces, none = (found[A72.name, image] for image in ("two faces", "no face"))
    assert (none["resize"], none["invoke"]) == (None, None)
    assert none["detect"] > 3 * faces["detect"]  # every look is taken, two of them cheap
    assert faces["decode"] + faces["detect"] < faces["total"]


def test_a_command_that_fails_is_one_line(counting, tmp_path):
    with pytest.raises(EmulationError, match=r"^on cortex-a72, .*no such luck$"):
        run_steps(counting, A72, tmp_path, [["python3", "-c", "raise SystemExit('no such luck')"]])
