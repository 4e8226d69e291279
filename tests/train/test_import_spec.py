from __future__ import annotations

from pathlib import Path

import pytest

from edgeemo.model.spec import ModelSpec
from edgeemo.train import import_spec

SPEC = ModelSpec(labels=("happy", "sad"), height=8, width=8)


@pytest.mark.parametrize("given", [None, "logit", "probability"])
def test_a_graph_that_cannot_be_read_is_judged_by_its_values(monkeypatch, given):
    def fail(*_):
        raise NotImplementedError("no such operator")

    monkeypatch.setattr(import_spec, "find_head", fail)
    head = import_spec.choose_head(None, Path("mine.keras"), SPEC, given=given)
    assert head == (given or "probability")
