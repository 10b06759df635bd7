"""Copies and near-duplicates: groups, weakest links, suspects, counts; by hand and against slow code."""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

import penult
from penult.errors import SearchError, UsageError
from penult.retrieve.duplicates import comparison
from penult.tabular import duplicate_cells

pytestmark = pytest.mark.light

COPY = "ab" * 16  # the digest of one file


def cosine(degrees):
    return pytest.approx(np.cos(np.radians(degrees)), abs=1e-6)


def test_a_chain_is_one_group_and_its_weakest_link_is_told(angles):
    found = penult.duplicates(angles({"a.jpg": 0, "b.jpg": 10, "far.jpg": 90, "c.jpg": 25}))
    (group,) = found.groups
    assert group.ids == (
        "a.jpg",
        "b.jpg",
        "c.jpg",
    )  # 25 degrees, from a to c, have a cosine of 0.91
    assert (found.pairs, found.rows, found.images, group.exact) == (2, 4, 3, False)
    assert group.weakest == cosine(15)
    assert [(one.first, one.second) for one in group.links] == [
        ("b.jpg", "c.jpg"),
        ("a.jpg", "b.jpg"),
    ]
    assert group.cosines == (1.0, cosine(10), cosine(25))
    assert (group.keep, group.kept_for, group.removable) == ("a.jpg", "order", ("b.jpg", "c.jpg"))
    assert found.removable == ("b.jpg", "c.jpg")


def test_where_nothing_is_known_of_the_files_the_first_id_is_kept(angles):
    (group,) = penult.duplicates(angles({"b.jpg": 0, "c.jpg": 5, "a.jpg": 10})).groups
    assert (group.ids, group.keep) == (("b.jpg", "c.jpg", "a.jpg"), "a.jpg")


def test_a_chain_falls_apart_above_its_weakest_link(angles):
    features = angles({"a.jpg": 0, "b.jpg": 10, "c.jpg": 25})
    (group,) = penult.duplicates(features, threshold=0.975).groups
    assert group.ids == ("a.jpg", "b.jpg")
    assert penult.duplicates(features, threshold=0.99).groups == ()


def test_groups_of_most_images_come_first_then_those_that_hold_together_best(angles):
    found = penult.duplicates(
        angles({"p": 0, "q": 12, "r": 90, "s": 95, "x": 180, "y": 190, "z": 200})
    )
    assert [group.ids for group in found.groups] == [("x", "y", "z"), ("r", "s"), ("p", "q")]


def test_no_duplicates_are_a_good_result(angles):
    found = penult.duplicates(angles({"a.jpg": 0, "b.jpg": 90}))
    assert (found.groups, found.pairs, found.examples, len(found)) == ((), 0, (), 0)
    assert found.to_dict()["groups"] == []
    assert penult.duplicates(angles({"alone.jpg": 0})).groups == ()


def test_files_that_are_the_same_are_found_by_their_digests_whatever_their_rows(angles):
    digests = {"a.jpg": COPY, "b.jpg": COPY}
    found = penult.duplicates(angles({"a.jpg": 0, "b.jpg": 90, "c.jpg": 95}, digests=digests))
    (group,) = found.groups
    assert (group.ids, group.exact) == (("a.jpg", "b.jpg", "c.jpg"), False)
    assert group.cosines == (1.0, 1.0, cosine(95))
    assert [(one.first, one.second, one.exact) for one in group.links] == [("b.jpg", "c.jpg", False), ("a.jpg", "b.jpg", True)]  # fmt: skip
    (group,) = penult.duplicates(angles({"a.jpg": 0, "b.jpg": 90}, digests=digests)).groups
    assert (group.exact, group.weakest) == (True, 1.0)


def test_images_without_a_digest_are_not_one_file(angles):
    features = angles({"a.jpg": 0, "b.jpg": 0, "c.jpg": 90})
    for unknown in (["", "", ""], None):
        (group,) = penult.duplicates(replace(features, content=unknown)).groups
        assert (group.ids, group.exact, group.weakest) == (("a.jpg", "b.jpg"), False, 1.0)


def test_rows_of_zeros_are_near_to_nothing_but_copies_of_their_file(angles):
    digests = {"black.jpg": COPY, "copy.jpg": COPY}
    found = penult.duplicates(
        angles({"a.jpg": 0, "black.jpg": None, "dark.jpg": None, "copy.jpg": None}, digests=digests)
    )
    assert [group.ids for group in found.groups] == [("black.jpg", "copy.jpg")]
    assert found.zeros == ("black.jpg", "dark.jpg", "copy.jpg")


