"""Where the images of rows are, when one of several places of theirs has gone."""

from __future__ import annotations

import json
import shutil

import h5py
import pytest

import penult
from penult.features.image_places import look_for_images
from penult.features.read import load
from penult.interface import serving_command_line

pytestmark = pytest.mark.light


@pytest.fixture
def rows(photos, toy, tmp_path):
    """Rows of 12 roses, each of which is a file of `copies` as well, and of 12 daisies."""
    shutil.copytree(photos / "rose", tmp_path / "copies")
    penult.extract(
        [photos / "rose", photos / "daisy", tmp_path / "copies"],
        tmp_path / "f.h5",
        model=toy,
        labels="none",
    )
    return tmp_path / "f.h5"


@pytest.fixture
def moved(rows, photos):
    """The place of the roses, which has gone from where it was."""
    return (photos / "rose").rename(photos / "red")


def looked(rows, images=None):
    return look_for_images(load(rows), images, offline=True)


def found(rows, images=None):
    """How many images of each place are found."""
    places = looked(rows, images)
    ids = [one for one in map(str, load(rows).ids) if places.find(one) is not None]
    return {name: sum(one.startswith(name) for one in ids) for name in ("rose", "daisy", "copies")}


def test_what_is_in_other_places_is_found_and_the_one_that_is_gone_is_named(rows, moved, photos):
    assert found(rows) == {"rose": 0, "daisy": 12, "copies": 12}
    there = [str(photos / "daisy"), str(rows.parent / "copies")]
    assert looked(rows).why() == (
        f"no such file or folder: {photos / 'rose'}; images=[FOLDER, {there[0]!r}, {there[1]!r}] "
        "says where they are"
    )
    with serving_command_line():
        assert (
            looked(rows)
            .why()
            .endswith(
                f"; --images FOLDER --images {there[0]} --images {there[1]} says where they are"
            )
        )


def test_a_place_of_another_name_stands_for_the_one_that_is_missing(rows, moved, photos):
    places = [rows.parent / "copies", moved, photos / "daisy"]
    assert found(rows, places) == {"rose": 12, "daisy": 12, "copies": 12}
    # Of two there is no telling which is which.
    other = (photos / "daisy").rename(photos / "white")
    assert found(rows, [moved, other, places[0]]) == {"rose": 0, "daisy": 0, "copies": 12}
    assert "images says where they are, if it is given all 3 places of" in looked(rows).why()


def test_an_address_that_may_not_be_asked_costs_its_images_alone(rows, photos):
    with h5py.File(rows, "r+") as file:
        sources = ["https://example.org/rose.tar", str(photos / "daisy")]
        file.attrs["origin"] = json.dumps({"sources": sources})
    places = looked(rows)
    assert list(places.gone) == sources[:1]
    assert "is on the network" in places.why()
    assert places.find("daisy/daisy_01.jpg") is not None


def test_where_no_place_is_left_each_is_named(rows, photos, tmp_path):
    shutil.rmtree(photos)
    shutil.rmtree(tmp_path / "copies")
    places = looked(rows)
    assert not places.finders
    for name in ("photos/daisy", "photos/rose", "copies"):
        assert f"no such file or folder: {tmp_path / name}" in places.why()
    assert places.why().endswith("; images=FOLDER says where they are")


def test_outliers_measures_the_pictures_that_are_there(rows, moved, caplog):
    measured = penult.outliers(rows)
    assert {one.id.split("/")[0] for one in measured.failures} == {"rose"}
    assert len(measured.failures) == 12
    (line,) = caplog.messages
    assert line.startswith("penult: the list of outliers lacks pictures: no such file or folder")


def test_the_copy_that_is_there_is_kept_of_duplicates(rows, moved, caplog):
    kept = {group.keep.split("/")[0] for group in penult.duplicates(rows, threshold=1).groups}
    assert "rose" not in kept
    (line,) = caplog.messages
    assert "some of the images cannot be found, so their sizes do not count: no such" in line


def test_verify_compares_the_images_that_are_there(rows, moved, caplog):
    told = penult.verify(rows, sample=None)
    assert (told.compared, len(told.missing)) == (24, 12)
    (line,) = caplog.messages
    assert "some of the images of " in line


def test_photos_that_are_there_are_sorted_into_clusters(rows, moved, tmp_path, caplog):
    done = penult.cluster(rows, k=2, sort_into=tmp_path / "sorted")
    assert len(list((tmp_path / "sorted").rglob("*.jpg"))) == 24
    assert len(done.failures) == 12
    (line,) = caplog.messages
    assert line.startswith("penult: some of the photos cannot be found: no such file or folder")


def test_a_map_and_its_picture_say_what_is_gone_in_one_line_each(rows, moved, tmp_path, caplog):
    penult.map(rows, [tmp_path / "m.html"], method="pca")
    (line,) = caplog.messages
    assert "the page lacks pictures: no such file or folder" in line
    assert line.endswith("says where they are")


def test_where_there_is_no_such_option_none_is_named(rows, moved):
    gone = moved.parent / "rose"
    assert looked(rows).why(has_option=False) == f"no such file or folder: {gone}"


def test_a_stranger_s_places_with_odd_braces_are_places_that_are_gone(rows):
    with h5py.File(rows, "r+") as file:
        file.attrs["origin"] = '{"sources": ["{9..1}", "b"]}'
    (error,) = set(map(str, looked(rows).gone.values()))
    assert "has to count up" in error
