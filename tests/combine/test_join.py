"""Rows of several files, side by side: matched by id and by digest, never by position."""

from __future__ import annotations

import re
import tracemalloc

import h5py
import numpy as np
import pytest
from feature_files import recipe, record, write

import penult
from penult.errors import (
    OutputExistsError,
    SourceError,
    TrainingError,
    UnknownNameError,
    UsageError,
)
from penult.records import Failure

pytestmark = [pytest.mark.light, pytest.mark.once]


@pytest.fixture
def two(file):
    """Lengths 5 and 2 of x, 10 and 1 of y, which is first in b."""
    a = file("a", {"x.jpg": [3, 4], "y.jpg": [6, 8]}, labels={"x.jpg": "rose", "y.jpg": "tulip"})
    return a, file("b", {"y.jpg": [0, 1, 0], "x.jpg": [2, 0, 0]})


def rows(features):
    return dict(zip(features.ids, np.asarray(features.features[:]).tolist(), strict=True))


def near(values):
    return {key: pytest.approx(value, abs=1e-6) for key, value in values.items()}


def test_each_row_is_scaled_to_length_one_and_found_by_its_id(two, tmp_path):
    made = penult.join(two, tmp_path / "ab.h5")
    joined = made.features
    assert rows(joined) == near({"x.jpg": [0.6, 0.8, 1, 0, 0], "y.jpg": [0.6, 0.8, 0, 1, 0]})
    assert joined.features.dtype == np.float32
    assert (joined.name, joined.layers) == ("joined", ("joined",))
    assert joined.recipe == penult.load(tmp_path / "ab.h5").recipe
    assert [part.network for part in joined.recipe.parts] == ["toy:a", "toy:b"]
    assert joined.label_names == ("rose", "tulip")
    assert joined.labels.tolist() == [0, 1]
    assert joined.content == penult.load(two[0]).content
    assert (joined.splits, joined.groups, joined.targets) == (None, None, None)
    assert (made.missing, made.changed, made.views_left_out) == ({}, (), None)
    assert made.lines == ()


def test_weights_are_of_the_files_in_their_order(two):
    joined = penult.join(two, weights=[1, 0.5]).features
    assert rows(joined)["x.jpg"] == pytest.approx([0.6, 0.8, 0.5, 0, 0])
    assert joined.recipe.weights == (1, 0.5)


def test_rows_in_memory_are_joined_as_those_of_files(two, tmp_path):
    loaded = [penult.load(one).take([1, 0]) for one in two]
    joined = penult.join(loaded).features
    assert joined.ids == ["y.jpg", "x.jpg"]
    assert rows(joined) == rows(penult.join(two).features)
    assert penult.join([two[0], loaded[1]]).features.recipe == joined.recipe
    assert sorted(tmp_path.iterdir()) == sorted(two)


def test_rows_without_digests_are_matched_by_their_ids(make_features):
    a = make_features({"x": 2, "y": 2}, width=2)
    b = make_features({"x": 2, "y": 2}, width=3)
    b = penult.Features(
        features=b.features, ids=b.ids, labels=b.labels, label_names=b.label_names,
        recipe=recipe(network="toy:b"),
    )  # fmt: skip
    joined = penult.join([a, b]).features
    assert joined.features.shape == (4, 5)
    assert joined.content == [""] * 4


@pytest.mark.parametrize("other", ["float32", "float16"])
def test_rows_are_halves_where_some_are(file, other):
    a = file("a", {"x.jpg": [3, 4]}, dtype="float16")
    b = file("b", {"x.jpg": [1]}, dtype=other)
    joined = penult.join([a, b]).features
    assert joined.features.dtype == np.float16
    assert joined.features[:].tolist() == [pytest.approx([0.6, 0.8, 1], abs=1e-3)]


def test_maps_are_flattened(file):
    a = file("a", {"x.jpg": [[3, 0], [0, 4]]})
    joined = penult.join([a, file("b", {"x.jpg": [1]})]).features
    assert rows(joined)["x.jpg"] == pytest.approx([0.6, 0, 0, 0.8, 1])


