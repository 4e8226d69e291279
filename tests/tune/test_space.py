"""What may be chosen."""

from __future__ import annotations

import pytest

from edgeemo.errors import EdgeEmoError
from edgeemo.train import TrainOptions
from edgeemo.train.networks.architectures import get_architecture
from edgeemo.tune import Space, make_space
from edgeemo.tune.space import merge_choice


class _First:
    """Draws the first of every choice, or the last."""

    def __init__(self, index: int = 0) -> None:
        self.index = index

    def suggest_categorical(self, name, choices):
        return choices[self.index]

    def suggest_float(self, name, low, high, *, log=False):
        return (low, high)[self.index]


def test_a_drawn_network_has_a_name_that_train_reads():
    space = Space(arch=("cnn",), filters=(8, 64))
    first, last = space.draw(_First()), space.draw(_First(-1))
    assert first == {"arch": "cnn-8-8-8-d64", "size": 48, "lr": 1e-4, "augment": "none"}
    assert last["arch"] == "cnn-64-64-64-bn"
    network = get_architecture(last["arch"])
    assert (network.filters, network.batch_norm, network.dense) == ((64, 64, 64), True, 256)


@pytest.mark.parametrize(
    ("index", "name"),
    [(0, "edge-c8-c16d-c16d-c16d"), (-1, "edge-c32d-i64x3-i64x3m-i64x3m")],
)
def test_a_drawn_member_of_the_edge_family_has_a_name_that_train_reads(index, name):
    chosen = Space(arch=("edge",)).draw(_First(index))
    assert chosen["arch"] == name
    assert get_architecture(name).name == name
    assert get_architecture(name).min_side == 8


def test_what_the_config_names_is_fixed_unless_it_is_searched():
    fixed = {"arch": "cnn-bn-64", "lr": 0.01, "size": 32}
    space = make_space({"sizes": (24, 32)}, fixed=fixed)
    assert space.arch == ("cnn-bn-64",)
    assert space.lr == (0.01,)
    assert space.sizes == (24, 32)
    assert space.augment == Space().augment


def test_only_a_backbone_takes_weights():
    base = TrainOptions(mode="plain", from_="imagenet", frozen_epochs=2)
    chosen = {"size": 48, "lr": 0.001, "augment": "none"}
    assert merge_choice(base, {**chosen, "arch": "mobilenet-v2"}).from_ == "imagenet"
    plain = merge_choice(base, {**chosen, "arch": "cnn-bn-64"})
    assert (plain.from_, plain.frozen_epochs) == ("none", 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arch": ()}, "arch has no choices"),
        ({"arch": ("cnn-16-32-61", "cnn-nb-64")}, "did you mean 'cnn-bn-64'"),
        ({"sizes": (48, 4)}, "requires images of at least"),
        ({"arch": ("edge",), "sizes": (48, 7)}, "at least 8 pixels"),
        ({"arch": ("edge-c24-q8",)}, "'q8' is not a stage"),
        ({"sizes": (48, 48)}, "sizes names one choice twice"),
        ({"filters": (0,)}, "filters must be 1 to"),
        ({"lr": (0.1, 0.01)}, "not 0.1,0.01"),
        ({"lr": (0.0, 0.01)}, "lr must be more than 0"),
        ({"augment": ("lite",)}, "did you mean 'light'"),
    ],
)
def test_a_wrong_space_is_refused(changes, message):
    with pytest.raises(EdgeEmoError, match=message):
        Space(**changes).check(TrainOptions(mode="plain"))
