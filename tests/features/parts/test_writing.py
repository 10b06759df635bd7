"""The parts of a folder of rows: written whole, always as the same bytes, and known again."""

from __future__ import annotations

import json
import pickle
import time

import h5py
import numpy as np
import pytest
from feature_files import recipe, record
from parts_folders import header_of, outcomes_of, write_folder, write_parts

import penult
from penult.errors import FeatureFileError, OutputError, UsageError, WrongFileError
from penult.features.parts.entry import part_name, read_entries
from penult.features.parts.manifest import MANIFEST, PartsManifest
from penult.features.parts.store import PartsStore
from penult.features.parts.write import digest_of, write_part
from penult.recipe import AugmentedRecipe
from penult.records import AugmentedRecord, Failure

pytestmark = pytest.mark.light

RECORDS = [record(f"{name}.jpg", name[0]) for name in ("a1", "a2", "b1", "b2", "b3")]
ROWS = np.arange(10, dtype=np.float32).reshape(5, 2)
WITHOUT_B1 = {"b1.jpg": "is no image"}
RUN = "0123abcd"


@pytest.fixture(params=["local", pytest.param("memory", marks=pytest.mark.needs("fsspec"))])
def store(request, tmp_path):
    if request.param == "local":
        store = PartsStore.at(tmp_path / "photos.rows")
        store.create()
        yield store
        return
    import fsspec

    store = PartsStore.at(f"memory://{tmp_path.name}/photos.rows")
    yield store
    fsspec.filesystem("memory").store.clear()


@pytest.mark.parametrize(
    "format", ["h5", pytest.param("parquet", marks=pytest.mark.needs("pyarrow"))]
)
def test_a_part_written_twice_is_the_same_file(tmp_path, monkeypatch, format):
    written = []
    for name in ("one", "two"):
        store = PartsStore.at(tmp_path / name)
        store.create()
        header = header_of(RECORDS, format=format, layers=("conv", "penultimate"))
        (entry, *_) = write_parts(store, header, RECORDS, [ROWS, ROWS + 1], WITHOUT_B1)
        written.append((store.read(entry.name), entry))
        monkeypatch.setattr(time, "time", lambda: 2e9)  # what HDF5 may write down is not here
    assert written[0] == written[1]


def test_outcomes_in_another_order_are_the_same_part(store):
    header = header_of(RECORDS, part_images=5)
    one = outcomes_of(RECORDS, [ROWS], WITHOUT_B1)
    turned = type(one)(
        one.positions[::-1],
        one.ids[::-1],
        one.content[::-1],
        one.reasons[::-1],
        [one.rows[0][::-1]],
    )
    entries = {write_part(store, header, 1, RECORDS, outcomes).digest for outcomes in (one, turned)}
    assert len(entries) == 1


def test_a_part_is_a_feature_file_in_its_own_right(tmp_path):
    write_folder(tmp_path / "photos.rows", RECORDS, [ROWS], failed=WITHOUT_B1)
    part = penult.load(tmp_path / "photos.rows" / part_name(RUN, 2, "h5"))
    assert list(part.ids) == ["b2.jpg"]
    assert part.features[:].tolist() == [[6, 7]]
    assert part.label_names == ("a", "b")  # those of the whole listing
    assert part.labels.tolist() == [1]
    assert part.failures == (Failure("b1.jpg", "is no image"),)


def test_an_entry_says_what_is_in_the_part(store):
    entries = write_parts(store, header_of(RECORDS), RECORDS, [ROWS], WITHOUT_B1)
    assert [(e.number, e.first, e.images, e.rows, e.failures) for e in entries] == [
        (1, 0, 2, 2, 0),
        (2, 2, 2, 1, 1),
        (3, 4, 1, 1, 0),
    ]
    assert [store.size(e.name) for e in entries] == [e.nbytes for e in entries]
    assert read_entries(store, RUN, part_images=2, format="h5") == {e.number: e for e in entries}
    assert read_entries(store, "fedcba98", part_images=2, format="h5") == {}


def test_the_digest_is_that_of_the_file(tmp_path):
    store = PartsStore.at(tmp_path)
    (entry, *_) = write_parts(store, header_of(RECORDS), RECORDS, [ROWS])
    assert digest_of(tmp_path / entry.name) == entry.digest