def test_what_only_some_have_is_left_out_and_said(file):
    a = file("a", {"x.jpg": [1], "y.jpg": [1], "z.jpg": [1]})
    b = file("b", {"x.jpg": [1], "w.jpg": [1], "z.jpg": [1]}, changed=["z.jpg"])
    made = penult.join([a, b])
    assert made.features.ids == ["x.jpg"]
    assert made.missing == {"y.jpg": (str(b),), "w.jpg": (str(a),)}
    assert made.changed == ("z.jpg",)
    assert made.lines == (
        "2 images were left out, for they have no row in all files: y.jpg, w.jpg",
        "1 image was left out, for their bytes are not the same in all files: z.jpg",
    )
    assert "left out" in repr(made)
    assert made.features.failures == ()


def test_three_files_say_where_each_image_is_missing(file):
    a = file("a", {"x.jpg": [1], "y.jpg": [1]})
    b = file("b", {"x.jpg": [1]})
    c = file("c", {"x.jpg": [1], "v.jpg": [1]})
    missing = penult.join([a, b, c]).missing
    assert missing == {"y.jpg": (str(b), str(c)), "v.jpg": (str(a), str(b))}


def test_an_image_that_failed_somewhere_and_has_no_row_is_a_failure(file):
    a = file("a", {"x.jpg": [1], "y.jpg": [1]}, failures=[Failure("z.jpg", "torn")])
    b = file("b", {"x.jpg": [1]}, failures=[Failure("y.jpg", "NaN"), Failure("z.jpg", "bad")])
    made = penult.join([a, b])
    assert made.features.failures == (Failure("y.jpg", "NaN"), Failure("z.jpg", "torn"))
    assert made.missing == {}


def test_nothing_in_common_is_one_line(file):
    a, b = file("a", {"x.jpg": [1]}), file("b", {"photos/x.jpg": [1]})
    with pytest.raises(SourceError, match=r"no image has a row in both .*a\.h5 and .*b\.h5: .*a\.h5 "
                       r"begins with x\.jpg, .*b\.h5 with photos/x\.jpg; rows are matched by id"):  # fmt: skip
        penult.join([a, b])
    c = file("c", {"x.jpg": [1]}, changed=["x.jpg"])
    with pytest.raises(SourceError, match=r"have the same names, but other bytes: x\.jpg"):
        penult.join([a, c])


def test_an_id_is_there_once(make_features):
    a = make_features({"x": 2}, width=2)
    twice = penult.Features(
        features=a.features, ids=["same", "same"], labels=a.labels, label_names=a.label_names,
        recipe=recipe(),
    )  # fmt: skip
    with pytest.raises(SourceError, match="has two rows of same"):
        penult.join([a, twice])


def test_labels_splits_and_groups_are_of_the_first_that_has_them(file):
    ids = ("x.jpg", "y.jpg", "z.jpg")
    a = file("a", {one: [1] for one in ids}, labels={"x.jpg": "rose"})
    b = file(
        "b",
        {one: [1] for one in reversed(ids)},
        labels={"x.jpg": "rose", "y.jpg": "tulip"},
        split={"x.jpg": "train", "z.jpg": "test"},
        group={"x.jpg": "g"},
    )
    c = file("c", {one: [1] for one in ids}, split={"y.jpg": "test"}, group={"y.jpg": "h"})
    joined = penult.join([a, b, c]).features
    assert joined.label_names == ("rose", "tulip")
    assert joined.labels.tolist() == [0, 1, -1]
    assert joined.splits == ["train", "", "test"]
    assert joined.groups == ["g", "y.jpg", "z.jpg"]


