"""An index from elsewhere is checked before faiss sees any of it."""

from __future__ import annotations

import hashlib
import json
import random

import numpy as np
import pytest
from index_rows import clustered, names

import penult
from penult.retrieve.index_file.container import _HEAD, FORMAT, MAGIC

pytestmark = pytest.mark.light

KINDS = ["flat", "hnsw", "ivfpq"]
WILD = [-1, 0, 1, 63, 64, 401, 2**31, 2**62, 2**64, 1e308, None, True, "", "/etc/passwd", [], {}, "<f8", "|O"]  # fmt: skip


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The bytes of an index of each kind."""
    found = {}
    for kind in KINDS:
        path = tmp_path_factory.mktemp(kind) / "g.index"
        penult.Index.of(clustered(400), names(400), kind=kind).save(path)
        found[kind] = path.read_bytes()
    return found


def taken_apart(whole):
    _, _, _, offset, length, _ = _HEAD.unpack(whole[: _HEAD.size])
    description = json.loads(whole[offset : offset + length])
    del description["arrays"][
        "digests"
    ]  # who changes an array leaves them out, as files of before do
    return bytearray(whole[:offset]), description


def put_together(arrays, description, number=FORMAT):
    text = json.dumps(description).encode()
    digest = hashlib.blake2b(text, digest_size=16).digest()
    head = _HEAD.pack(MAGIC, number, 0, len(arrays), len(text), digest)
    return head + bytes(arrays[_HEAD.size :]) + text


def with_array(whole, name, change):
    """The same with another array under a name, of the same shape."""
    arrays, description = taken_apart(whole)
    place = description["arrays"][name]
    dtype, count, at = np.dtype(place["dtype"]), int(np.prod(place["shape"])), place["offset"]
    array = np.frombuffer(bytes(arrays), dtype, count, at).reshape(place["shape"]).copy()
    change(array)
    arrays[at : at + array.nbytes] = array.tobytes()
    return put_together(arrays, description)


def told(path, content):
    path.write_bytes(content)
    with pytest.raises(penult.IndexFileError) as error:
        penult.Index.open(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)
    return str(error.value)


def put(place, value):
    def change(array):
        array.reshape(-1)[place] = value

    return change


def far_apart(ends):
    """Ends whose differences are 0 or more once they have overflowed."""
    ends[:] = ends[-1]
    ends[:3] = 2**63 - 1, -(2**63), -1


@pytest.mark.parametrize(
    ("kind", "name", "change", "said"),
    [
        ("hnsw", "structure/neighbors", put(7, 400), "its neighbors are not from -1 to 399"),
        ("hnsw", "structure/neighbors", put(7, -2), "its neighbors are not from -1 to 399"),
        ("hnsw", "structure/levels", put(0, 0), "its levels are not from 1 to 32"),
        ("hnsw", "structure/levels", put(0, 30), "neighbors"),
        ("hnsw", "structure/entry", put(0, 400), "its graph is entered where it is not"),
        ("hnsw", "structure/entry", put(0, -1), "its graph is entered where it is not"),
        ("hnsw", "structure/rows", put(0, 1), "its graph is not of its 400 rows"),
        ("hnsw", "structure/rows", put(0, 400), "its graph is not of its 400 rows"),
        ("hnsw", "structure/ranges", put(0, np.nan), "its ranges hold what is no number"),
        ("ivfpq", "structure/rows", put(0, 400), "its lists do not have each of its 400 rows once"),
        ("ivfpq", "structure/ends", put(-1, 401), "its lists are not of its 400 rows"),
        ("ivfpq", "structure/ends", put(0, -5), "its lists are not of its 400 rows"),
        ("ivfpq", "structure/ends", far_apart, "its lists are not of its 400 rows"),
        ("ivfpq", "structure/codebook", put(0, np.inf), "its codebook hold what is no number"),
        ("flat", "ids/lengths", put(0, -1), "its ids are not as long as they say"),
        ("flat", "ids/lengths", put(0, 2**31 - 1), "its ids are not as long as they say"),
        ("flat", "lengths", put(3, np.nan), "its lengths are not of its rows"),
    ],
)
def test_numbers_that_lead_nowhere_are_refused(stored, tmp_path, kind, name, change, said):
    assert said in told(tmp_path / "x.index", with_array(stored[kind], name, change))


def test_a_graph_that_leads_from_a_level_to_a_node_below_is_refused(stored, tmp_path):
    arrays, description = taken_apart(stored["hnsw"])
    place = description["arrays"]["structure/levels"]
    levels = np.frombuffer(bytes(arrays), "<i4", 400, place["offset"])
    high, low = int(np.argmax(levels)), int(np.argmin(levels))
    assert (levels[high], levels[low]) > (1, 1)
    first = 16 * int((levels[:high] + 1).sum()) + 16 * 2  # its list on the second level
    broken = with_array(stored["hnsw"], "structure/neighbors", put(first, low))
    assert "leads from a level to a node below it" in told(tmp_path / "x.index", broken)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["arrays"]["rows"].update(shape=[400, 2**40]), "its 'rows' does not lie in it"),
        (lambda d: d["arrays"]["rows"].update(shape=[-400, -20]), "its 'rows' does not lie in it"),
        (lambda d: d["arrays"]["rows"].update(offset=0), "its 'rows' does not lie in it"),
        (lambda d: d["arrays"]["rows"].update(dtype="|O"), "its 'rows' does not lie in it"),
        (lambda d: d["arrays"].pop("ids"), "it has no ids"),
        (lambda d: d.update(sources=[{"file": "/etc/passwd", "layer": "", "size": 1, "changed": 1, "fingerprint": ""}]), "names a file of another machine"),
        (lambda d: d.update(kind="lsh"), "kind is 'lsh'"),
    ],
)  # fmt: skip
def test_descriptions_that_cannot_be_are_refused(stored, tmp_path, change, said):
    arrays, description = taken_apart(stored["flat"])
    change(description)
    assert said in told(tmp_path / "x.index", put_together(arrays, description))


def test_a_newer_one_says_what_to_type(stored, tmp_path):
    newer = put_together(*taken_apart(stored["flat"]), number=FORMAT + 1)
    said = told(tmp_path / "x.index", newer)
    assert said.endswith("has format 2; this penult reads up to 1; type: pip install --upgrade penult")  # fmt: skip


@pytest.mark.parametrize("left", [0, 3, 60, 64, 5000, -1])
def test_a_truncated_one_is_one_line(stored, tmp_path, left):
    content = stored["hnsw"][:left]
    path = tmp_path / "x.index"
    path.write_bytes(content)
    with pytest.raises(penult.IndexFileError, match=r"truncated|empty|not an index"):
        penult.Index.open(path)


def test_other_files_are_told_from_indexes(tmp_path):
    (tmp_path / "f.h5").write_bytes(b"\x89HDF\r\n\x1a\nxxxx")
    with pytest.raises(penult.WrongFileError, match=r"make one of it: penult\.index\("):
        penult.Index.open(tmp_path / "f.h5")
    (tmp_path / "t.txt").write_text("nothing")
    with pytest.raises(penult.WrongFileError, match="is not an index file"):
        penult.Index.open(tmp_path / "t.txt")
    with pytest.raises(penult.PathNotFoundError):
        penult.Index.open(tmp_path / "none.index")


def test_an_index_in_the_place_of_features_or_queries_is_told_to_be_one(stored, tmp_path):
    path = tmp_path / "x.index"
    path.write_bytes(stored["flat"])
    for asked in (penult.evaluate_search, penult.duplicates, penult.load):
        with pytest.raises(penult.WrongFileError, match="is an index, not a feature file"):
            asked(path)
    with pytest.raises(penult.UsageError, match="is an index, which is searched and not searched"):
        penult.search(path, path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("error")
def test_whatever_is_changed_it_is_searched_or_refused(stored, tmp_path, kind):
    draw, path = random.Random(kind), tmp_path / "x.index"
    for _ in range(150):
        arrays, description = taken_apart(stored[kind])
        how = draw.randrange(3)
        if how == 0:
            content = bytearray(stored[kind])
            for _ in range(draw.choice((1, 3, 30))):
                content[draw.randrange(len(content))] = draw.randrange(256)
        elif how == 1:
            where = draw.choice([description, *description["arrays"].values()])
            where[draw.choice(list(where))] = draw.choice(WILD)
            content = put_together(arrays, description)
        else:
            for _ in range(draw.choice((1, 3, 30))):
                arrays[draw.randrange(_HEAD.size, len(arrays))] = draw.choice((0, 1, 127, 128, 255))
            content = put_together(arrays, description)
        path.write_bytes(bytes(content))
        said = ""
        try:
            index = penult.Index.open(path)
            assert len(index.search(clustered()[:2], 5)) == 2
        except penult.PenultError as error:
            said = str(error)
        assert "\n" not in said


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("flat", lambda d: d["arrays"]["rows"].update(shape=[400 * 20]), "its rows are float32 of shape (8000,)"),
        ("flat", lambda d: d["arrays"]["lengths"].update(dtype="<i8"), "its lengths are int64 of shape (400,)"),
        ("hnsw", lambda d: d.update(space=None), "it does not say how it is searched"),
        ("hnsw", lambda d: d["effort"].update(visits=0), "it does not say how it is searched"),
        ("hnsw", lambda d: d["effort"].update(candidates=2**40), "it does not say how it is searched"),
        ("hnsw", lambda d: d["space"].update(scale=0.0), "its rows cannot be shortened as it says"),
        ("hnsw", lambda d: d["recall"].update(value=1.5), "its recall is no share"),
    ],
)  # fmt: skip
def test_what_would_be_searched_wrongly_is_refused(stored, tmp_path, kind, change, said):
    arrays, description = taken_apart(stored[kind])
    change(description)
    assert said in told(tmp_path / "x.index", put_together(arrays, description))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda whole: with_array(whole, "labels", put(0, 2)), "its labels are not of its rows"),
        (lambda whole: with_array(whole, "labels", put(0, -2)), "its labels are not of its rows"),
        (lambda whole: with_array(whole, "splits", put(0, ord("b"))), "a split 'brain'"),
        (lambda whole: with_names(whole, ["daisy", "daisy"]), "two labels have one name"),
    ],
)
def test_labels_and_splits_of_other_rows_are_refused(make_features, tmp_path, change, said):
    features = make_features({"daisy": 3, "rose": 3}, splits=["train"] * 6)
    penult.Index.of(features).save(tmp_path / "g.index")
    assert said in told(tmp_path / "x.index", change((tmp_path / "g.index").read_bytes()))


def with_names(whole, names):
    arrays, description = taken_apart(whole)
    description["beside"]["label_names"] = names
    return put_together(arrays, description)


def test_a_description_that_is_no_json_object_is_refused(stored, tmp_path):
    arrays, _ = taken_apart(stored["flat"])
    assert "its description is none" in told(tmp_path / "x.index", put_together(arrays, [1]))
