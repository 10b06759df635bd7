"""A folder of rows reads as one feature file of the same images does."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from feature_files import recipe, record, write
from parts_folders import outcomes_of, write_folder

import penult
from penult.errors import FeatureFileError, MissingExtraError, PathNotFoundError, UnknownNameError
from penult.features.parts import cache, files
from penult.features.parts.store import PartsStore
from penult.features.places import rows_address
from penult.features.read import layer_recipes, stored_rows
from penult.recipe import AugmentedRecipe
from penult.records import AugmentedRecord

pytestmark = pytest.mark.light

RECORDS = [
    record(f"{name}.jpg", name[0], split="train" if k % 2 else "test", group=name[0])
    for k, name in enumerate(("a1", "a2", "a3", "b1", "b2", "b3", "c1"))
]
ROWS = np.arange(14, dtype=np.float32).reshape(7, 2)
FAILED = {"a2.jpg": "is no image", "b2.jpg": "is empty", "b3.jpg": "is empty"}
GOOD = [0, 2, 3, 6]


@pytest.fixture(params=["h5", pytest.param("parquet", marks=pytest.mark.needs("pyarrow"))])
def format(request):
    return request.param


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Where the folder of a format and the file of the same images were written, once each."""
    return functools.cache(lambda format: write_both(tmp_path_factory.mktemp(format), format))


@pytest.fixture
def both(tmp_path, format, written):
    """The folder, and the file of the same images; the part of b2 and b3 has no row at all."""
    shutil.copytree(written(format), tmp_path, dirs_exist_ok=True)
    return tmp_path / "photos.rows", tmp_path / "photos.h5"


def write_both(place, format):
    write_folder(
        place / "photos.rows",
        RECORDS,
        [ROWS, 10 + ROWS],
        failed=FAILED,
        layers=("conv", "penultimate"),
        format=format,
        origin={"labels": "parent"},
    )
    outcomes = outcomes_of(RECORDS, [ROWS], FAILED)
    failures = [penult.Failure(*pair) for pair in FAILED.items()]
    good = [RECORDS[k] for k in GOOD]
    write(
        place / "photos.h5",
        good,
        [ROWS[GOOD], 10 + ROWS[GOOD]],
        layers=("conv", "penultimate"),
        failures=failures,
        origin={"labels": "parent"},
        digests=[one for one in outcomes.content if one],
    )
    return place


@pytest.mark.parametrize("layer", [None, "conv"])
def test_a_folder_reads_as_the_file_does(both, layer):
    folder, file = (penult.load(path, layer) for path in both)
    assert folder.features[:].tolist() == file.features[:].tolist()
    assert folder.features.shape == file.features.shape
    assert folder.features.dtype == file.features.dtype
    for name in (
        "ids",
        "label_names",
        "splits",
        "groups",
        "content",
        "failures",
        "layers",
        "origin",
        "recipe",
        "name",
        "targets",
    ):
        assert getattr(folder, name) == getattr(file, name), name
    assert folder.labels.tolist() == file.labels.tolist()


SELECTIONS = [
    0, -1, np.int64(3), slice(None), slice(1, 3), slice(2, None), slice(None, None, 2),
    slice(None, None, -1), slice(3, 1), [0, 3], [3, 0, 0, 2], [], np.array([2, 1]), np.array([], bool)[:0].astype(int),
    np.array([True, False, False, True]), ..., (slice(1, 3), 0), (0, 1), ([3, 1], slice(0, 1)), (..., 1), (),
]  # fmt: skip


@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
def test_rows_are_taken_as_an_array_gives_them(both, selection):
    folder, rows = penult.load(both[0]), ROWS[GOOD] + 10
    taken = folder.features[selection]
    assert np.array_equal(taken, rows[selection])
    assert np.shape(taken) == np.shape(rows[selection])


@pytest.mark.parametrize("selection", [4, -5, [0, 4], np.array([True])])
def test_rows_that_there_are_not_are_an_index_error(both, selection):
    with pytest.raises(IndexError):
        penult.load(both[0]).features[selection]


def test_rows_are_an_array_where_one_is_wanted(both):
    rows = penult.load(both[0]).features
    assert np.asarray(rows).sum() == (ROWS[GOOD] + 10).sum()
    assert np.asarray(rows, np.float64).dtype == np.float64
    assert [row.tolist() for row in rows] == (ROWS[GOOD] + 10).tolist()
    into = np.zeros((2, 2), np.float32)
    rows.read_direct(into, np.s_[1:3])
    assert into.tolist() == (ROWS[GOOD] + 10)[1:3].tolist()


def test_take_and_ids_work_on_a_folder(both):
    taken = penult.load(both[0]).take(["c1.jpg", "a1.jpg"])
    assert taken.features.tolist() == [[22, 23], [10, 11]]