@pytest.mark.parametrize("damage", ["no part", "a shorter part", "an entry cut short"])
def test_a_part_that_is_not_whole_is_not_done(store, damage):
    entries = write_parts(store, header_of(RECORDS), RECORDS, [ROWS])
    second = entries[1].name
    if damage == "no part":
        store.remove(second)
    elif damage == "a shorter part":
        store.put_bytes(second, store.read(second)[:-1])
    else:
        entry = second.replace(".h5", ".json")
        store.put_bytes(entry, store.read(entry)[:-9])
    assert [*read_entries(store, RUN, part_images=2, format="h5")] == [1, 3]


def test_a_write_that_fails_leaves_nothing_under_the_name(tmp_path):
    store = PartsStore.at(tmp_path)

    def write():
        with store.writing("a.h5") as path:
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="the disk is full"):
        write()
    assert [*tmp_path.iterdir()] == []


def test_outcomes_of_other_images_are_refused(store):
    with pytest.raises(ValueError, match="other images"):
        write_part(store, header_of(RECORDS), 1, RECORDS[:2], outcomes_of(RECORDS[1:3], [ROWS[:2]]))
    assert store.names() == []  # nor of a part


def test_views_are_in_the_part_of_their_photo(tmp_path):
    photos = RECORDS[:4]
    records = [one for photo in photos for one in (photo, AugmentedRecord(photo, 1))]
    rows = np.arange(16, dtype=np.float32).reshape(8, 2)
    how = AugmentedRecipe(recipe(), policy="light", seed=0)
    write_folder(tmp_path / "p.rows", records, [rows], augmented=(how,))
    part = penult.load(tmp_path / "p.rows" / part_name(RUN, 2, "h5"))
    assert list(part.ids) == ["b1.jpg", "b2.jpg"]
    assert part.augmented.of.tolist() == [0, 1]
    assert part.augmented.features[:].tolist() == [[10, 11], [14, 15]]


def test_the_manifest_reads_as_it_was_written_and_the_entries_are_gone(store):
    header = header_of(RECORDS, origin={"labels": "parent"})
    entries = write_parts(store, header, RECORDS, [ROWS], WITHOUT_B1)
    manifest = PartsManifest.of(header, {"shuffle": None}, entries, [Failure("c", "unreadable")])
    manifest.write(store)
    assert PartsManifest.read(store) == manifest
    assert (manifest.images, manifest.rows, manifest.failures) == (5, 4, 1)
    assert store.names() == [MANIFEST, *(entry.name for entry in entries)]


def test_a_new_run_takes_the_place_of_the_old_and_leaves_other_files_alone(store):
    write_folder(store.address, RECORDS, [ROWS])
    store.put_bytes("notes.txt", b"mine")
    write_folder(store.address, RECORDS[:1], [ROWS], run="fedcba98")
    assert store.names() == [MANIFEST, "notes.txt", part_name("fedcba98", 1, "h5")]


def test_parts_that_do_not_add_up_make_no_manifest(store):
    header = header_of(RECORDS)
    entries = write_parts(store, header, RECORDS, [ROWS])
    for wrong in ([], entries[1:], [*entries, entries[0]], [entries[0], entries[2]]):
        with pytest.raises(ValueError, match=r"part|rows"):
            PartsManifest.of(header, {}, wrong)


def test_a_folder_without_manifest_is_an_unfinished_run(store):
    write_parts(store, header_of(RECORDS), RECORDS, [ROWS])
    with pytest.raises(FeatureFileError, match="not finished: 3 parts done"):
        PartsManifest.read(store)


def test_a_folder_of_something_else_is_no_folder_of_rows(store):
    store.put_bytes("photo.jpg", b"")
    with pytest.raises(WrongFileError, match=r"no folder of rows: it has no manifest\.json"):
        PartsManifest.read(store)


def changed(manifest, **fields):
    return {**manifest, **fields}