def test_contradictory_labels_are_refused(file):
    a = file("a", {"x.jpg": [1], "y.jpg": [1]}, labels={"x.jpg": "rose", "y.jpg": "tulip"})
    b = file("b", {"y.jpg": [1], "x.jpg": [1]}, labels={"x.jpg": "rosa", "y.jpg": "tulip"})
    with pytest.raises(SourceError, match=r"1 image of .*b\.h5 has another label in .*a\.h5: "
                       r"x\.jpg \(rose there, rosa here\)"):  # fmt: skip
        penult.join([a, b])


def test_several_labels_of_an_image_are_kept_and_compared(file):
    several = {"x.jpg": ["rose", "red"], "y.jpg": "tulip"}
    a = file("a", {"x.jpg": [1], "y.jpg": [1], "z.jpg": [1]}, labels=several)
    b = file("b", {"x.jpg": [1], "y.jpg": [1], "z.jpg": [1]}, labels={"y.jpg": "tulip"})
    for order in ([a, b], [b, a]):
        joined = penult.join(order).features
        assert joined.label_names == ("red", "rose", "tulip")
        assert joined.targets.tolist() == [[True, True, False], [False, False, True], [False] * 3]
        assert joined.labels.tolist() == [-1, 2, -1]
    c = file("c", {"x.jpg": [1], "y.jpg": [1]}, labels={"x.jpg": "rose"})
    with pytest.raises(SourceError, match=r"x\.jpg \(red\|rose there, rose here\)"):
        penult.join([a, c])


def test_the_origin_is_that_of_the_first_and_says_what_was_joined(file):
    a = file("a", {"x.jpg": [1]}, origin={"sources": ["/photos"]})
    joined = penult.join([a, file("b", {"x.jpg": [1]}, origin={"sources": ["/other"]})])
    assert joined.features.origin == {
        "sources": ["/photos"],
        "joined": {"files": ["a.h5", "b.h5"], "layers": [], "missing": 0, "changed": 0},
    }


# --- sets of rows of one file


@pytest.fixture
def layers(tmp_path):
    sets = [np.array([[3, 4]], np.float32), np.array([[2]], np.float32)]
    records = [record("x.jpg", "rose")]
    return write(tmp_path / "l.h5", records, sets, layers=("early", "late"))


def test_sets_of_one_file_are_joined(layers):
    joined = penult.join(layers, layer=["late", "early"]).features
    assert rows(joined) == near({"x.jpg": [1, 0.6, 0.8]})
    assert [part.layer for part in joined.recipe.parts] == ["late", "early"]


def test_of_each_file_its_last_set_is_taken_or_those_asked_for(layers, file):
    a = file("a", {"x.jpg": [1]}, changed=())
    other = penult.load(layers)
    a = penult.Features(**{**vars(penult.load(a)), "content": other.content})
    assert len(penult.join([layers, a]).features.recipe.parts) == 2
    asked = penult.join([layers, a], layer=["early", "late", "penultimate"]).features
    assert rows(asked)["x.jpg"] == pytest.approx([0.6, 0.8, 1, 1])
    with pytest.raises(UnknownNameError, match="unknown layer"):
        penult.join([layers, a], layer=["early", "penultimate", "nothing"])
    with pytest.raises(UnknownNameError, match="unknown layer 'early' in"):
        penult.join([layers, a], layer="early")


def test_one_set_alone_is_refused(layers, two):
    with pytest.raises(UsageError, match=r"as layer='early' and layer='late'$"):
        penult.join(layers)
    with pytest.raises(UsageError, match=r"has one set of rows; give a second feature file"):
        penult.join([two[0]])


def test_rows_of_one_recipe_are_no_join(two):
    with pytest.raises(UsageError, match="have one recipe: to join them would say the same twice"):
        penult.join([two[0], two[1], two[0]])


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([1], "1 weight for 2 sets of rows; give one for each"),
        ([1, 0], "each has to be from 0.001 to 1,000"),
        ([1, float("inf")], "each has to be from 0.001 to 1,000"),
        ([1, 1e5], "each has to be from 0.001 to 1,000"),  # infinite in float16
    ],
)
def test_weights_that_cannot_be_are_refused(two, weights, said):
    with pytest.raises(UsageError, match=said):
        penult.join(two, weights=weights)


