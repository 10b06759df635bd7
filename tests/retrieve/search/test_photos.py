"""Photos searched for: their rows are made as the gallery's were, and none finds itself."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

import penult
from penult.retrieve.search import queries

pytestmark = pytest.mark.light


@pytest.fixture
def rows(photos, toy, tmp_path):
    """A gallery of twelve photos a class: the mean colour of each."""
    penult.extract(photos, tmp_path / "rows.h5", model=toy)
    return tmp_path / "rows.h5"


def first(found):
    """The nearest hit of each query."""
    return {one.query: one.hits[0].id for one in found}


def test_a_photo_gets_the_row_that_its_file_has(rows, photos, toy, tmp_path):
    shutil.copy(photos / "rose" / "rose_01.jpg", tmp_path / "new.jpg")
    (one,) = penult.search(rows, tmp_path / "new.jpg", k=3)
    assert one.query == "new.jpg"
    assert (one.hits[0].id, one.hits[0].similarity) == ("rose/rose_01.jpg", 1.0)
    assert {hit.label for hit in one.hits} == {"rose"}


def test_a_photo_of_the_gallery_does_not_find_itself_however_it_is_typed(
    rows, photos, tmp_path, monkeypatch
):
    monkeypatch.chdir(photos / "daisy")
    (tmp_path / "link").symlink_to(photos)
    moved = shutil.copytree(photos, tmp_path / "moved" / "photos")
    ways = [
        "daisy_01.jpg",
        photos / "daisy" / "daisy_01.jpg",
        photos / "daisy",
        photos,
        "../../link/daisy/daisy_01.jpg",
        moved,
    ]
    for way in ways:
        found = penult.search(rows, way, k=2)
        assert all(len(one.hits) == 2 for one in found)
        same = [one.query for one in found if one.hits[0].id.endswith(one.query)]
        assert not same, way


def test_a_copy_under_another_name_or_in_another_folder_is_found(rows, photos, tmp_path):
    copy = shutil.copy(photos / "daisy" / "daisy_01.jpg", tmp_path / "copy.jpg")
    elsewhere = tmp_path / "rose"
    elsewhere.mkdir()
    shutil.copy(copy, elsewhere / "daisy_01.jpg")
    found = penult.search(rows, [copy, elsewhere / "daisy_01.jpg"], k=1)
    assert {*first(found).values()} == {"daisy/daisy_01.jpg"}
    assert [one.hits[0].similarity for one in found] == [1.0, 1.0]


def test_other_bytes_under_the_same_name_are_another_photo(rows, photos, tmp_path):
    folder = tmp_path / "new" / "daisy"
    folder.mkdir(parents=True)
    shutil.copy(photos / "daisy" / "daisy_02.jpg", folder / "daisy_01.jpg")
    (one,) = penult.search(rows, folder / "daisy_01.jpg", k=36)
    assert one.hits[0].id == "daisy/daisy_02.jpg"
    assert "daisy/daisy_01.jpg" in [hit.id for hit in one.hits]


def test_images_in_memory_find_everything_in_their_order(rows, photos):
    daisy, rose = photos / "daisy" / "daisy_01.jpg", photos / "rose" / "rose_01.jpg"
    with Image.open(rose) as opened:
        found = penult.search(rows, [rose.read_bytes(), np.asarray(Image.open(daisy)), opened], k=1)
    hits = ["rose/rose_01.jpg", "daisy/daisy_01.jpg", "rose/rose_01.jpg"]
    assert [one.hits[0].id for one in found] == hits
    with pytest.raises(penult.ImageError):
        penult.search(rows, [b"no image"], k=1)


def test_an_unreadable_photo_among_good_ones_is_named(rows, photos, tmp_path):
    folder = tmp_path / "asked"
    folder.mkdir()
    shutil.copy(photos / "tulip" / "tulip_03.jpg", folder / "b.jpg")
    (folder / "a.jpg").write_bytes(b"nonsense")
    found = penult.search(rows, folder, k=1)
    assert first(found) == {"b.jpg": "tulip/tulip_03.jpg"}
    assert [one.id for one in found.failures] == ["a.jpg"]
    with pytest.raises(penult.ImageError, match=r"a\.jpg"):
        penult.search(rows, folder, on_error="fail")


def test_a_black_photo_has_no_cosine(rows, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "black.png")
    found = penult.search(rows, tmp_path / "black.png")
    assert "all zeros" in found.failures[0].reason
    assert len(penult.search(rows, tmp_path / "black.png", metric="euclidean")) == 1


def test_a_photo_has_the_label_of_its_folder_where_the_gallery_knows_it(rows, photos, tmp_path):
    new = tmp_path / "new"
    for label in ("rose", "downloads"):
        (new / label).mkdir(parents=True)
        shutil.copy(photos / "tulip" / "tulip_01.jpg", new / label)
    found = {one.query: one for one in penult.search(rows, new, k=1)}
    assert found["rose/tulip_01.jpg"].labels == ("rose",)
    assert found["downloads/tulip_01.jpg"].labels == ()
    (hit,) = found["rose/tulip_01.jpg"].hits
    assert found["rose/tulip_01.jpg"].is_right(hit) is False
    assert found["downloads/tulip_01.jpg"].is_right(hit) is None


def test_photos_are_answered_a_batch_at_a_time(rows, photos, monkeypatch):
    expected = [one.to_dict() for one in penult.search(rows, photos, k=2)]
    monkeypatch.setattr(queries, "BATCH", 5)
    told = []
    found = penult.search(rows, photos, k=2, batch_size=2, progress=told.append)
    assert [one.to_dict() for one in found] == expected
    counts = [now.done for now in told if now.stage == "search"]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1], len(counts) > 10) == (0, 36, True)


def test_an_answer_does_not_wait_for_the_last_photo(rows, photos, monkeypatch):
    from penult.tasks.search import prepare

    monkeypatch.setattr(queries, "BATCH", 2)
    done = []
    ready = prepare(
        rows, photos, batch_size=2, workers=1, progress=lambda now: done.append(now.done)
    )
    next(ready.outcomes())
    assert max(done) < 20


def test_the_query_is_made_by_the_gallerys_recipe_and_by_no_other(photos, toy, tmp_path):
    features = penult.extract(photos, model=toy, layer="logits")
    (one,) = penult.search(features, photos / "rose" / "rose_01.jpg", k=1, metric="euclidean")
    assert one.hits[0].id.startswith("rose/")
    other = penult.extract(photos, tmp_path / "mean.h5", model=toy)
    with pytest.raises(penult.RecipeMismatchError, match="layer: 'logits' and 'penultimate'"):
        penult.search(features, other)