def test_few_parts_are_open_at_a_time(tmp_path, monkeypatch, format):
    records = [record(f"{k:02}.jpg") for k in range(12)]
    rows = np.arange(12, dtype=np.float32)[:, None]
    write_folder(tmp_path / "p.rows", records, [rows], format=format, part_images=1)
    monkeypatch.setattr(files, "_MOST_OPEN", 3)
    found = penult.load(tmp_path / "p.rows")
    order = np.random.default_rng(0).permutation(12)
    assert found.features[order][:, 0].tolist() == order.tolist()
    assert len(found.features._files._open) == 3


def test_several_labels_are_known_in_parts_in_which_no_image_has_several(tmp_path, format):
    labels = [("x",), ("y",), ("x", "y"), ()]
    records = [record(f"{k}.jpg", *several) for k, several in enumerate(labels)]
    write_folder(tmp_path / "p.rows", records, [np.ones((4, 2), np.float32)], format=format)
    found = penult.load(tmp_path / "p.rows")
    assert found.targets.tolist() == [[True, False], [False, True], [True, True], [False, False]]
    assert found.labels.tolist() == [0, 1, -1, -1]


def test_maps_keep_their_shape(tmp_path, format):
    rows = np.arange(3 * 2 * 2 * 2, dtype=np.float16).reshape(3, 2, 2, 2)
    records = [record(f"{k}.jpg") for k in range(3)]
    write_folder(tmp_path / "p.rows", records, [rows], format=format, dtype="float16")
    found = penult.load(tmp_path / "p.rows").features
    assert (found.shape, found.dtype) == ((3, 2, 2, 2), np.float16)
    assert np.array_equal(found[:], rows)


def test_a_reason_that_no_file_can_hold_reads_as_in_a_file(tmp_path, format):
    records, why = [record("a.jpg"), record("b.jpg")], "is \udce9 and \0"
    rows = [np.ones((2, 2), np.float32)]
    write_folder(tmp_path / "p.rows", records, rows, failed={"b.jpg": why}, format=format)
    write(tmp_path / "p.h5", records[:1], [rows[0][:1]], failures=[penult.Failure("b.jpg", why)])
    folder, file = (penult.load(tmp_path / name) for name in ("p.rows", "p.h5"))
    assert folder.failures == file.failures


def test_augmented_rows_belong_to_the_photos_of_the_whole(tmp_path):
    photos = [record(f"{k}.jpg", "x") for k in range(5)]
    records = [one for photo in photos for one in (photo, AugmentedRecord(photo, 1))]
    rows = np.arange(20, dtype=np.float32).reshape(10, 2)
    how = AugmentedRecipe(recipe(), policy="light", seed=0)
    write_folder(tmp_path / "p.rows", records, [rows], augmented=(how,))
    for one in (penult.load(tmp_path / "p.rows"), stored_rows(tmp_path / "p.rows")["penultimate"]):
        views = one.augmented
        assert views.of.tolist() == [0, 1, 2, 3, 4]
        assert views.features[:].tolist() == rows[1::2].tolist()


def test_all_sets_of_rows_are_opened_at_once(both):
    folder, file = (stored_rows(path) for path in both)
    assert list(folder) == list(file) == ["conv", "penultimate"]
    for one, other in zip(folder.values(), file.values(), strict=True):
        assert one.recipe == other.recipe
        assert one.rows[:].tolist() == other.rows[:].tolist()
    assert layer_recipes(both[0]) == layer_recipes(both[1])


def test_a_layer_that_there_is_not_is_one_line(both):
    with pytest.raises(UnknownNameError, match="penultimate"):
        penult.load(both[0], "penultimat")


# What is wrong with a folder

PART = "rows-0123abcd-0000{}.{}"


def broken(folder, format, how):
    first, second = (folder / PART.format(k, format) for k in (1, 2))
    data = second.read_bytes()
    if how == "missing":
        second.unlink()
    elif how == "cut short":
        second.write_bytes(data[:-7])
    elif how == "empty":
        second.write_bytes(b"")
    else:  # of the same size, so that only what is in it tells
        other = {"another part": first.read_bytes(), "noise": bytes(len(data))}[how]
        second.write_bytes(other[: len(data)].ljust(len(data), b"\0"))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("missing", "is missing, one of 4 parts that the manifest names"),
        ("cut short", "is damaged: it has "),
        ("empty", "is damaged: it has 0 bytes of "),
        ("noise", "is not a feature file|is damaged"),
    ],
)
def test_a_broken_part_is_one_line_that_names_it(both, format, how, said):
    broken(both[0], format, how)
    with pytest.raises(FeatureFileError, match=said) as raised:
        penult.load(both[0])
    line = str(raised.value)
    assert PART.format(2, format) in line
    assert "penult.extract(IMAGES" in line
    assert "\n" not in line
    assert len(line) < 500


