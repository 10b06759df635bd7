"""Images in Parquet files, in the layout that Hugging Face writes, and manifests in Parquet."""

from __future__ import annotations

import builtins
import json
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from penult.errors import ImageError, MissingExtraError, SourceError, UsageError
from penult.images.listing import list_images
from penult.images.sources.parquet import reader

CLASSES = {"names": ["daisy", "rose", "tulip"], "_type": "ClassLabel"}
IMAGE = {"_type": "Image"}


def write(path, columns, features=None, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table(columns)
    if features is not None:
        noted = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": noted})
    pq.write_table(table, path, **options)
    return path


def images(count, start=0):
    return [{"bytes": b"image %d" % (start + k), "path": f"{k}.jpg"} for k in range(count)]


def read(record):
    with record.open() as file:
        return file.read()


def test_rows_are_images_and_classes_are_labels(tmp_path):
    file = write(
        tmp_path / "data" / "train-00000-of-00001.parquet",
        {"image": images(4), "label": [2, 0, -1, None]},
        {"image": IMAGE, "label": CLASSES},
        row_group_size=3,
    )
    listing = list_images([file])
    assert [(r.id, r.labels, r.split, read(r)) for r in listing.records] == [
        ("00000000", ("tulip",), "train", b"image 0"),
        ("00000001", ("daisy",), "train", b"image 1"),
        ("00000002", (), "train", b"image 2"),
        ("00000003", (), "train", b"image 3"),
    ]


def test_a_folder_of_files_is_one_source(tmp_path):
    for split, start in (("test", 10), ("train", 20)):
        write(tmp_path / f"d/{split}-0.parquet", {"img": images(2, start), "text": ["a", "b"]})
    write(tmp_path / "d/about.parquet", {"text": ["no image"]})
    (tmp_path / "d/README.md").touch()
    (tmp_path / "d/broken.parquet").write_bytes(b"PAR1")
    listing = list_images([tmp_path / "d"])
    assert [(r.id, r.split, read(r)) for r in listing.records] == [
        ("test-0.parquet/00000000", "test", b"image 10"),
        ("test-0.parquet/00000001", "test", b"image 11"),
        ("train-0.parquet/00000000", "train", b"image 20"),
        ("train-0.parquet/00000001", "train", b"image 21"),
    ]
    assert listing.passed_over == {".md": 1, ".parquet": 2}
    (failure,) = listing.failures
    assert failure.id == "broken.parquet"
    assert "is not a readable Parquet file" in failure.reason


def test_images_may_be_read_in_any_order_from_any_thread(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "_BATCH_BYTES", 50)
    monkeypatch.setattr(reader, "_WAITING_BYTES", 100)
    file = write(tmp_path / "a.parquet", {"image": images(500)}, row_group_size=70)
    records = list_images([file]).records
    order = np.random.default_rng(0).permutation(500)
    with ThreadPoolExecutor(4) as pool:
        for positions in (range(500), order):
            found = pool.map(lambda k: read(records[int(k)]), positions)
            assert list(found) == [b"image %d" % k for k in positions]


def test_a_large_row_group_is_never_in_memory_as_a_whole(tmp_path):
    noise = np.random.default_rng(0)
    column = pa.array([{"bytes": noise.bytes(1 << 18), "path": None} for _ in range(400)])
    file = write(tmp_path / "a.parquet", {"image": column}, row_group_size=400, write_batch_size=4)
    del column
    records = list_images([file]).records
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    most = 0
    for record in records:
        assert len(read(record)) == 1 << 18
        most = max(most, pa.total_allocated_bytes() - before)
    python = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert file.stat().st_size > 100 << 20
    assert most < 32 << 20
    assert python < 32 << 20


def test_labels_may_be_texts_numbers_or_lists(tmp_path):
    file = write(
        tmp_path / "a.parquet",
        {
            "image": images(3),
            "labels": [["a", "b"], [], None],
            "kind": ["x", "y", None],
            "n": [1, 2, 3],
        },
    )
    assert [r.labels for r in list_images([file]).records] == [("a", "b"), (), ()]
    kinds = list_images([file], labels="column:kind").records
    assert [r.labels for r in kinds] == [("x",), ("y",), ()]
    assert [r.labels for r in list_images([file], labels="column:n").records] == [
        ("1",),
        ("2",),
        ("3",),
    ]
    with pytest.raises(UsageError, match="has no column species; its columns are labels, kind, n"):
        list_images([file], labels="column:species")


def test_of_several_columns_of_classes_one_has_to_be_chosen(tmp_path):
    columns = {"img": images(1), "fine_label": [2], "coarse_label": [0]}
    features = {"img": IMAGE, "fine_label": CLASSES, "coarse_label": [CLASSES]}
    file = write(tmp_path / "a.parquet", columns, features)
    with pytest.raises(
        UsageError, match="fine_label, coarse_label; choose one with labels='column"
    ):
        list_images([file])
    assert list_images([file], labels="none").records[0].labels == ()
    assert list_images([file], labels="column:fine_label").records[0].labels == ("tulip",)
    assert list_images([file], labels="column:coarse_label").records[0].labels == ("daisy",)


def test_bytes_may_stand_alone_and_one_column_of_several_is_called_image(tmp_path):
    plain = write(tmp_path / "a.parquet", {"image": [b"1", b"2"], "mask": images(2)})
    assert [read(r) for r in list_images([plain]).records] == [b"1", b"2"]
    two = write(tmp_path / "b.parquet", {"left": images(1), "right": images(1)})
    with pytest.raises(SourceError, match="several columns of images: left, right; choose one"):
        list_images([two])
    chosen = list_images([two], path_column="Right").records
    assert [read(r) for r in chosen] == [b"image 0"]


def test_a_named_column_of_bytes_holds_images_and_no_file_names(tmp_path):
    columns = {"stim": [b"1" * 90_000, b"2"], "kind": ["x", "y"], "photo": ["a.jpg", "b.jpg"]}
    file = write(tmp_path / "a.parquet", columns)
    listing = list_images([file], path_column="stim", label_column="kind")
    assert [(r.id, r.labels, read(r)[:1]) for r in listing.records] == [
        ("00000000", ("x",), b"1"),
        ("00000001", ("y",), b"2"),
    ]
    assert [r.id for r in list_images([file]).records] == ["a.jpg", "b.jpg"]
    usual = write(tmp_path / "b.parquet", {"photo": [b"1", b"2"]})
    assert [read(r) for r in list_images([usual]).records] == [b"1", b"2"]


def test_a_row_without_bytes_is_a_failure_of_that_image(tmp_path):
    rows = [{"bytes": None, "path": "x.jpg"}, {"bytes": b"1", "path": None}, None]
    records = list_images([write(tmp_path / "a.parquet", {"image": rows})]).records
    for k in (0, 2):
        with pytest.raises(ImageError, match="has no bytes in its row"):
            records[k].open()
    assert read(records[1]) == b"1"


def test_a_damaged_or_truncated_file_is_named(tmp_path):
    file = write(tmp_path / "a.parquet", {"image": images(50)})
    data = file.read_bytes()
    file.write_bytes(data[:-20])
    with pytest.raises(SourceError, match=r"a\.parquet is not a readable Parquet file: "):
        list_images([file])
    file.write_bytes(data[:4] + bytes(200) + data[204:])  # the pages, not the footer
    records = list_images([file], labels="none").records
    for record in (records[0], records[49]):
        with pytest.raises(ImageError, match="cannot be read from its file"):
            record.open()


def test_a_manifest_may_be_a_parquet_file(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_text(name)
    file = write(
        tmp_path / "list.parquet",
        {
            "path": ["b.jpg", "a.jpg"],
            "label": [["x", "y"], None],
            "split": ["Val", None],
            "group": [7, None],
        },
    )
    records = list_images([file]).records
    assert [(r.id, r.labels, r.split, r.group, read(r)) for r in records] == [
        ("a.jpg", (), None, None, b"a.jpg"),
        ("b.jpg", ("x", "y"), "validation", "7", b"b.jpg"),
    ]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"url": ["a.jpg"]}, r"list\.parquet has no column path, nor one of images; its columns"),
        ({"path": ["a.jpg", None]}, r"list\.parquet, row 2: the path is empty"),
        ({"path": ["a.jpg"], "split": ["dev"]}, r"row 1: the split 'dev' is none of train"),
        ({"path": ["a", "a"], "label": ["x|y", "z"]}, r"row 2: a is z, but .*row 1 says x \| y"),
    ],
)
def test_what_is_wrong_in_a_manifest_is_named_with_its_row(tmp_path, columns, message):
    with pytest.raises(SourceError, match=message):
        list_images([write(tmp_path / "list.parquet", columns)])


def test_the_extra_is_named_where_it_is_missing(tmp_path, monkeypatch):
    file = write(tmp_path / "a.parquet", {"image": images(1)})
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"a\.parquet .*pip install 'penult\[parquet\]'"):
        list_images([file])


def test_a_capital_letter_hides_no_column_of_labels(tmp_path):
    file = write(tmp_path / "a.parquet", {"image": images(1), "Class": ["rose"]})
    assert [record.labels for record in list_images([file]).records] == [("rose",)]


def test_of_one_column_of_classes_the_name_does_not_matter(tmp_path):
    features = {"image": IMAGE, "flower": CLASSES}
    file = write(tmp_path / "a.parquet", {"image": images(1), "flower": [1]}, features)
    assert [record.labels for record in list_images([file]).records] == [("rose",)]


def test_numbers_in_lists_stand_for_classes_too(tmp_path):
    features = {"image": IMAGE, "labels": {"feature": CLASSES, "_type": "Sequence"}}
    file = write(tmp_path / "a.parquet", {"image": images(1), "labels": [[2, 0]]}, features)
    assert [record.labels for record in list_images([file]).records] == [("tulip", "daisy")]
