"""Rows of augmented views stand beside those of their photos, and are found by them."""

from __future__ import annotations

import pickle
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import pytest
from feature_files import recipe, record, write

import penult
from penult.errors import FeatureFileError
from penult.features.estimate import estimate_bytes
from penult.features.read import load
from penult.features.write import Columns, FeatureWriter
from penult.recipe import AugmentedRecipe
from penult.records import AugmentedRecord, augmented_content

A, B, C = (record(f"{name}.jpg", name) for name in "abc")
ONE = (recipe(),)
LIGHT = AugmentedRecipe(recipe(), "light", 7)


def view(photo, number: int) -> AugmentedRecord:
    return AugmentedRecord(photo, number)


def row(one) -> list[float]:
    """Of a.jpg [0, 0], of b.jpg [1, 0], of c.jpg [2, 0]; of their k-th views [0, k] and so on."""
    photo = one.photo if isinstance(one, AugmentedRecord) else one
    return ["abc".index(photo.id[0]), getattr(one, "view", 0)]


def write_all(path: Path | None, records, *, width: int = 2, recipes=ONE, **options):
    rows = np.array([row(one) for one in records], np.float32)
    rows = np.pad(rows, ((0, 0), (0, width - 2)))
    augmented = [AugmentedRecipe(one, "light", 7) for one in recipes]
    options = {"augmented": augmented, **options}
    return write(path, records, [rows] * len(recipes), recipes=list(recipes), **options)


def told(features) -> list[tuple[str, int, list[float]]]:
    """Photo, number and row of each augmented view."""
    found = features.augmented
    rows = zip(found.of.tolist(), found.view.tolist(), found.features[:].tolist(), strict=True)
    return [(features.ids[of], number, numbers) for of, number, numbers in rows]


ALL = [("a.jpg", 1, [0, 1]), ("a.jpg", 2, [0, 2]), ("c.jpg", 1, [2, 1])]


@pytest.fixture
def augmented(tmp_path) -> Path:
    records = [A, B, C, view(A, 1), view(A, 2), view(C, 1)]
    return write_all(tmp_path / "f.h5", records)


def test_views_are_none_of_the_rows_but_beside_them(augmented):
    features = load(augmented)
    assert features.ids == ["a.jpg", "b.jpg", "c.jpg"]
    assert features.features[:].tolist() == [[0, 0], [1, 0], [2, 0]]
    assert (features.splits, features.groups, features.targets) == (None, None, None)
    assert told(features) == ALL
    assert features.augmented.of.dtype == features.augmented.view.dtype == np.int64
    assert features.augmented.recipe == LIGHT
    assert len(features.augmented) == 3
    assert repr(features).startswith("Features(3 rows of 2 float32 and 3 augmented rows")
    assert "3 augmented rows" in repr(penult.info(augmented))


def test_the_group_in_the_file(augmented):
    with h5py.File(augmented) as file:
        assert file.attrs["format"] == 2
        assert file["augmented/of"][:].tolist() == [0, 0, 2]
        assert file["augmented/view"][:].tolist() == [1, 2, 1]
        assert file["augmented/rows/penultimate"][:].tolist() == [[0, 1], [0, 2], [2, 1]]


def test_which_photo_a_view_is_of_is_read_only_as_it_was_written(augmented):
    with h5py.File(augmented) as file:
        place = file["augmented/of"].id.get_chunk_info(0).byte_offset
    data = bytearray(augmented.read_bytes())
    data[place] ^= 1
    augmented.write_bytes(data)
    with pytest.raises(FeatureFileError, match="its bytes are not those that were written"):
        load(augmented)


@pytest.mark.parametrize("blocks", [1, 2, 100])
@pytest.mark.parametrize(
    "records",
    [
        pytest.param([view(A, 1), B, view(A, 2), view(C, 1), C, A], id="before their photos"),
        pytest.param([view(A, 1), view(A, 2), view(C, 1), A, B, C], id="all of them first"),
    ],
)
def test_a_view_finds_its_photo_wherever_that_is(tmp_path, records, blocks):
    assert told(load(write_all(tmp_path / "f.h5", records, blocks=blocks))) == ALL


