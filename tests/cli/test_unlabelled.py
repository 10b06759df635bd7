"""Photos that lie beside the folders of their classes are told of, before and after the work."""

from __future__ import annotations

import pytest

import penult as library

pytestmark = pytest.mark.light


@pytest.mark.parametrize("command", ["evaluate", "report"])
def test_images_that_labels_are_asked_for_and_have_none_are_refused_before_the_work(
    penult, photos, toy, tmp_path, monkeypatch, command
):
    rows = library.extract(photos, model=toy)
    library.train(rows, tmp_path / "c.skops", classifier="centroid", folds=2)
    empty = tmp_path / "labels.csv"
    lines = [f"{path.name},\n" for path in sorted((photos / "rose").iterdir())]
    empty.write_text("".join(["image,label\n", *lines]))
    given = {
        "evaluate": [tmp_path / "c.skops", photos / "rose", "--labels", "none"],
        "report": [photos / "rose", "-o", tmp_path / "r", "-m", toy, "--labels", empty],
    }[command]

    def extracted(*_, **__):
        raise AssertionError("extracted")

    monkeypatch.setattr("penult.extraction.to_memory", extracted)
    monkeypatch.setattr("penult.extraction.to_file", extracted)
    done = penult(command, *given)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "penult: none of 12 images has a label; put them into one folder a class, or give "
        "--labels FILE or --label-pattern REGEX\n"
    )
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("command", ["evaluate", "compare", "report"])
def test_a_single_photo_that_cannot_be_read_is_told_so_before_its_missing_label(
    penult, photos, toy, tmp_path, command
):
    rows = library.extract(photos, model=toy)
    library.train(rows, tmp_path / "c.skops", classifier="centroid", folds=2)
    (photo := tmp_path / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    given = {
        "evaluate": [tmp_path / "c.skops", photo],
        "compare": [photo, "-o", tmp_path / "c", "-m", toy],
        "report": [photo, "-o", tmp_path / "r", "-m", toy, "--labels", tmp_path / "none.csv"],
    }[command]
    (tmp_path / "none.csv").write_text("image,label\ntorn.jpg,\n")
    done = penult(command, *given, "-q")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "penult: torn.jpg gave no row: it is truncated: it ends after 4 bytes, before the picture "
        "does; give another image, or a folder of them\n"
    )


def test_forgotten_class_folders_are_named_where_the_rest_is_too_few(penult, photos, toy, tmp_path):
    for path in photos.rglob("*_*.jpg"):
        path.rename(photos / path.name)
    for label, numbers in (("rose", (1, 2, 3)), ("tulip", (1,))):
        for k in numbers:
            (photos / f"{label}_{k:02}.jpg").rename(photos / label / f"{k}.jpg")
    done = penult("report", photos, "-o", tmp_path / "r", "-m", toy, "-q")
    assert done.code == 1
    assert "4 images of 2 classes, the smallest of 1, are too few" in done.err
    assert (
        "; 32 other images have no label, for they lie directly in the folder: put them into one "
        "folder a class"
    ) in done.err
