from __future__ import annotations

import random
from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeemo.dataset.ingest.split import SplitItem, assign_splits

RATIOS = {"train": 0.7, "validation": 0.2, "test": 0.1}


@st.composite
def item_lists(draw, *, labels_per_group=1):
    """Images in groups of 1 to 8, most of them alone."""
    sizes = draw(st.lists(st.sampled_from([1, 1, 1, 1, 1, 2, 3, 8]), min_size=1, max_size=80))
    items = []
    for group, size in enumerate(sizes):
        choice = draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=labels_per_group))
        for number in range(size):
            label = choice[number % len(choice)]
            items.append(SplitItem(f"{group:03}-{number}", label, group))
    return items


@given(item_lists(labels_per_group=3), st.integers(0, 5))
def test_every_image_has_a_split_and_no_group_straddles(items, seed):
    splits = assign_splits(items, ratios=RATIOS, seed=seed)
    assert len(splits) == len(items)
    where = defaultdict(set)
    for item, split in zip(items, splits, strict=True):
        where[item.group].add(split)
    assert all(len(places) == 1 for places in where.values())
    assert set().union(*where.values()) <= set(RATIOS)


@given(item_lists(), st.randoms(use_true_random=False), st.integers(0, 5))
def test_order_and_group_numbers_do_not_matter(items, shuffler, seed):
    before = dict(
        zip((i.key for i in items), assign_splits(items, ratios=RATIOS, seed=seed), strict=True)
    )
    moved = [SplitItem(item.key, item.label, 1000 - item.group) for item in items]
    shuffler.shuffle(moved)
    after = dict(
        zip((i.key for i in moved), assign_splits(moved, ratios=RATIOS, seed=seed), strict=True)
    )
    assert before == after


@given(item_lists(), st.integers(0, 5))
def test_each_class_is_within_its_largest_groups_of_the_ratios(items, seed):
    splits = assign_splits(items, ratios=RATIOS, seed=seed)
    counts = Counter((item.label, split) for item, split in zip(items, splits, strict=True))
    sizes = Counter(item.group for item in items)
    for label in {item.label for item in items}:
        members = [item for item in items if item.label == label]
        largest = max(sizes[item.group] for item in members)
        for split, ratio in RATIOS.items():
            assert abs(counts[label, split] - ratio * len(members)) <= 2 * largest


@given(st.integers(1, 400), st.integers(0, 5))
def test_without_groups_the_ratios_are_met_to_the_image(count, seed):
    items = [SplitItem(str(number), "a", number) for number in range(count)]
    counts = Counter(assign_splits(items, ratios=RATIOS, seed=seed))
    for split, ratio in RATIOS.items():
        assert abs(counts[split] - ratio * count) <= (1 if count >= 10 else 1.5)


@given(item_lists(), st.integers(0, 5))
def test_a_class_with_enough_groups_is_in_every_split(items, seed):
    splits = assign_splits(items, ratios=RATIOS, seed=seed)
    groups, present = defaultdict(set), defaultdict(set)
    for item, split in zip(items, splits, strict=True):
        groups[item.label].add(item.group)
        present[item.label].add(split)
    for label, found in groups.items():
        assert len(present[label]) == min(3, len(found))


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, {"train"}), (2, {"train", "test"}), (3, {"train", "validation", "test"})],
)
def test_few_images_go_to_train_then_test(count, expected):
    items = [SplitItem(str(number), "a", number) for number in range(count)]
    assert set(assign_splits(items, ratios=RATIOS, seed=0)) == expected


def test_another_seed_gives_another_split():
    items = [SplitItem(str(number), "a", number) for number in range(100)]
    assert assign_splits(items, ratios=RATIOS, seed=0) != assign_splits(
        items, ratios=RATIOS, seed=1
    )


def test_test_images_are_drawn_from_everywhere():
    """Which images go where is chance: positions in the test split average to the middle."""
    items = [SplitItem(str(number), "a", number) for number in range(2000)]
    random.Random(0).shuffle(items)
    splits = assign_splits(items, ratios=RATIOS, seed=0)
    tested = [int(item.key) for item, split in zip(items, splits, strict=True) if split == "test"]
    assert len(tested) == 200
    assert 850 < sum(tested) / 200 < 1150


def test_two_shares_only():
    items = [SplitItem(str(number), "a", number) for number in range(50)]
    counts = Counter(assign_splits(items, ratios={"train": 0.8, "validation": 0.2}, seed=0))
    assert counts == {"train": 40, "validation": 10}


def test_nothing_to_share_out():
    assert assign_splits([], ratios=RATIOS, seed=0) == []
