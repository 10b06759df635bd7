"""Searching a gallery for rows: values by hand, which rows may be found, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import penult
from penult.retrieve.index import Index
from penult.retrieve.search import queries

pytestmark = pytest.mark.light


def ids(found, place=0):
    return [hit.id for hit in found[place].hits]


def test_the_nearest_rows_come_first_with_their_cosine(gallery):
    (one,) = penult.search(gallery, np.array([[2.0, 0.0]]), k=5)
    assert one.query == "row 0"
    assert [hit.id for hit in one.hits] == [
        "chair/1.jpg", "chair/2.jpg", "sofa/1.jpg", "sofa/2.jpg", "lamp/1.jpg",
    ]  # fmt: skip
    assert [hit.similarity for hit in one.hits] == pytest.approx([1, 0.8, 0.6, 0, -1])
    assert one.hits[0].similarity == 1.0  # equal directions, exactly
    assert [hit.label for hit in one.hits] == ["chair", "chair", "sofa", "sofa", "lamp"]
    assert {hit.distance for hit in one.hits} == {None}


def test_distances_are_of_the_rows_as_they_are(gallery):
    found = penult.search(gallery, np.array([[2.0, 0.0]]), k=3, metric="euclidean")
    assert ids(found) == ["chair/1.jpg", "sofa/2.jpg", "chair/2.jpg"]
    distances = [hit.distance for hit in found[0].hits]
    assert distances == pytest.approx([1, np.sqrt(8), np.sqrt(13)])
    assert found.metric == "euclidean"
    assert {hit.similarity for hit in found[0].hits} == {None}


def test_a_row_asked_for_by_its_id_does_not_find_itself_and_loses_no_hit(gallery):
    found = penult.search(gallery, id=["chair/2.jpg", "lamp/1.jpg"], k=4)
    assert ids(found, 0) == ["sofa/1.jpg", "chair/1.jpg", "sofa/2.jpg", "lamp/1.jpg"]
    assert ids(found, 1) == ["sofa/2.jpg", "sofa/1.jpg", "chair/2.jpg", "chair/1.jpg"]
    assert [one.labels for one in found] == [("chair",), ("lamp",)]


def test_a_copy_under_another_name_is_found(file):
    rows = {"a.jpg": ((1, 0),), "copy.jpg": ((1, 0),), "b.jpg": ((0, 1),)}
    gallery = file("g", rows, digests={"copy.jpg": "a.jpg"})
    found = penult.search(gallery, id="a.jpg", k=1)
    assert ids(found) == ["copy.jpg"]
    assert found[0].hits[0].similarity == 1.0


def test_a_row_of_another_file_does_not_find_the_same_image(gallery, file):
    same, other = ((4, 3), "chair"), ((4, 3), "chair")
    asked = file(
        "asked", {"chair/2.jpg": same, "new.jpg": other}, digests={"new.jpg": "chair/2.jpg"}
    )
    found = penult.search(gallery, asked, k=1)
    assert ids(found, 0) == ["sofa/1.jpg"]
    assert ids(found, 1) == ["chair/2.jpg"]  # a copy under another name
    changed = file("changed", {"chair/2.jpg": same}, digests={"chair/2.jpg": "other bytes"})
    assert ids(penult.search(gallery, changed, k=1)) == ["chair/2.jpg"]


def test_a_gallery_searched_for_itself_gives_each_row_its_neighbours(gallery):
    for asked in (gallery, penult.load(gallery)):
        found = penult.search(gallery, asked, k=9)
        assert [one.query for one in found] == list(penult.load(gallery).ids)
        assert all(len(one.hits) == 4 and one.query not in ids([one]) for one in found)


def test_without_digests_the_same_sources_make_the_same_image(make_features):
    features = make_features({"a": 2}, origin={"sources": ["/photos"]})
    asked = make_features({"a": 2}, origin={"sources": ["/photos"]})
    assert ids(penult.search(features, asked, k=1)) == ["a/001.jpg"]
    elsewhere = make_features({"a": 2}, origin={"sources": ["/others"]})
    assert ids(penult.search(features, elsewhere, k=1)) == ["a/000.jpg"]


def test_ids_come_before_other_queries(gallery):
    found = penult.search(gallery, np.array([[0.0, 1.0]]), id="lamp/1.jpg", k=1)
    assert [one.query for one in found] == ["lamp/1.jpg", "row 0"]


@pytest.mark.parametrize("size", [1, 2, 256])
def test_the_size_of_a_batch_is_not_seen(gallery, monkeypatch, size):
    expected = [one.to_dict() for one in penult.search(gallery, gallery, k=2)]
    monkeypatch.setattr(queries, "BATCH", size)
    assert [one.to_dict() for one in penult.search(gallery, gallery, k=2)] == expected
    again = penult.search(gallery, id=list(penult.load(gallery).ids), k=2)
    assert [one.to_dict() for one in again] == expected


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ("label=sofa", ["sofa/1.jpg", "sofa/2.jpg"]),
        (["label=sofa", "label=lamp"], ["sofa/1.jpg", "sofa/2.jpg", "lamp/1.jpg"]),
        ("label!=chair", ["sofa/1.jpg", "sofa/2.jpg", "lamp/1.jpg"]),
        (["label!=chair", "label!=sofa"], ["lamp/1.jpg"]),
        (["label=sofa", "split=test"], ["sofa/1.jpg"]),
        ("split!=test", ["chair/1.jpg", "chair/2.jpg", "sofa/2.jpg", "lamp/1.jpg"]),
        ("id=*/1.jpg", ["chair/1.jpg", "sofa/1.jpg", "lamp/1.jpg"]),
        ("id=sofa/2.jpg", ["sofa/2.jpg"]),
        (["id!=sofa/*", "id!=chair/2.jpg"], ["chair/1.jpg", "lamp/1.jpg"]),
    ],
)
def test_a_filter_says_which_rows_may_be_found(gallery, filters, left):
    assert ids(penult.search(gallery, np.array([[1.0, 0.0]]), k=5, filter=filters)) == left


def test_a_filter_takes_groups_and_an_id_with_the_signs_of_a_glob(file):
    rows = {"a[1].jpg": ((1, 0),), "a1.jpg": ((1, 0),)}
    gallery = file("g", rows, group={"a1.jpg": "7", "a[1].jpg": "8"})
    asked = np.array([[1.0, 0.0]])
    assert ids(penult.search(gallery, asked, filter="id=a[1].jpg")) == ["a[1].jpg"]
    assert ids(penult.search(gallery, asked, filter="group=7")) == ["a1.jpg"]


def test_a_label_of_several_is_enough_for_a_filter(file):
    gallery = file("g", {"a": ((1, 0), "red", "chair"), "b": ((1, 0), "red"), "c": ((0, 1),)})
    (one,) = penult.search(gallery, np.array([[1.0, 0.0]]), filter="label=chair")
    assert [hit.id for hit in one.hits] == ["a"]
    assert (one.hits[0].label, one.hits[0].labels) == (None, ("chair", "red"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"filter": "label=chiar"}, "unknown label 'chiar' in {g}; did you mean chair?"),
        ({"filter": "colour=red"}, "unknown key 'colour' in filter='colour=red'; allowed: label, split, group, id"),
        ({"filter": "chair"}, "filter='chair' is no condition; give KEY=VALUE"),
        ({"filter": "split=validation"}, "unknown split 'validation' in {g}; allowed: test, train"),
        ({"filter": "group=1"}, "the rows of {g} have no groups; leave out filter='group=1'"),
        ({"filter": "id=rose/*"}, "none of 5 ids of {g} is like rose/*; they are chair/1.jpg"),
        ({"filter": "id=chair/11.jpg"}, "unknown id 'chair/11.jpg' in {g}; did you mean chair/1.jpg"),
        ({"filter": ["label=lamp", "split=test"]}, "no row of {g} is left by filter='label=lamp', "),
        ({"id": "chair/11.jpg"}, "unknown id 'chair/11.jpg' in {g}; did you mean chair/1.jpg"),
        ({"id": "photos/chair/1.jpg"}, "unknown id 'photos/chair/1.jpg' in {g}; did you mean chair/1.jpg? (penult.export_rows('{g}', output='rows.csv') lists the ids)"),
        ({"id": "photos/chair/[1].jpg"}, "unknown id 'photos/chair/[1].jpg' in {g}; did you mean chair/1.jpg"),
        ({"id": "zzz"}, "(penult.export_rows('{g}', output='rows.csv') lists the ids)"),
        ({"id": ["lamp/1.jpg", "chair/*.jpg"]}, "there is no id 'chair/*.jpg' in {g}; id takes no pattern, but filter='id=chair/*.jpg' does, for the rows that may be found"),
        ({"k": 0}, "k is 0; give 1 or more"),
        ({"k": 5.0}, "k is 5.0; give a whole number"),
        ({"filter": "label=chair,lamp"}, "filter='label=chair,lamp' is one label, which there is not; give filter=['label=chair', 'label=lamp']"),
        ({"filter": "split!=train, test"}, "give filter=['split!=train', 'split!=test']"),
        ({"filter": {"label": "chair"}}, "give a name, or a list, or None; it is written filter='label=chair'"),
        ({"queries": None}, "nothing to search for was given; give photos"),
        ({"queries": []}, "nothing to search for was given; give photos"),
        ({"queries": np.zeros((0, 2))}, "without any row"),
        ({"queries": np.zeros(2)}, "give rows, an array of shape (Q, D)"),
        ({"queries": np.zeros((1, 3))}, "these rows have 3 numbers each, but those of {g} have 2"),
        ({"layer": "logits"}, "unknown layer 'logits' in {g}"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_one_line(gallery, given, said):
    with pytest.raises(penult.UsageError) as refused:
        penult.search(gallery, **{"queries": np.array([[1.0, 0.0]]), **given})
    assert said.format(g=gallery) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_rows_made_otherwise_are_refused_and_it_is_said_in_what(gallery, file):
    other = file("other", {"a": ((1, 0),)}, network="toy:other")
    for asked in (other, penult.load(other)):
        with pytest.raises(penult.RecipeMismatchError, match=r"architecture: 'toy/net' and"):
            penult.search(gallery, asked)


def test_of_a_file_of_several_rows_those_like_the_gallery_are_searched_for(tmp_path, gallery):
    from feature_files import record, write

    rows = [np.array([[9, 9, 9]], np.float32), np.array([[0, 1]], np.float32)]
    several = tmp_path / "several.h5"
    write(several, [record("new.jpg")], rows, layers=("logits", "penultimate"))
    write(tmp_path / "turned.h5", [record("new.jpg")], rows[::-1], layers=("penultimate", "logits"))
    for asked in (several, tmp_path / "turned.h5"):
        assert ids(penult.search(gallery, asked, k=1)) == ["sofa/2.jpg"]
    found = penult.search(several, np.array([[1.0, 1.0, 1.0]]), layer="logits")
    assert ids(found) == ["new.jpg"]


def test_more_rows_than_there_are_is_all_of_them_and_said_once(gallery, caplog):
    found = penult.search(gallery, gallery, k=50, filter="label=sofa")
    assert [len(one.hits) for one in found] == [2, 2, 1, 1, 2]
    (line,) = caplog.messages
    assert line.endswith(
        "gallery.h5 has 2 rows that the filter leaves, fewer than the 50 asked for: all of them are found"
    )


def test_rows_that_nothing_is_near_to_fail_alone(gallery, caplog):
    asked = np.array([[np.nan, 1], [0, 0], [1, 0], [np.inf, 0]])
    found = penult.search(gallery, asked, k=1)
    assert [one.query for one in found] == ["row 2"]
    assert [one.id for one in found.failures] == ["row 0", "row 1", "row 3"]
    assert "NaN or infinite" in found.failures[0].reason
    assert (
        found.failures[1].reason
        == "its row is all zeros, which has no cosine; give metric='euclidean'"
    )
    assert "3 of 4 queries could not be answered" in caplog.text
    found = penult.search(gallery, asked, k=1, metric="euclidean")
    assert [one.query for one in found] == ["row 1", "row 2"]
    with pytest.raises(penult.SearchError, match="row 0: its row has NaN"):
        penult.search(gallery, asked, on_error="fail")


def test_an_index_is_searched_by_its_own_metric(gallery):
    index = Index.of(penult.load(gallery), metric="euclidean")
    asked = np.array([[2.0, 0.0]])
    assert penult.search(index, asked).metric == "euclidean"
    with pytest.raises(penult.UsageError, match="made to be searched by euclidean"):
        penult.search(index, asked, metric="cosine")


def test_plain_arrays_are_a_gallery_of_rows_but_not_of_photos(photos):
    index = Index.of(np.eye(3, dtype=np.float32), ids=["a", "b", "c"])
    assert ids(penult.search(index, np.array([[0.0, 0.1, 1.0]]), k=2)) == ["c", "b"]
    with pytest.raises(penult.UsageError, match="photos cannot become such rows"):
        penult.search(index, photos)


def test_maps_are_compared_number_by_number(make_features):
    maps = np.zeros((2, 2, 2, 1), np.float32)
    maps[0, 0], maps[1, 1] = 1, 1
    features = make_features({"a": 2}, features=maps)
    assert ids(penult.search(features, maps[1:], k=1)) == ["a/001.jpg"]


def test_the_gallery_comes_first(gallery, photos):
    photo = photos / "rose" / "rose_01.jpg"
    with pytest.raises(penult.UsageError, match="the gallery comes first") as refused:
        penult.search(photo, gallery)
    assert f"penult.search('{gallery}', '{photo}')" in str(refused.value)
    with pytest.raises(penult.UsageError, match="one file at a time"):
        penult.search(gallery, [gallery, photo])


def test_results_are_shown_in_a_line_and_a_table(gallery):
    found = penult.search(gallery, np.array([[1, 0], [0, 0]], np.float32), k=2, vote=True)
    assert repr(found) == "SearchResults(1 query, 2 hits, by cosine; 1 query failed)"
    assert "<td" in found._repr_html_()
    assert "0.800" in found._repr_html_()


@pytest.mark.needs("pandas")
def test_results_become_a_dataframe(gallery):
    found = penult.search(gallery, np.array([[1, 0], [0, 0]], np.float32), k=2, vote=True)
    frame = found.to_dataframe()
    assert list(frame) == ["query", "rank", "id", "similarity", "label", "vote", "confidence"]
    assert frame["rank"].tolist() == [1, 2]
    assert frame["vote"].tolist() == ["chair", "chair"]


def test_an_index_on_disk_is_a_gallery_like_the_file_that_it_was_made_of(gallery, tmp_path):
    Index.of(penult.load(gallery)).save(tmp_path / "g.index")
    expected = [one.to_dict() for one in penult.search(gallery, gallery, k=2, vote=True)]
    for asked in (gallery, penult.load(gallery)):
        found = penult.search(tmp_path / "g.index", asked, k=2, vote=True)
        assert [one.to_dict() for one in found] == expected
    found = penult.search(tmp_path / "g.index", id="chair/1.jpg", filter="label=sofa")
    assert ids(found) == ["sofa/1.jpg", "sofa/2.jpg"]
    assert ids(penult.search(tmp_path / "g.index", np.array([[2.0, 0.0]]), k=1)) == ["chair/1.jpg"]
    with pytest.raises(penult.UsageError, match=r"g\.index is of the rows of penultimate alone"):
        penult.search(tmp_path / "g.index", id="chair/1.jpg", layer="logits")
