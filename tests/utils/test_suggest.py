"""`edgeemo.utils.suggest`: the nearest name, where one is near, and the message."""

import pytest

from edgeemo.utils.suggest import describe_unknown, find_nearest


@pytest.mark.parametrize(
    ("name", "found"),
    [("SGD", "sgd"), ("adan", "adam"), ("Adam W", "adamw"), ("foo", None), ("", None)],
)
def test_only_a_similar_name_is_suggested_whatever_its_case(name, found):
    assert find_nearest(name, ("adam", "adamw", "sgd")) == found


@pytest.mark.parametrize(
    ("name", "choices", "rest"),
    [
        (
            "focl",
            ("bce", "focal"),
            "did you mean 'focal'? Choose from bce, focal",
        ),
        ("foo", ("bce", "focal"), "choose from bce, focal"),
        (
            "epoch",
            ("epochs", *"abcdefghijklmnopqrst"),
            "did you mean 'epochs'?",
        ),
    ],
)
def test_the_message_suggests_or_lists(name, choices, rest):
    assert describe_unknown("loss", name, choices) == f"loss {name!r} is unknown; {rest}"


def test_without_a_suggestion_all_are_listed():
    many = [f"name-{number}" for number in range(30)]
    assert describe_unknown("key", "?", many).endswith(f"choose from {', '.join(many)}")
