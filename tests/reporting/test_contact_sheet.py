"""The picture of a search, looked at pixel by pixel."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import penult
from penult.reporting import contact_sheet
from penult.reporting.contact_sheet import _FRAME, _GAP, _HEAD, _MARGIN, _SIDE, _TEXT

INK, RIGHT, WRONG, NEITHER = (27, 27, 34), (29, 122, 58), (179, 66, 10), (227, 227, 234)
EMPTY = (242, 242, 245)


@pytest.fixture
def rows(photos, toy, tmp_path):
    penult.extract(photos, tmp_path / "rows.h5", model=toy)
    return tmp_path / "rows.h5"


@pytest.fixture
def drawn(rows, tmp_path):
    """`drawn(queries, …)` gives the pixels of the sheet."""

    def draw(*queries, **options):
        penult.search(
            rows, *queries, contact_sheet=tmp_path / "near.png", overwrite=True, **options
        )
        return np.asarray(Image.open(tmp_path / "near.png").convert("RGB"))

    return draw


def corner(row, column):
    """Of the picture in some row and column; 0 is the query."""
    left = _MARGIN + column * (_SIDE + _GAP) + _GAP * (column > 0)
    return _MARGIN + _HEAD + row * (_SIDE + _TEXT + _GAP), left


def frame(pixels, row, column):
    top, left = corner(row, column)
    return tuple(pixels[top - _FRAME + 1, left + _SIDE // 2])


def middle(pixels, row, column):
    top, left = corner(row, column)
    return pixels[top + _SIDE // 2 - 20 : top + _SIDE // 2 + 20, left + 30 : left + 90].mean((0, 1))


def has_words(pixels, row, column):
    """Whether something is written at the foot of an empty frame."""
    top, left = corner(row, column)
    foot = pixels[top + _SIDE - 30 : top + _SIDE, left : left + _SIDE]
    return bool((foot == EMPTY).all(2).any() and (foot < 180).all(2).any())


def test_each_query_is_followed_by_the_images_it_found(drawn):
    pixels = drawn(
        id=["rose/rose_01.jpg", "daisy/daisy_01.jpg"], k=2, filter=["label=rose", "label=tulip"]
    )
    assert [frame(pixels, 0, place) for place in range(3)] == [INK, RIGHT, RIGHT]
    assert [frame(pixels, 1, place) for place in range(3)] == [INK, WRONG, WRONG]
    assert middle(pixels, 0, 0) == pytest.approx([170, 20, 40], abs=6)  # a rose
    assert middle(pixels, 0, 1) == pytest.approx([170, 20, 40], abs=6)
    assert middle(pixels, 1, 0) == pytest.approx([235, 235, 220], abs=6)  # a daisy
    assert middle(pixels, 1, 1) == pytest.approx([240, 180, 30], abs=6)  # the tulips are nearer
    assert pixels.shape[0] == corner(2, 0)[0] + _MARGIN


def test_hits_of_a_photo_without_a_label_are_neither_right_nor_wrong(drawn, photos, tmp_path):
    shutil.copy(photos / "rose" / "rose_01.jpg", tmp_path / "new.jpg")
    pixels = drawn(tmp_path / "new.jpg", k=1)
    assert [frame(pixels, 0, place) for place in range(2)] == [INK, NEITHER]
    assert middle(pixels, 0, 0) == pytest.approx([170, 20, 40], abs=6)


def test_images_that_are_gone_or_changed_are_empty_frames_and_counted(drawn, photos, caplog):
    (photos / "rose" / "rose_02.jpg").unlink()
    shutil.copy(photos / "daisy" / "daisy_01.jpg", photos / "rose" / "rose_03.jpg")
    pixels = drawn(
        id="rose/rose_01.jpg", k=2, filter=["id=rose/rose_02.jpg", "id=rose/rose_03.jpg"]
    )
    assert [tuple(middle(pixels, 0, place)) for place in (1, 2)] == [EMPTY, EMPTY]
    assert has_words(pixels, 0, 1)
    assert has_words(pixels, 0, 2)
    (line,) = caplog.messages
    assert "empty frames for 2 images that cannot be found any more, or changed since" in line
    assert "rose/rose_02.jpg, …" in line
    assert line.endswith("penult.extract(update=True) makes the rows of what is there now")


def test_where_the_folder_is_gone_the_sheet_is_drawn_all_the_same(drawn, photos, caplog):
    photos.rename(photos.parent / "elsewhere")
    pixels = drawn(id="rose/rose_01.jpg", k=1)
    assert tuple(middle(pixels, 0, 0)) == tuple(middle(pixels, 0, 1)) == EMPTY
    assert "the contact sheet has no pictures: no such file or folder" in caplog.messages[0]
    assert "empty frames for 2 images" in caplog.messages[1]


def test_rows_of_a_program_are_no_missing_images(drawn, caplog):
    pixels = drawn(np.array([[0.9, 0.7, 0.1]]), k=1)
    assert tuple(middle(pixels, 0, 0)) == EMPTY
    assert not has_words(pixels, 0, 0)
    assert caplog.messages == []


def test_what_there_is_no_room_for_is_said(drawn, photos, caplog, monkeypatch):
    monkeypatch.setattr(contact_sheet, "MOST_QUERIES", 2)
    monkeypatch.setattr(contact_sheet, "MOST_HITS", 3)
    pixels = drawn(photos / "rose", k=5)
    assert pixels.shape[0] == corner(2, 0)[0] + _MARGIN + _HEAD
    assert frame(pixels, 1, 3) == RIGHT
    (line,) = caplog.messages
    assert line.endswith("near.png has no room for 10 more queries and hits after the first 3")


def test_texts_fit_below_their_pictures(drawn, photos):
    long = photos / "rose" / f"{'a long name ' * 12}.jpg"
    (photos / "rose" / "rose_01.jpg").rename(long)
    pixels = drawn(long, k=1)
    top, left = corner(0, 0)
    below = pixels[top + _SIDE + _FRAME : top + _SIDE + _TEXT]
    assert (below[:, left : left + _SIDE] < 200).any()
    assert (below[:, left + _SIDE + 2 : left + _SIDE + _GAP] > 250).all()


def test_the_sheet_is_no_photo_of_a_later_listing(rows, photos):
    penult.search(rows, id="rose/rose_01.jpg", contact_sheet=photos / "near.png")
    listed = penult.search(rows, photos, k=1)
    assert len(listed) == 36


def test_a_sheet_that_cannot_be_written_is_refused_before_anything_is_read(rows, photos, tmp_path):
    (tmp_path / "near.png").write_bytes(b"mine")
    with pytest.raises(penult.OutputExistsError):
        penult.search(rows, photos, contact_sheet=tmp_path / "near.png")
    with pytest.raises(penult.UsageError, match="would hold PNG"):
        penult.search(rows, photos, contact_sheet=tmp_path / "near.jpg")
    assert (tmp_path / "near.png").read_bytes() == b"mine"


RED = pytest.approx([170, 20, 40], abs=6)


@pytest.fixture
def of_two(photos, toy, tmp_path):
    """An index of two feature files, of folders of their own; ids are alike, but none the same."""
    roses, daisies = tmp_path / "roses", tmp_path / "daisies"
    for folder in (roses, daisies):
        folder.mkdir()
    shutil.copy(photos / "rose" / "rose_01.jpg", roses / "1.jpg")
    shutil.copy(photos / "rose" / "rose_02.jpg", roses / "2.jpg")
    shutil.copy(photos / "daisy" / "daisy_01.jpg", daisies / "3.jpg")
    penult.extract(roses, tmp_path / "a.h5", model=toy, labels="none")
    penult.extract(daisies, tmp_path / "b.h5", model=toy, labels="none")
    penult.index(tmp_path / "a.h5", tmp_path / "g.index")
    penult.index(tmp_path / "g.index", add=tmp_path / "b.h5")
    for file in ("a.h5", "b.h5"):
        (tmp_path / file).unlink()
    # Another picture of the same name, which its digest tells from the one that is meant.
    shutil.copy(photos / "tulip" / "tulip_01.jpg", roses / "3.jpg")
    return tmp_path / "g.index"


def _sheet(index, **options):
    path = index.parent / "near.png"
    penult.search(index, id="1.jpg", k=2, contact_sheet=path, overwrite=True, **options)
    return np.asarray(Image.open(path).convert("RGB"))


def test_the_images_of_an_index_are_where_those_of_its_feature_files_were(of_two, caplog):
    pixels = _sheet(of_two)
    assert middle(pixels, 0, 0) == RED
    assert middle(pixels, 0, 1) == RED
    assert middle(pixels, 0, 2) == pytest.approx([235, 235, 220], abs=6)  # a daisy
    assert caplog.messages == []


def test_it_can_be_said_where_the_images_of_the_gallery_are_now(of_two, photos, caplog):
    moved = (of_two.parent / "roses").rename(of_two.parent / "moved")
    assert tuple(middle(_sheet(of_two), 0, 1)) == EMPTY
    assert "the contact sheet lacks pictures: no such file or folder" in caplog.messages[0]
    there = of_two.parent / "daisies"
    assert caplog.messages[0].endswith(f"; images=[FOLDER, '{there}'] says where they are")
    assert caplog.messages[1].endswith("makes the rows of what is there now")
    assert "says where they are" not in caplog.messages[1]
    caplog.clear()
    pixels = _sheet(of_two, images=moved)
    assert middle(pixels, 0, 0) == RED
    assert middle(pixels, 0, 1) == RED
    assert tuple(middle(pixels, 0, 2)) == EMPTY
    both = _sheet(of_two, images=[moved, of_two.parent / "daisies"])
    assert middle(both, 0, 2) == pytest.approx([235, 235, 220], abs=6)
    with pytest.raises(penult.PathNotFoundError):
        _sheet(of_two, images="nowhere")
    with pytest.raises(penult.UsageError, match="images says where the pictures of a contact sh"):
        penult.search(of_two, id="1.jpg", images=moved)


def test_rows_that_do_not_say_where_their_images_are_have_no_pictures(
    make_features, caplog, tmp_path
):
    rows = make_features({"a": 2})
    penult.search(rows, id="a/000.jpg", k=1, contact_sheet=tmp_path / "near.png")
    assert "has no pictures: the rows do not say where their images are" in caplog.messages[0]


def test_where_nothing_was_answered_there_is_no_sheet(tmp_path):
    gallery = SimpleNamespace(features_of=lambda _ids: None)
    contact_sheet.ContactSheet(tmp_path / "near.png", gallery).write()
    assert not (tmp_path / "near.png").exists()


def test_a_picture_that_can_no_longer_be_read_is_missed():
    def gone():
        raise OSError("gone")

    pictures = contact_sheet._Pictures(None, offline=True, images=None)
    query = SimpleNamespace(record=penult.records.ImageRecord("a.jpg", gone), id="a.jpg")
    assert pictures.of_query(SimpleNamespace(query=query)) is None
    rows = object()
    pictures._openers[id(rows)] = lambda _id: b"no picture"
    assert pictures._of_row(rows, "b.jpg") is None
    assert pictures.missing == {"a.jpg", "b.jpg"}


def test_what_was_voted_stands_below_the_query():
    result = SimpleNamespace(
        labels=("rose",),
        vote=SimpleNamespace(label="tulip", labels=None, confidence=0.75),
        query="a.jpg",
        hits=(),
    )
    pictures = SimpleNamespace(of_query=lambda _answer: None)
    [cell] = contact_sheet._cells(SimpleNamespace(result=result), pictures)
    assert cell.lines == ("rose → tulip 75.0%", "a.jpg")
    result.vote = SimpleNamespace(label="tulip", labels=("tulip", "iris"), confidence=0.5)
    [cell] = contact_sheet._cells(SimpleNamespace(result=result), pictures)
    assert cell.lines[0] == "rose → tulip | iris 50.0%"