def test_a_part_in_the_place_of_another_is_known_by_what_it_says(tmp_path, format):
    records = [record(f"{k}.jpg") for k in range(4)]
    folder = write_folder(
        tmp_path / "p.rows", records, [np.ones((4, 2), np.float32)], format=format
    )
    first, second = (folder / PART.format(k, format) for k in (1, 2))
    if first.stat().st_size == second.stat().st_size:
        second.write_bytes(first.read_bytes())
        with pytest.raises(FeatureFileError, match="is another part: number 1 of run 0123abcd, in"):
            penult.load(folder)
    with pytest.raises(FeatureFileError, match="00002"):
        verify_parts(folder, second, first)


def verify_parts(folder, second, first):
    second.write_bytes(first.read_bytes())
    files.PartFiles(str(folder)).require_undamaged()


def test_a_part_of_another_recipe_is_refused(tmp_path, format):
    records = [record(f"{k}.jpg") for k in range(4)]
    rows = [np.ones((4, 2), np.float32)]
    folder = write_folder(tmp_path / "p.rows", records, rows, format=format)
    other = write_folder(
        tmp_path / "q.rows", records, rows, format=format,
        recipes={"penultimate": recipe(network="toy:not")},
    )  # fmt: skip
    copied = (other / PART.format(2, format)).read_bytes()
    replaced(folder, PART.format(2, format), copied)
    with pytest.raises(FeatureFileError, match=r"00002.*has rows of another recipe.*architecture"):
        penult.load(folder)


def replaced(folder, name, data):
    """Have a manifest whose digest and size are those of other bytes, as only malice would."""
    found = json.loads((folder / "manifest.json").read_text())
    for part in found["parts"]:
        if part["name"] == name:
            part |= {
                "nbytes": len(data),
                "digest": hashlib.blake2b(data, digest_size=16).hexdigest(),
            }
    (folder / name).write_bytes(data)
    (folder / "manifest.json").write_text(json.dumps(found))


def test_rows_that_are_damaged_later_are_named_when_they_are_taken(both, format):
    found = penult.load(both[0])
    broken(both[0], format, "cut short")
    monkeypatched = found.features._files
    for part in [*monkeypatched._open.values()]:
        part.close()
    monkeypatched._open.clear()
    with pytest.raises(FeatureFileError, match=r"00002\..* is damaged"):
        found.features[:]


@pytest.mark.parametrize("change", ["packed", "null", "wider", "not a list", "no metadata"])
@pytest.mark.needs("pyarrow")
def test_a_parquet_part_of_another_make_is_refused(tmp_path, change):
    import pyarrow as pa
    from pyarrow import parquet

    records = [record(f"{k}.jpg") for k in range(4)]
    rows = np.ones((4, 2), np.float32)
    folder = write_folder(tmp_path / "p.rows", records, [rows], format="parquet")
    name = PART.format(2, "parquet")
    table, options = parquet.read_table(folder / name), {"compression": "NONE"}
    columns = {
        "null": pa.array([[1.0, None], None], pa.list_(pa.float32(), 2)),
        "wider": pa.array([[1, 2, 3]] * 2, pa.list_(pa.float32(), 3)),
        "not a list": pa.array([1.0, 2.0]),
    }
    if change in columns:
        at = table.schema.get_field_index("features")
        table = table.set_column(at, "features", columns[change])
    elif change == "no metadata":
        table = table.replace_schema_metadata(None)
    else:
        options = {"compression": "snappy"}
    parquet.write_table(table, tmp_path / "x", use_dictionary=False, **options)
    replaced(folder, name, (tmp_path / "x").read_bytes())
    with pytest.raises(FeatureFileError, match="00002"):
        penult.load(folder).features[:]


def test_an_hdf5_part_that_leads_elsewhere_is_refused(tmp_path):
    records = [record(f"{k}.jpg") for k in range(4)]
    folder = write_folder(tmp_path / "p.rows", records, [np.ones((4, 2), np.float32)])
    name = PART.format(2, "h5")
    with h5py.File(folder / name, "a") as file:
        del file["features"]
        file["features"] = h5py.ExternalLink("/etc/passwd", "/x")
    replaced(folder, name, (folder / name).read_bytes())
    with pytest.raises(FeatureFileError, match="only a link to another place"):
        penult.load(folder)


# At an address


