from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.reliability.bit_flips import measure_file

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize("name", ["int8.tflite", "int8.onnx"])
def test_no_file_with_a_flipped_bit_or_a_broken_checksum_is_accepted(name):
    measured = measure_file(GOLDEN / name, broken=200, sample=200)
    behind_model, *others = (counts.tried for counts in measured.values())
    assert behind_model > 4000
    assert others == [200, 200]
    assert [counts.accepted for counts in measured.values()] == [0, 0, 0]