def test_what_is_read_is_not_replaced(two, tmp_path):
    before = two[0].read_bytes()
    for inputs in (two, [penult.load(one) for one in two]):
        with pytest.raises(OutputExistsError, match="is what is read"):
            penult.join(inputs, two[0], overwrite=True)
    assert two[0].read_bytes() == before
    there = tmp_path / "there.h5"
    there.write_bytes(b"mine")
    with pytest.raises(OutputExistsError, match="exists"):
        penult.join(two, there)
    with pytest.raises(UsageError, match="would hold HDF5"):
        penult.join(two, tmp_path / "there.csv")
    penult.join(two, there, overwrite=True)
    assert len(penult.load(there)) == 2


def test_a_join_that_is_interrupted_leaves_nothing(two, tmp_path):
    def stop(progress):
        if progress.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        penult.join(two, tmp_path / "ab.h5", progress=stop)
    assert sorted(tmp_path.iterdir()) == sorted(two)


# --- augmented rows


def test_augmented_rows_are_joined_by_their_view(file):
    a = file(
        "a",
        {"x.jpg": [1], "y.jpg": [1], "z.jpg": [1]},
        views={("x.jpg", 1): [2], ("x.jpg", 2): [3], ("y.jpg", 1): [-4], ("z.jpg", 1): [1]},
    )
    b = file(
        "b",
        {"y.jpg": [0, 1], "x.jpg": [0, 1]},
        views={("y.jpg", 1): [0, 9], ("x.jpg", 2): [3, 4], ("x.jpg", 1): [4, 3]},
    )
    made = penult.join([a, b])
    found = made.features.augmented
    assert found.of.tolist() == [0, 0, 1]
    assert found.view.tolist() == [1, 2, 1]
    assert found.features[:].tolist() == [
        pytest.approx(one) for one in ([1, 0.8, 0.6], [1, 0.6, 0.8], [-1, 0, 1])
    ]
    assert found.recipe.part == made.features.recipe
    assert (found.recipe.policy, found.recipe.seed) == ("light", 0)
    assert made.views_left_out is None


def test_views_that_only_some_have_are_left_out_and_said(file):
    a = file("a", {"x.jpg": [1]}, views={("x.jpg", 1): [2], ("x.jpg", 2): [2]})
    b = file("b", {"x.jpg": [1]}, views={("x.jpg", 2): [5]})
    made = penult.join([a, b])
    assert made.features.augmented.view.tolist() == [2]
    assert made.views_left_out == "1 view of the images that not all files have"


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({}, r"b\.h5 has none$"),
        ({"views": {("x.jpg", 1): [2]}, "policy": "strong"},
         "they are of several augmentations, light with seed 0 and strong with seed 0"),
    ],
)  # fmt: skip
def test_augmented_rows_of_some_files_or_otherwise_made_are_left_out(file, other, said):
    a = file("a", {"x.jpg": [1]}, views={("x.jpg", 1): [2]})
    made = penult.join([a, file("b", {"x.jpg": [1]}, **other)])
    assert made.features.augmented is None
    (line,) = made.lines
    assert line.startswith("augmented rows were left out: ")
    assert re.search(said, line)


# --- memory


@pytest.mark.parametrize("order", ["same", "reversed", "mixed"])
def test_blocks_of_any_order_are_read_right(tmp_path, monkeypatch, order):
    from penult.combine import join as module

    monkeypatch.setattr(module, "BLOCK_BYTES", 4 * 3 * 7)  # seven rows
    ids = [f"{k:03}.jpg" for k in range(100)]
    places = {
        "same": np.arange(100),
        "reversed": np.arange(100)[::-1],
        "mixed": np.random.default_rng(0).permutation(100),
    }[order]
    numbers = np.arange(1, 101, dtype=np.float32)
    angles = np.stack([np.cos(numbers), np.sin(numbers)], axis=1)
    digests = [f"{k:032x}" for k in range(100)]
    a = write(tmp_path / "a.h5", [record(one) for one in ids], [numbers[:, None]],
              recipes=[recipe(network="toy:a")], digests=digests)  # fmt: skip
    b = write(tmp_path / "b.h5", [record(ids[k]) for k in places], [angles[places]],
              recipes=[recipe(network="toy:b")], digests=[digests[k] for k in places])  # fmt: skip
    joined = penult.join([a, b], tmp_path / "ab.h5").features
    assert joined.features[:, 1:] == pytest.approx(angles, abs=1e-6)
    assert len(joined) == 100