@pytest.fixture
def memory(tmp_path, monkeypatch):
    import fsspec

    monkeypatch.setenv("PENULT_CACHE", str(tmp_path / "cache"))
    yield f"memory://{tmp_path.name}/photos.rows"
    fsspec.filesystem("memory").store.clear()


@pytest.mark.needs("fsspec")
def test_a_folder_at_an_address_is_fetched_once(memory, format, monkeypatch, tmp_path):
    write_folder(memory, RECORDS, [ROWS], failed=FAILED, format=format)
    write_folder(tmp_path / "p.rows", RECORDS, [ROWS], failed=FAILED, format=format)
    here = penult.load(tmp_path / "p.rows")
    fetched = []
    fetch = PartsStore.fetch
    monkeypatch.setattr(
        PartsStore, "fetch", lambda *given: fetched.append(given[1]) or fetch(*given)
    )
    for _ in range(2):
        for address in (memory, Path(memory)):  # whose slashes a path folds into one
            there = penult.load(address)
            assert there.features[:].tolist() == here.features[:].tolist()
            assert there.ids == here.ids
    assert sorted(fetched) == [PART.format(k, format) for k in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: bytes(len(data)), "is another file than the one that was written"),
        (lambda data: data[:-1], "is damaged: it has "),
        (None, "is missing, one of 4 parts that the manifest names"),
    ],
)
@pytest.mark.needs("fsspec")
def test_a_part_at_an_address_that_is_another_is_named(memory, change, said):
    write_folder(memory, RECORDS, [ROWS])
    store, name = PartsStore.at(memory), PART.format(2, "h5")
    if change is None:
        store.remove(name)
    else:
        store.put_bytes(name, change(store.read(name)))
    with pytest.raises(FeatureFileError, match=f"{memory}/{name} {said}"):
        penult.load(memory)


@pytest.mark.needs("fsspec")
def test_an_address_without_a_folder_is_one_line(memory):
    with pytest.raises(PathNotFoundError, match=f"there is nothing at {memory}"):
        penult.load(memory)


@pytest.mark.needs("fsspec")
def test_the_copies_that_were_not_used_for_longest_make_room(memory, monkeypatch, tmp_path):
    write_folder(memory, RECORDS, [ROWS], part_images=1)
    size = PartsStore.at(memory).size("rows-0123abcd-00001.h5")
    monkeypatch.setattr(cache, "MOST_BYTES", int(3.5 * size))
    assert penult.load(memory).features[:].tolist() == ROWS.tolist()
    assert len([*(tmp_path / "cache/rows").iterdir()]) == 3


@pytest.mark.needs("fsspec")
def test_a_store_that_stumbles_is_asked_again(memory, monkeypatch):
    from fsspec.implementations.memory import MemoryFileSystem

    from penult.images.sources.remote import connection

    monkeypatch.setattr(connection, "FIRST_WAIT", 0)
    failing = {"put_file": 2, "get_file": 2, "ls": 2}

    def stumbling(name, real):
        def call(*given, **named):
            if failing[name]:
                failing[name] -= 1
                raise TimeoutError(name)
            return real(*given, **named)

        return call

    for name in failing:
        monkeypatch.setattr(
            MemoryFileSystem, name, stumbling(name, getattr(MemoryFileSystem, name))
        )
    write_folder(memory, RECORDS, [ROWS])
    assert penult.load(memory).features[:].tolist() == ROWS.tolist()
    assert failing == {"put_file": 0, "get_file": 0, "ls": 0}


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("photos.rows", "photos.rows"),
        ("photos.rows/", "photos.rows"),
        (Path("a/photos.ROWS"), "a/photos.ROWS"),
        (Path("s3://b/c/photos.rows"), "s3://b/c/photos.rows"),
        ("s3://b/photos.rows", "s3://b/photos.rows"),
        (Path("memory:///b/photos.rows"), "memory://b/photos.rows"),
        (Path("file:///data/photos.rows"), "/data/photos.rows"),
        ("file:///data/photos.rows", "/data/photos.rows"),
        ("photos.h5", None),
        ("s3://b/photos.h5", None),
        ("rows", None),
    ],
)
def test_what_is_given_has_the_name_of_a_folder_of_rows(given, address):
    assert rows_address(given) == address


@pytest.mark.needs("pyarrow")
def test_a_part_whose_library_is_missing_is_not_called_damaged(tmp_path, monkeypatch):
    write_folder(tmp_path / "p.rows", RECORDS, [ROWS], format="parquet")

    def missing(*_args):
        raise MissingExtraError("a .parquet file", "parquet")

    monkeypatch.setattr("penult.features.parts.parquet.ParquetPart.__init__", missing)
    with pytest.raises(MissingExtraError, match=r"^a \.parquet file needs the extra"):
        penult.load(tmp_path / "p.rows")