def with_part(manifest, **fields):
    first, *others = manifest["parts"]
    return {**manifest, "parts": [{**first, **fields}, *others]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: changed(m, format=2, penult="9.9"), "written by penult 9.9, a newer one"),
        (lambda m: changed(m, format=True), "no manifest of a folder of rows"),
        (lambda m: changed(m, rows=10**400), "it says 1000"),
        (lambda m: changed(m, rows=4), "it says 4 rows, and its parts have 5"),
        (lambda m: changed(m, part_images=0), "0 images a part"),
        (lambda m: changed(m, part_images=10**15), "images a part"),
        (lambda m: changed(m, names=["one", "two"]), "2 names of 1 recipes"),
        (lambda m: changed(m, recipes=["{}"]), "manifest.json is damaged"),
        (lambda m: changed(m, dtype="object"), "its rows are 'object'"),
        (lambda m: changed(m, part_format="pkl"), "part_format is 'pkl'"),
        (lambda m: changed(m, parts="many"), "parts is 'many'"),
        (lambda m: changed(m, parts=m["parts"][1:]), "part 1 is said to be number 2"),
        (lambda m: changed(m, run="../evil0"), "what it says of part 1"),
        (lambda m: with_part(m, name="../../etc/passwd"), "what it says of part 1"),
        (lambda m: with_part(m, name="/etc/passwd"), "what it says of part 1"),
        (lambda m: with_part(m, images=10**30), "what it says of part 1"),
        (lambda m: with_part(m, rows=-1), "what it says of part 1"),
        (lambda m: with_part(m, nbytes=-1), "what it says of part 1"),
        (lambda m: with_part(m, digest="x"), "what it says of part 1"),
        (lambda m: with_part(m, rows="two"), "rows is 'two'"),
        (lambda m: with_part(m, images=1, rows=1), "part 1 has 1 images of 2"),
    ],
)
def test_a_manifest_that_cannot_be_is_one_line(store, change, said):
    write_folder(store.address, RECORDS, [ROWS])
    manifest = json.loads(store.read(MANIFEST))
    store.put_bytes(MANIFEST, json.dumps(change(manifest)).encode())
    with pytest.raises(FeatureFileError) as raised:
        PartsManifest.read(store)
    line = str(raised.value)
    assert said in line
    assert line.startswith(store.address)
    assert "\n" not in line
    assert len(line) < 500


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"[" * 10_000])
def test_a_manifest_that_is_no_json_is_one_line(store, data):
    write_folder(store.address, RECORDS, [ROWS])
    store.put_bytes(MANIFEST, data)
    with pytest.raises(FeatureFileError, match="is damaged"):
        PartsManifest.read(store)


def test_a_store_is_small_and_can_be_pickled(store):
    store.put_bytes("a", b"1")
    assert len(pickle.dumps(store)) < 400
    assert pickle.loads(pickle.dumps(store)).read("a") == b"1"


def test_an_address_is_not_reached_offline(monkeypatch):
    monkeypatch.setenv("PENULT_OFFLINE", "1")
    with pytest.raises(UsageError, match="on the network"):
        PartsStore.at("s3://bucket/photos.rows")
    assert PartsStore.at("file:///data/photos.rows").address == "/data/photos.rows"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"format": "csv"}, "part format"),
        ({"part_images": 0}, "must be 1 or more"),
        (
            {
                "format": "parquet",
                "augmented": (AugmentedRecipe(recipe(), policy="light", seed=0),),
            },
            "cannot hold rows of augmented views; give part_format='h5'",
        ),
    ],
)
@pytest.mark.needs("pyarrow")
def test_options_that_cannot_be_are_refused_before_any_work(options, said):
    with pytest.raises(UsageError, match=said):
        header_of(RECORDS, **options)


@pytest.mark.needs("pyarrow")
def test_a_parquet_part_is_a_table_for_other_programs(tmp_path):
    from pyarrow import parquet

    records = [record("a.jpg", "x", "y", split="train"), record("b.jpg", split="test")]
    store = PartsStore.at(tmp_path)
    header = header_of(records, format="parquet", dtype="float16")
    (entry,) = write_parts(store, header, records, [ROWS[:2]])
    table = parquet.read_table(tmp_path / entry.name)
    assert str(table.schema.field("features").type) == "fixed_size_list<element: halffloat>[2]"
    assert table["id"].to_pylist() == ["a.jpg", "b.jpg"]
    assert table["labels"].to_pylist() == [["x", "y"], []]
    assert table["features"].to_pylist() == [[0, 1], [2, 3]]


def test_a_part_says_which_of_which_run_it_is(tmp_path):
    write_folder(tmp_path / "p.rows", RECORDS, [ROWS])
    with h5py.File(tmp_path / "p.rows" / part_name(RUN, 3, "h5")) as file:
        assert (file.attrs["run"], file.attrs["part"]) == (RUN, 3)
        assert file.attrs["created"] == "2026-11-27T10:00:00+00:00"