def big(path, count, network, width=256):
    """A file of so many rows, made without keeping them."""
    with h5py.File(write(path, [record("0.jpg")], [np.ones((1, width), np.float32)],
                         recipes=[recipe(network=network)]), "r+") as file:  # fmt: skip
        for name in ("ids", "content", "labels", "features"):
            file[name].resize(count, axis=0)
        file["ids"][:] = [f"{k}.jpg" for k in range(count)]
        file["labels"][:] = -1
        file["content"][:] = [f"{k:032x}" for k in range(count)]
        for start in range(0, count, 500):
            file["features"][start : start + 500] = 1.0
    return path


def test_memory_does_not_grow_with_rows(tmp_path, monkeypatch):
    """Two rows take 2,048 bytes; what is kept of them is their ids, digests and labels."""
    from penult.combine import join as module

    monkeypatch.setattr(module, "BLOCK_BYTES", 1 << 16)

    def peak(count):
        files = [big(tmp_path / f"{name}{count}.h5", count, f"toy:{name}") for name in "ab"]
        tracemalloc.start()
        try:
            penult.join(files, tmp_path / f"out{count}.h5")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)  # what is imported stays
    assert (peak(1500) - peak(300)) / 1200 < 600


def test_rows_that_are_no_numbers_are_refused_by_the_names_of_their_images(file, tmp_path):
    """As wherever rows are read; joined, one NaN would be as many as its row has numbers."""
    a = file("a", {"x.jpg": [3, 4], "y.jpg": [np.nan, 8], "z.jpg": [np.inf, 1]})
    b = file("b", {"z.jpg": [1], "y.jpg": [1], "x.jpg": [2]})
    output = tmp_path / "ab.h5"
    with pytest.raises(
        TrainingError, match=r"2 rows with NaN or infinite numbers: y\.jpg, z\.jpg;"
    ):
        penult.join([a, b], output)
    assert not output.exists()


def test_augmented_rows_that_are_no_numbers_are_said_of_their_image(file):
    rows = {"x.jpg": [3, 4], "y.jpg": [6, 8]}
    a = file("a", rows, views={("x.jpg", 1): [0, 1], ("y.jpg", 1): [np.nan, 1]})
    b = file("b", rows, views={("x.jpg", 1): [1, 0], ("y.jpg", 1): [1, 1]})
    with pytest.raises(TrainingError, match=r"1 row with NaN or infinite numbers: y\.jpg;"):
        penult.join([a, b])


@pytest.mark.parametrize("empty", [0, 1])
def test_features_without_rows_are_no_part_of_a_join(two, empty):
    both = [penult.load(one) for one in two]
    both[empty] = both[empty].take([])
    with pytest.raises(SourceError, match="has no rows; extract images that can be read"):
        penult.join(both)


def test_what_is_told_of_augmentation_is_told_where_augmented_rows_are_left(file):
    rows, views = {"x.jpg": [3, 4]}, {("x.jpg", 1): [0, 1]}
    origin = {"sources": ["/photos"], "augment": 1, "augment_policy": "light", "augment_seed": 0}
    a = file("a", rows, views=views, origin=origin)
    b, c = file("b", rows, views=views), file("c", rows)
    assert penult.join([a, b]).features.origin.items() >= origin.items()
    assert penult.join([a, c]).features.origin.keys() == {"sources", "joined"}