def test_rows_that_are_no_numbers_are_named(angles):
    features = angles({"a.jpg": 0, "b.jpg": 10})
    rows = features.features[:]
    rows[1] = np.nan
    with pytest.raises(SearchError, match=r"these features: 1 row with NaN .* \(b\.jpg\)"):
        penult.duplicates(replace(features, features=rows))


def test_near_duplicates_of_different_labels_are_suspects(angles):
    labels = {"a.jpg": "rose", "b.jpg": "tulip", "c.jpg": "rose"}
    found = penult.duplicates(
        angles({"a.jpg": 0, "b.jpg": 10, "c.jpg": 5, "none.jpg": 2}, labels=labels)
    )
    assert [(one.first, one.second, one.labels) for one in found.suspects] == [
        ("b.jpg", "c.jpg", ("tulip", "rose")),
        ("a.jpg", "b.jpg", ("rose", "tulip")),
    ]  # fmt: skip
    assert found.groups[0].labels == ("rose", "tulip", "rose", None)


def test_sets_of_labels_differ_where_one_has_another_label(angles):
    labels = {"a.jpg": "sky|sea", "b.jpg": "sky", "c.jpg": "sky|sea", "none.jpg": ""}
    found = penult.duplicates(
        angles({"a.jpg": 0, "b.jpg": 10, "c.jpg": 1, "none.jpg": 2}, labels=labels)
    )
    assert [(one.first, one.second, one.labels) for one in found.suspects] == [
        ("b.jpg", "c.jpg", ("sky", "sea|sky")),
        ("a.jpg", "b.jpg", ("sea|sky", "sky")),
    ]  # fmt: skip


def test_there_are_examples_and_counts_at_several_cosines(angles):
    # cos 8 = 0.990, cos 14 = 0.970, cos 18.1 = 0.951, cos 21.5 = 0.930, cos 25.8 = 0.900
    near = {8: 0, 14: 50, 18.1: 120, 21.5: 180, 25.8: 250}
    degrees = {f"{k}{end}": at + off for k, (off, at) in enumerate(near.items()) for end, off in (("a", 0), ("b", off))}  # fmt: skip
    found = penult.duplicates(angles(degrees), threshold=0.96)
    assert [round(one.cosine, 2) for one in found.examples] == [0.99, 0.97, 0.95, 0.93, 0.9]
    assert [one.first[0] for one in found.examples] == ["0", "1", "2", "3", "4"]
    counts = [(one.threshold, one.pairs, one.groups, one.images) for one in found.counts]
    assert counts == [(0.99, 1, 1, 2), (0.97, 2, 2, 4), (0.96, 2, 2, 4), (0.95, 3, 3, 6), (0.93, 4, 4, 8), (0.9, 5, 5, 10)]  # fmt: skip
    assert (found.least, found.pairs) == (0.9, 2)


def test_below_the_usual_cosines_levels_go_on_down_to_the_threshold(angles):
    # cos 20 = 0.94, cos 28 = 0.883, cos 33 = 0.839
    features = angles({"a": 0, "b": 20, "c": 100, "d": 128, "e": 200, "f": 233})
    found = penult.duplicates(features, threshold=0.82)
    assert [one.threshold for one in found.counts] == [0.99, 0.97, 0.95, 0.93, 0.9, 0.85, 0.82]
    assert [one.pairs for one in found.counts] == [0, 0, 0, 1, 1, 2, 3]
    assert [one.first for one in found.examples] == ["a", "c", "e"]
    assert penult.duplicates(features).counts[-1].threshold == 0.9


def test_of_each_level_the_pairs_just_above_are_shown(angles):
    # Angles to the first of 17.5 to 18.3 degrees: cosines of 0.9537 down to 0.9494, those of
    # others to each other being 1 but for the last digits, and 20 degrees have 0.9397.
    degrees = {"a": 0} | {f"b{k}": 17.5 + 0.2 * k for k in range(5)}
    found = penult.duplicates(angles(degrees), threshold=0.95)
    shown = [(one.second, one.cosine >= 0.95) for one in found.examples if one.first == "a"]
    assert shown == [("b0", True), ("b1", True), ("b2", True), ("b3", True), ("b4", False)]


