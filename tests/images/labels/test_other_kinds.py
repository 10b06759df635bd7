"""A file of another kind in place of a table of labels: it is said which, and what is wanted."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from penult.errors import SourceError, UsageError, WrongFileError
from penult.explore.tables import read_table
from penult.images.labels.label_file import LabelFile
from penult.images.labels.labels_of_ids import is_reviewed_list
from penult.images.labels.reviewed_list import read_reviewed
from penult.images.listing import as_sources, list_images

pytestmark = pytest.mark.light


def zipped(*names):
    with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
        for name in names:
            archive.writestr(name, "{}")
    return file.getvalue()


def saved(save, *arguments, **options):
    save(file := io.BytesIO(), *arguments, **options)
    return file.getvalue()


PIXEL = Image.new("RGB", (1, 1))
KINDS = [
    (zipped("penult.json", "schema.json"), "a classifier"),
    (saved(np.savez, a=np.zeros(3)), r"arrays of NumPy \(\.npz\)"),
    (saved(np.save, np.zeros(3)), "an array of NumPy"),
    (b"\x89HDF\r\n\x1a\n" + bytes(100), "a feature file, or another in HDF5"),
    (saved(PIXEL.save, "JPEG"), "a JPEG image"),
    (saved(PIXEL.save, "PNG"), "a PNG image"),
    (b"PAR1" + bytes(20), "a Parquet file"),
    (b"PK\x03\x04" + bytes(9), "a zip archive"),
]


@pytest.mark.parametrize(("data", "kind"), KINDS, ids=[kind for _, kind in KINDS])
def test_it_is_named_wherever_a_table_is_read(tmp_path, data, kind):
    file = tmp_path / "labels.csv"
    file.write_bytes(data)
    said = rf"labels\.csv is {kind}, not a table of text; give a CSV file$"
    for read in (
        LabelFile,
        is_reviewed_list,
        read_reviewed,
        lambda path: list_images([path]),
    ):
        with pytest.raises(WrongFileError, match=said):
            read(file)
    with pytest.raises(WrongFileError, match=rf"labels\.csv is no CSV file: it is {kind}; make it"):
        read_table(Path(file), lambda _: {}, what="a table", hint="make it")


def test_a_spreadsheet_is_to_be_saved_as_text(tmp_path):
    file = tmp_path / "labels.csv"
    file.write_bytes(zipped("[Content_Types].xml", "xl/workbook.xml"))
    with pytest.raises(WrongFileError, match=r"is a spreadsheet, .*; save it as 'CSV UTF-8'"):
        LabelFile(file)


def test_text_that_begins_like_an_archive_is_text(tmp_path):
    (tmp_path / "labels.csv").write_text("PK,path,label\n1,a.jpg,rose\n")
    assert not is_reviewed_list(tmp_path / "labels.csv")


@pytest.mark.needs("pandas", "pyarrow")
def test_bars_alone_are_no_label_in_any_table(tmp_path):
    import pandas as pd

    frame = pd.DataFrame({"path": ["a.jpg"], "label": ["|"]})
    frame.to_parquet(tmp_path / "list.parquet")
    for images in (frame, tmp_path / "list.parquet"):
        with pytest.raises(SourceError, match=r"row [01]: the label is '\|', which separates"):
            list_images(as_sources(images))


def test_a_file_of_another_kind_is_named_whatever_its_ending(tmp_path):
    (tmp_path / "c.skops").write_bytes(zipped("penult.json"))
    with pytest.raises(UsageError, match=r"c\.skops'? is a classifier, and no table of labels"):
        list_images([tmp_path], labels=str(tmp_path / "c.skops"))
