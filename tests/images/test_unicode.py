"""Names in two Unicode forms, which look the same; and text that no file can hold."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from archives import packed

from penult.errors import SourceError
from penult.images.listing import as_sources, list_images

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="one form is the other there")

WHOLE, APART = "caf\u00e9", "cafe\u0301"  # composed, as Linux and Windows write it; as macOS does


@pytest.fixture
def files(tmp_path):
    """Make files below tmp_path, whose bytes are their own names."""

    def make(*names):
        for name in names:
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(name)
        return tmp_path

    return make


@pytest.fixture
def listed(tmp_path):
    """Write a file below tmp_path, and list it."""

    def run(text, name="list.csv", **options):
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name).write_bytes(data)
        return list_images([tmp_path / name], **options)

    return run


def labels(listing):
    return {record.id: record.labels for record in listing.records}


def read(listing):
    found = {}
    for record in listing.records:
        with record.open() as file:
            found[record.id] = file.read().decode()
    return found


def test_two_folders_of_one_name_are_one_class_and_that_is_said(files, caplog):
    listing = list_images([files(f"p/{WHOLE}/1.jpg", f"p/{APART}/1.jpg", "p/rose/1.jpg") / "p"])
    assert labels(listing) == {
        f"{APART}/1.jpg": (WHOLE,),
        f"{WHOLE}/1.jpg": (WHOLE,),
        "rose/1.jpg": ("rose",),
    }
    assert list(read(listing).values()) == [f"p/{name}" for name in read(listing)]
    (said,) = caplog.messages
    assert said.startswith(f"penult: {WHOLE}: written in several Unicode forms")


def test_one_form_alone_is_nothing_to_speak_of(files, caplog):
    listing = list_images([files(f"p/{APART}/1.jpg") / "p"])
    assert labels(listing) == {f"{APART}/1.jpg": (WHOLE,)}
    list_images([files(f"p/{WHOLE}/1.jpg", f"p/{APART}/2.jpg") / "p"], labels="none")
    assert caplog.messages == []


def test_labels_of_a_list_are_one_class(files, listed):
    files("1.jpg", "2.jpg")
    text = f"path,label\n1.jpg,{WHOLE}\n2.jpg,{APART}|{WHOLE}\n1.jpg,{APART}\n"
    assert labels(listed(text)) == {"1.jpg": (WHOLE,), "2.jpg": (WHOLE,)}


def test_a_group_is_one_group(listed):
    listing = listed(f"path,group\n1.jpg,{WHOLE}\n2.jpg,{APART}\n")
    assert {record.group for record in listing.records} == {WHOLE}


def test_labels_in_an_archive_are_one_class(listed):
    data = packed(
        {
            "1.jpg": b"1",
            "1.cls": APART.encode(),
            "2.jpg": b"2",
            "2.json": json.dumps({"label": [WHOLE, APART]}).encode(),
            f"{APART}/3.jpg": b"3",
        }
    )
    assert set(labels(listed(data, "a.tar")).values()) == {(WHOLE,)}


def test_labels_in_parquet_are_one_class(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pa.table({"image": [b"1", b"2"], "label": [WHOLE, APART]})
    pq.write_table(table, tmp_path / "a.parquet")
    assert set(labels(list_images([tmp_path / "a.parquet"])).values()) == {(WHOLE,)}


def test_a_pattern_finds_either_form(files):
    folder = files(f"p/{WHOLE}_1.jpg", f"p/{APART}_2.jpg") / "p"
    for form in (WHOLE, APART):
        listing = list_images([folder], label_pattern=rf"(?P<label>{form})_\d")
        assert set(labels(listing).values()) == {(WHOLE,)}
    listing = list_images([folder], label_pattern=r"(?P<label>[a-zé]+)_\d")
    assert set(labels(listing).values()) == {(WHOLE,)}


@pytest.mark.parametrize(("on_disk", "in_list"), [(WHOLE, APART), (APART, WHOLE)])
def test_a_list_finds_files_of_the_other_form(files, listed, on_disk, in_list):
    files(f"{on_disk}/{on_disk}.jpg", "rose/1.jpg")
    listing = listed(f"path\n{in_list}/{in_list}.jpg\nrose/1.jpg\n")
    assert read(listing) == {
        f"{on_disk}/{on_disk}.jpg": f"{on_disk}/{on_disk}.jpg",
        "rose/1.jpg": "rose/1.jpg",
    }
    assert labels(listing)[f"{on_disk}/{on_disk}.jpg"] == (WHOLE,)
    assert listing.records[0].path.is_file()


def test_a_path_that_mixes_the_forms_is_found_by_absolute_path_as_well(files, listed):
    folder = files(f"{APART}/{WHOLE}.jpg")
    listing = listed(f"path\n{folder}/{WHOLE}/{APART}.jpg\n")
    assert list(read(listing).values()) == [f"{APART}/{WHOLE}.jpg"]


def test_two_files_that_differ_in_form_alone_stay_two(files, listed):
    files(f"{WHOLE}.jpg", f"{APART}.jpg")
    listing = listed(f"path,label\n{WHOLE}.jpg,a\n{APART}.jpg,b\n")
    assert labels(listing) == {f"{WHOLE}.jpg": ("a",), f"{APART}.jpg": ("b",)}
    assert read(listing) == {name: name for name in (f"{WHOLE}.jpg", f"{APART}.jpg")}


def test_one_file_in_two_forms_is_one_image(files, listed):
    files(f"{APART}.jpg")
    listing = listed(f"path,label\n{WHOLE}.jpg,a\n{APART}.jpg,a\n")
    assert labels(listing) == {f"{APART}.jpg": ("a",)}
    with pytest.raises(SourceError, match=r"line 3: .* is b, but .*line 2 says a"):
        listed(f"path,label\n{WHOLE}.jpg,a\n{APART}.jpg,b\n")


def test_standard_input_finds_either_form(files, monkeypatch):
    monkeypatch.chdir(files(f"{APART}.jpg"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{WHOLE}.jpg".encode())))
    assert read(list_images(as_sources("-"))) == {f"{APART}.jpg": f"{APART}.jpg"}


@pytest.mark.parametrize("form", [WHOLE, APART])
def test_a_table_of_labels_names_files_of_either_form(files, form):
    folder = files(f"p/{WHOLE}/1.jpg", "p/rose/2.jpg")
    table = folder / "labels.csv"
    for path in (f"{form}/1.jpg", f"p/{form}/1.jpg", f"{folder}/p/{form}/1.jpg", f"{form}\\1.jpg"):
        table.write_text(f"path,label\n{path},a\n")
        listing = list_images([folder / "p"], labels=table)
        assert labels(listing) == {f"{WHOLE}/1.jpg": ("a",), "rose/2.jpg": ()}
        assert listing.failures == ()


def test_a_table_never_gives_one_line_to_two_files(files):
    folder = files(f"p/{WHOLE}.jpg", f"p/{APART}.jpg")
    table = folder / "labels.csv"
    table.write_text(f"path,label\n{WHOLE}.jpg,a\n{APART}.jpg,b\n")
    listing = list_images([folder / "p"], labels=table)
    assert labels(listing) == {f"{WHOLE}.jpg": ("a",), f"{APART}.jpg": ("b",)}
    for form in (WHOLE, APART):
        table.write_text(f"path,label\n{form}.jpg,a\n")
        with pytest.raises(
            SourceError, match=r"line 2: .* may name two images.*'cafe\\u0301\.jpg'"
        ):
            list_images([folder / "p"], labels=table)


@pytest.mark.skipif(sys.platform == "win32", reason="a backslash is a separator there")
def test_windows_separators_are_understood_in_a_list(files, listed):
    files("daisy/1.jpg", "a\\b.jpg", f"{APART}/2.jpg")
    listing = listed(f"path\ndaisy\\1.jpg\n.\\{WHOLE}\\2.jpg\na\\b.jpg\nrose\\none.jpg\n")
    assert labels(listing) == {
        "a\\b.jpg": (),  # there is a file of that name
        f"{APART}/2.jpg": (WHOLE,),
        "daisy/1.jpg": ("daisy",),
        "rose/none.jpg": ("rose",),
    }
    with listing.records[2].open() as file:
        assert file.read() == b"daisy/1.jpg"


def test_windows_separators_are_understood_in_a_parquet_list(files):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    folder = files("daisy/1.jpg")
    pq.write_table(pa.table({"path": ["daisy\\1.jpg"]}), folder / "list.parquet")
    assert read(list_images([folder / "list.parquet"])) == {"daisy/1.jpg": "daisy/1.jpg"}


def test_cells_may_be_long_and_the_process_keeps_its_limit(listed):
    usual = csv.field_size_limit()
    long = "x" * 300_000
    listing = listed(f"path,label,remark\n1.jpg,rose,{long}\n2.jpg,{long},\n")
    assert labels(listing) == {"1.jpg": ("rose",), "2.jpg": (long,)}
    assert csv.field_size_limit() == usual


def test_tables_are_read_in_several_threads_at_once(tmp_path):
    usual = csv.field_size_limit()
    rows = "".join(f"{k}.jpg,rose,{'x' * 140_000 if k % 100 == 0 else ''}\n" for k in range(600))
    (tmp_path / "list.csv").write_text(f"path,label,remark\n{rows}")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: list_images([tmp_path / "list.csv"]), range(8)))
    assert {len(listing.records) for listing in found} == {600}
    assert csv.field_size_limit() == usual


def test_a_list_that_was_made_of_two_is_one_list(files, listed):
    files("1.jpg", "2.jpg", "3.jpg")
    text = "path,label\n1.jpg,a\n\ufeffPath,label\n2.jpg,b\npath, label\n3.jpg,c\n"
    assert labels(listed(text)) == {"1.jpg": ("a",), "2.jpg": ("b",), "3.jpg": ("c",)}


def test_lists_that_were_joined_have_their_columns_in_one_order(listed):
    with pytest.raises(SourceError, match=r"list\.csv, line 3: another header, .* another order"):
        listed("path,label\n1.jpg,a\nlabel,path\nb,2.jpg\n")


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("path,label\n1.jpg,a\n2.jpg,ro\0se\n", "label"),
        ("path,label\n1.jpg,a\n2\0.jpg,rose\n", "path"),
        ("path,group\n1.jpg,a\n2.jpg,ro\0se\n", "group"),
        ("path,id\n1.jpg,a\n2.jpg,ro\0se\n", "id"),
    ],
)
def test_a_nul_in_a_list_is_refused_with_its_line(files, listed, text, column):
    files("1.jpg", "2.jpg")
    message = rf"list\.csv, line 3: there is a NUL character in the column {column}"
    with pytest.raises(SourceError, match=message):
        listed(text)


def test_a_nul_in_a_table_of_labels_is_refused_with_its_line(files):
    folder = files("p/1.jpg")
    table = folder / "labels.csv"
    for row in ("1.jpg,ro\0se", "none\0.jpg,rose"):
        table.write_text(f"path,label\n{row}\n")
        with pytest.raises(SourceError, match=r"labels\.csv, line 2: there is a NUL character in"):
            list_images([folder / "p"], labels=table)


def test_a_nul_in_a_column_that_nobody_asked_for_is_nothing(listed):
    assert labels(listed("path,remark\n1.jpg,x\0y\n")) == {"1.jpg": ()}


def test_a_list_in_another_encoding_with_nuls_is_named_so(listed):
    with pytest.raises(SourceError, match=r"is not UTF-8 text \(NUL .* save it as 'CSV UTF-8'"):
        listed("path,label\n1.jpg,a\n".encode("utf-16-le"))


@pytest.mark.parametrize(
    ("about", "reason"),
    [('"ro\\u0000se"', "a NUL character"), ('"\\ud83c"', "half of a character")],
)
def test_what_no_file_can_hold_is_refused_in_an_archive(listed, about, reason):
    data = packed({"1.jpg": b"1", "1.json": f'{{"label": {about}}}'.encode()})
    with pytest.raises(SourceError, match=rf"1\.jpg in \S*a\.tar: '.*' holds {reason}; correct it"):
        listed(data, "a.tar")
    assert labels(listed(data, "a.tar", labels="none")) == {"1.jpg": ()}
    with pytest.raises(SourceError, match="holds a NUL character"):
        listed(packed({"1.jpg": b"1", "1.cls": b"ro\0se"}), "a.tar")


def test_what_no_file_can_hold_is_refused_in_parquet(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({"image": [b"1", b"2"], "label": ["a", "b\0"]}), tmp_path / "a.parquet")
    with pytest.raises(SourceError, match=r"a\.parquet, row 1: 'b\\x00' holds a NUL character"):
        list_images([tmp_path / "a.parquet"])
    pq.write_table(pa.table({"path": ["1.jpg", "2\0.jpg"]}), tmp_path / "b.parquet")
    with pytest.raises(
        SourceError, match=r"b\.parquet, row 2: '2\\x00\.jpg' holds a NUL character"
    ):
        list_images([tmp_path / "b.parquet"])


def test_text_in_parquet_that_is_not_utf8_is_one_line(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    broken = pa.array([b"\xff"]).cast(pa.string(), safe=False)
    pq.write_table(pa.table({"image": [b"1"], "label": broken}), tmp_path / "a.parquet")
    with pytest.raises(SourceError, match=r"a\.parquet is damaged: .*utf-8"):
        list_images([tmp_path / "a.parquet"])


def test_what_parquet_notes_of_its_columns_may_be_hostile(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    for note in (b"[" * 20_000, b"{", b"\xff"):
        table = pa.table({"image": [b"1"]}).replace_schema_metadata({"huggingface": note})
        pq.write_table(table, tmp_path / "a.parquet")
        with pytest.raises(SourceError, match=r"a\.parquet is not a readable Parquet file: .*JSON"):
            list_images([tmp_path / "a.parquet"])


@pytest.mark.skipif(sys.platform == "win32", reason="such names need a POSIX system")
def test_names_that_are_not_utf8_are_labels_that_a_file_can_hold(tmp_path):
    folder = tmp_path / "p" / os.fsdecode(b"caf\xe9")
    folder.mkdir(parents=True)
    (folder / os.fsdecode(b"\xff.jpg")).touch()
    listing = list_images([tmp_path / "p"])
    assert labels(listing) == {r"caf\xe9/\xff.jpg": (r"caf\xe9",)}
    pattern = list_images([tmp_path / "p"], label_pattern=r"(?P<label>.+)")
    assert list(labels(pattern).values()) == [(r"\xff",)]