def test_pairs_below_the_threshold_are_not_counted_where_there_are_too_many(angles, monkeypatch):
    monkeypatch.setattr("penult.retrieve.duplicates.stream._MOST_PAIRS", 3)
    features = angles({"a": 0, "b": 20, "c": 22, "d": 100, "e": 115})  # 0.94, 0.93, 0.999, 0.97
    found = penult.duplicates(features, threshold=0.99)
    assert (found.least, [one.threshold for one in found.counts]) == (
        0.93,
        [0.99, 0.97, 0.95, 0.93],
    )
    assert found.counts[-1].pairs == 3


def test_of_too_many_pairs_the_most_similar_are_listed_and_all_are_counted(angles, monkeypatch):
    monkeypatch.setattr(comparison, "_MOST_LISTED", 2)
    labels = {"a": "x", "b": "y", "c": "z", "d": "w"}
    found = penult.duplicates(angles({"a": 0, "b": 1, "c": 3, "d": 7}, labels=labels))
    assert found.suspects_total == 6
    assert [(one.first, one.second) for one in found.suspects] == [("a", "b"), ("b", "c")]


@pytest.mark.parametrize("seed", range(3))
def test_it_finds_what_comparing_each_with_each_finds(seed, angles):
    rng = np.random.default_rng(seed)
    degrees = {f"{k:02}": float(a) for k, a in enumerate(rng.uniform(0, 720, 40).round())}
    labels = {one: str(rng.choice(["x", "y", ""])) for one in degrees}
    splits = {one: str(rng.choice(["train", "test", "validation"])) for one in degrees}
    digests = dict.fromkeys(rng.choice(list(degrees), 4, replace=False).tolist(), COPY)
    features = angles(degrees, labels=labels, splits=splits, digests=digests)
    found = penult.duplicates(features, threshold=0.99, across_splits=True)

    rows = features.features[:].astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1)[:, None]
    near, group = set(), {one: {one} for one in degrees}
    for (i, a), (j, b) in combinations(enumerate(degrees), 2):
        if rows[i] @ rows[j] >= 0.99 or (a in digests and b in digests):
            near.add((a, b))
            group[a] |= group[b]
            for one in group[a]:
                group[one] = group[a]
    assert found.pairs == len(near)
    assert {frozenset(one.ids) for one in found.groups} == {frozenset(one) for one in group.values() if len(one) > 1}  # fmt: skip
    across = {(a, b) for a, b in near if splits[a] != splits[b]}
    assert {(one.first, one.second) for one in found.across_splits} == across
    suspects = {(a, b) for a, b in near if labels[a] and labels[b] and labels[a] != labels[b]}
    assert {(one.first, one.second) for one in found.suspects} == suspects
    for one in found.groups:
        assert len(one.links) == len(one) - 1
        assert one.weakest == min(link.cosine for link in one.links) >= 0.99


def test_a_threshold_that_finds_all_or_none_is_refused(angles):
    features = angles({"a.jpg": 0, "b.jpg": 10})
    for threshold in (0, 1.5, -1, math.nan):
        with pytest.raises(UsageError, match=r"give a cosine above 0 and up to 1|give a number"):
            penult.duplicates(features, threshold=threshold)
    assert penult.duplicates(features, threshold=1).groups == ()


def test_duplicates_are_short_in_python_and_a_table_in_a_notebook(angles):
    labels = {"a.jpg": "rose", "b.jpg": "tulip"}
    found = penult.duplicates(angles({"a.jpg": 0, "b.jpg": 10}, labels=labels))
    assert repr(found) == "Duplicates(2 rows, threshold 0.95, 1 group of 2 images, 1 pair, 1 with different labels)"  # fmt: skip
    assert "<td" in found._repr_html_()
    assert "0.985" in found._repr_html_()
    assert list(duplicate_cells(found)) == [
        (1, "a.jpg", True, 1.0, "rose", None),
        (1, "b.jpg", False, cosine(10), "tulip", None),
    ]


@pytest.mark.needs("pandas")
def test_duplicates_become_a_dataframe(angles):
    labels = {"a.jpg": "rose", "b.jpg": "tulip"}
    frame = penult.duplicates(angles({"a.jpg": 0, "b.jpg": 10}, labels=labels)).to_dataframe()
    assert list(frame.columns) == ["group", "id", "keep", "cosine", "label", "split"]
    assert frame["keep"].tolist() == [True, False]
    assert frame["split"].isna().all()