def test_views_whose_photo_has_no_row_are_dropped(tmp_path):
    """Three hundred rows, of which every third stays, in chunks of 51 rows."""
    photos = [record(f"{name}{k}.jpg", name) for k in range(100) for name in "abc"]
    records = [one for one in photos if one.id[0] == "b"] + [view(one, 1) for one in photos]
    path = write_all(tmp_path / "f.h5", records, width=1280, blocks=32)
    features = load(path)
    assert len(features) == len(features.augmented) == 100
    assert features.augmented.of.tolist() == list(range(100))
    assert features.augmented.features[:, :2].tolist() == [[1, 1]] * 100


@pytest.mark.parametrize("records", [[A, view(B, 1)], [A]], ids=["all dropped", "none given"])
def test_a_file_in_which_no_view_is_left_has_none(tmp_path, records):
    features = load(write_all(tmp_path / "f.h5", records))
    assert features.augmented is None
    assert "augmented" not in repr(features)


def test_each_set_of_rows_has_its_own_views(tmp_path):
    recipes, names = [recipe("early"), recipe("/l%te")], ("x/early", "x//l%te")
    records = [A, view(A, 1)]
    path = write_all(tmp_path / "f.h5", records, recipes=recipes, names=names, dtype="float16")
    for name, one in zip(names, recipes, strict=True):
        rows = load(path, name).augmented
        assert rows.features[:].tolist() == [[0, 1]]
        assert rows.features.dtype == np.float16
        assert rows.recipe.part == one


def test_rows_are_taken_with_those_of_their_views(augmented):
    taken = load(augmented).take([2, 1, 0, 2])
    assert taken.ids == ["c.jpg", "b.jpg", "a.jpg", "c.jpg"]
    rows = taken.augmented
    assert rows.of.tolist() == [0, 2, 2, 3]
    assert rows.view.tolist() == [1, 1, 2, 1]
    assert rows.features.tolist() == [[2, 1], [0, 1], [0, 2], [2, 1]]
    assert rows.recipe == LIGHT
    assert taken.take([1]).augmented is None
    assert taken.take(["a.jpg"]).augmented.of.tolist() == [0, 0]


def test_a_data_frame_has_the_rows_of_the_photos_alone(augmented):
    if find_spec("pandas") is None:
        pytest.skip("pandas is in no environment of penult's")
    features = load(augmented)
    assert features.to_dataframe()["id"].tolist() == ["a.jpg", "b.jpg", "c.jpg"]


def test_what_is_known_of_a_view_is_known_of_its_photo():
    photo = record("d/1.jpg", "a", "b", split="train")
    one = view(photo, 3)
    assert one.id == "d/1.jpg (augmented view 3)"
    assert (one.labels, one.split, one.group) == (("a", "b"), "train", "d/1.jpg")
    assert one.open is photo.open
    assert view(record("2.jpg", group="g"), 1).group == "g"
    assert pickle.loads(pickle.dumps(view(photo, 3))) == one
    assert one != view(photo, 2)


def test_a_column_of_groups_is_there_only_where_photos_have_groups():
    assert not Columns.of([A, view(A, 1)]).groups
    assert Columns.of([A, view(A, 1), view(A, 2)]).augmented == 2


def test_views_are_told_apart_by_digests_as_photos_are():
    digests = {
        augmented_content(content, AugmentedRecipe(recipe(), policy, seed), number)
        for content in ("00" * 16, "11" * 16)
        for policy in ("light", "strong")
        for seed in (0, 1)
        for number in (1, 2)
    }
    assert len(digests) == 16
    assert {len(digest) for digest in digests} == {32}
    other = AugmentedRecipe(recipe("other"), "light", 7)  # another row, but the same picture
    assert augmented_content("00" * 16, LIGHT, 1) == augmented_content("00" * 16, other, 1)


def test_views_need_a_recipe():
    writer = FeatureWriter(None, [recipe()], Columns(()))
    with pytest.raises(ValueError, match="no recipe"):
        writer.append([view(A, 1)], ["0" * 32], [np.ones((1, 2), np.float32)])
    with pytest.raises(ValueError, match="2 augmented recipes for 1"):
        FeatureWriter(None, [recipe()], Columns(()), augmented=[LIGHT, LIGHT])


