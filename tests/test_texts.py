"""Names of files as text: none is lost, and none is taken for another."""

import json
import os
import pickle
import re

import pytest

from penult import extract, load
from penult.texts import FileNames, Texts, without_loss


def told_again(text):
    """As docs/scripts.md says."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), os.fsencode(text))


NAMES = [b"a.jpg", "ü\U0001f339.jpg".encode(), b"\xff.jpg", rb"\xff.jpg", rb"\\xff.jpg", rb"\x5cxff.jpg",
         rb"\x5c\x5c.jpg", b"\\\xff\\x5\\x.jpg", rb"\xFF.jpg"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_can_be_told_from_its_text(name):
    assert told_again(without_loss(name)) == name


def test_ordinary_names_are_what_they_are():
    for name in ("a.jpg", "ü🌹.jpg", r"a\b.jpg", r"a\x.jpg", r"\xFF.jpg"):
        assert without_loss(name.encode()) == name


def test_no_two_names_have_the_same_text():
    names = FileNames()
    for name in NAMES:
        names.append(name)
    assert len(set(names)) == len(NAMES)
    assert [names.raw(k) for k in range(len(NAMES))] == NAMES


def test_photos_whose_names_are_no_text_are_found_again_by_their_ids(photos, toy, tmp_path):
    image = (photos / "rose" / "rose_01.jpg").read_bytes()
    folder = tmp_path / "odd"
    folder.mkdir()
    there = {b"bad\xff.jpg", rb"bad\xff.jpg", b"-dash.jpg"}
    for name in there:
        (folder / os.fsdecode(name)).write_bytes(image)
    features = extract(folder, tmp_path / "f.h5", model=toy)
    assert {told_again(image_id) for image_id in features.ids} == there
    assert list(load(tmp_path / "f.h5").ids) == list(features.ids) == sorted(features.ids)
    assert {told_again(json.loads(json.dumps(one))) for one in features.ids} == there


@pytest.mark.parametrize("kept", [None, []], ids=["in the pickle", "shared"])
def test_texts_that_were_unpickled_grow_and_leave_alone_what_others_share(kept):
    texts = Texts.of(b"ab", [1, 1])
    data = pickle.dumps(texts, protocol=5, buffer_callback=None if kept is None else kept.append)
    one, another = (pickle.loads(data, buffers=kept) for _ in range(2))
    third = Texts.of(b"x", [1])
    third.extend(one)
    one.append(b"c")
    another.extend(Texts.of(b"de", [1, 1]))
    assert list(third) == ["x", "a", "b"]
    assert list(one) == ["a", "b", "c"]
    assert list(another) == ["a", "b", "d", "e"]
    assert list(pickle.loads(data, buffers=kept)) == ["a", "b"]


def test_texts_are_shown_by_the_first_few_and_count_as_a_sequence():
    texts = Texts.of(b"abcd", [1, 1, 1, 1])
    assert repr(texts) == "<4 texts: 'a', 'b', 'c', …>"
    assert texts == ["a", "b", "c", "d"]
    assert texts != "abcd"
    assert texts[-1] == "d"
    with pytest.raises(IndexError, match="text 4 of 4"):
        texts[4]