def test_json_has_the_shape_that_scripts_rely_on(angles):
    splits = {"a.jpg": "train", "b.jpg": "test"}
    found = penult.duplicates(angles({"a.jpg": 0, "b.jpg": 10}, splits=splits), across_splits=True).to_dict()  # fmt: skip
    (group,) = found["groups"]
    assert {name: group[name] for name in ("ids", "keep", "exact")} == {"ids": ["a.jpg", "b.jpg"], "keep": "a.jpg", "exact": False}  # fmt: skip
    assert group["weakest"] == cosine(10)
    assert (found["pairs"], found["across_splits"]) == (1, [["a.jpg", "b.jpg", cosine(10)]])


def test_a_list_names_all_but_the_one_to_keep_and_nothing_where_labels_differ(angles, tmp_path, caplog):  # fmt: skip
    degrees = {"a": 0, "b": 5, "c": 8, "x": 90, "y": 91, "bare": 180, "named": 181, "u": 270, "v": 271}  # fmt: skip
    labels = {"a": "rose", "b": "rose", "c": "tulip", "x": "rose", "named": "rose", "u": "rose"}
    with caplog.at_level(logging.WARNING, "penult"):
        found = penult.duplicates(angles(degrees, labels=labels), write_list=tmp_path / "drop.txt")
    assert (tmp_path / "drop.txt").read_text() == "v\ny\n"
    assert found.removable == ("v", "y")  # what has no label says nothing against that of the kept
    contested = [group.ids for group in found.groups if group.contested]
    assert contested == [("a", "b", "c"), ("bare", "named")]  # the list would drop a label
    assert "leaves out 2 groups of different labels" in caplog.text
    assert "penult.duplicates(FEATURES, output='duplicates.html') shows them" in caplog.text


def test_identical_files_are_counted_whatever_groups_they_are_in(angles):
    digests = {"a": COPY, "b": COPY, "x": "cd" * 16, "y": "cd" * 16, "z": "cd" * 16}
    features = angles({"a": 0, "b": 0, "near": 15, "x": 90, "y": 90, "z": 90}, digests=digests)
    alone, joined = penult.duplicates(features, threshold=0.99), penult.duplicates(features)
    assert [sum(one.exact for one in found.groups) for found in (alone, joined)] == [2, 1]
    assert (alone.identical, joined.identical) == (2, 2)
    assert penult.duplicates(replace(features, content=None)).identical == 0


def test_an_id_of_several_lines_is_in_no_list(angles, tmp_path):
    features = angles({"a\nb.jpg": 0, "c.jpg": 5})
    with pytest.raises(UsageError, match="has a line break in it"):
        penult.duplicates(features, write_list=tmp_path / "drop.txt")
    assert not (tmp_path / "drop.txt").exists()


def test_outputs_are_refused_before_anything_is_compared(angles, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "penult.tasks.duplicates.find_duplicates", lambda *_, **__: pytest.fail("compared")
    )
    features = angles({"a.jpg": 0, "b.jpg": 5})
    (tmp_path / "there.txt").write_text("mine")
    for options, said in (
        ({"write_list": tmp_path / "there.txt"}, "exists"),
        ({"write_list": tmp_path / "x.csv"}, r"name it x\.txt"),
        ({"repair": tmp_path / "x.json"}, "name it x.h5 or x.hdf5 or x.csv"),
        ({"output": tmp_path / "x.png"}, "name it x.html or x.htm"),
        ({"repair": tmp_path / "x", "write_list": tmp_path / "y"}, "name it x.h5"),
        ({"output": tmp_path / "x.html", "write_list": tmp_path / "x.html"}, "would hold ids"),
        ({"repair": tmp_path / "x.csv", "write_list": tmp_path / "nowhere" / "x.txt"}, "no folder"),
    ):
        with pytest.raises(penult.PenultError, match=said):
            penult.duplicates(features, **options)
    assert (tmp_path / "there.txt").read_text() == "mine"


def test_a_page_is_written_of_all_that_was_found(angles, tmp_path):
    penult.duplicates(angles({"a.jpg": 0, "b.jpg": 5}), tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "Of 2 images, 2 are in 1 group of duplicates" in page
    assert 'title="b.jpg"' in page