@pytest.mark.parametrize("views_first", [True, False])
def test_the_size_of_a_file_counts_its_views(tmp_path, views_first):
    photos = [record(f"{'abc'[k % 3]}{k:05}.jpg", "abc"[k % 3]) for k in range(11_000)]
    views = [view(one, 1) for one in photos[:3000]]
    records = [*views, *photos] if views_first else [*photos, *views]
    path = write_all(tmp_path / "f.h5", records, width=100, blocks=1024)
    estimated = estimate_bytes(records, [recipe()], [(100,)])
    assert estimated == pytest.approx(path.stat().st_size, rel=0.02)


def put(name: str, value):
    def change(group: h5py.Group) -> None:
        attributes = dict(group[name].attrs)
        del group[name]
        group[name] = value
        group[name].attrs.update(attributes)

    return change


def made_otherwise(other):
    return lambda g: g["rows/penultimate"].attrs.__setitem__("recipe", other.to_json())


FORGED = {
    "of a row that is not there": (put("of", np.array([0, 0, 3])), "belong to rows 0 to 3 of 3"),
    "of a row before the first": (put("of", np.array([0, -1, 2])), "belong to rows -1 to 2 of 3"),
    "a view 0": (put("view", np.array([1, 0, 1])), "counted from 0"),
    "a view that none can be": (put("view", np.array([1, 2**62, 1])), f"counted .* to {2**62}"),
    "fewer views": (put("view", np.array([1, 2])), "3 augmented rows of 2 views"),
    "fractions": (put("of", np.array([0.0, 0.0, 2.0])), "its of is float64"),
    "fewer rows": (put("rows/penultimate", np.zeros((2, 2), np.float32)), r"of shape \(2, 2\)"),
    "wider rows": (put("rows/penultimate", np.zeros((3, 3), np.float32)), r"of shape \(3, 3\)"),
    "shorter rows": (put("rows/penultimate", np.zeros((3, 2), np.float16)), "are float16"),
    "no rows": (lambda g: g.__delitem__("rows/penultimate"), "it has no penultimate"),
    "no group of rows": (lambda g: g.__delitem__("rows"), "it has no rows"),
    "no places": (lambda g: g.__delitem__("of"), "it has no of"),
    "none at all": (
        lambda g: [
            put("of", np.zeros(0, int))(g),
            put("view", np.zeros(0, int))(g),
            put("rows/penultimate", np.zeros((0, 2), np.float32))(g),
        ],
        "0 augmented rows",
    ),
    "rows elsewhere": (
        lambda g: [
            g.__delitem__("rows/penultimate"),
            g.__setitem__("rows/penultimate", h5py.ExternalLink("o.h5", "/x")),
        ],
        r"a link .*o\.h5",
    ),
    "another layer's": (made_otherwise(AugmentedRecipe(recipe("x"), "light", 7)), "made otherwise"),
    "rows of photos": (made_otherwise(recipe()), "made otherwise"),
    "a dataset for the group": (
        lambda g: [g.file.__delitem__("augmented"), g.file.__setitem__("augmented", 3)],
        "its augmented is no group",
    ),
}


@pytest.mark.parametrize("case", FORGED)
def test_a_file_whose_views_cannot_be_right_is_refused_in_one_line(augmented, case):
    change, message = FORGED[case]
    with h5py.File(augmented, "a") as file:
        change(file["augmented"])
    with pytest.raises(FeatureFileError, match=message) as said:
        load(augmented)
    assert str(said.value).startswith(str(augmented))
    assert "\n" not in str(said.value)


def test_views_of_several_augmentations_are_refused(tmp_path):
    recipes, names = [recipe("early"), recipe()], ("early", "late")
    path = write_all(tmp_path / "f.h5", [A, view(A, 1)], recipes=recipes, names=names)
    with h5py.File(path, "a") as file:
        strong = AugmentedRecipe(recipe(), "strong", 7)
        file["augmented/rows/late"].attrs["recipe"] = strong.to_json()
    with pytest.raises(FeatureFileError, match="of several augmentations"):
        load(path)
