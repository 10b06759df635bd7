"""What an update says that it changed."""

import shutil

import numpy as np
import pytest
from PIL import Image

import penult
from penult.features.changes import changes_of, made_changes
from penult.records import AugmentedRecord, Changes, Failure, ImageRecord, Relabelled


def records(**labels):
    return [ImageRecord(name, open, labels=tuple(given)) for name, given in labels.items()]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param({"a": ["x"], "b": ["y"], "c": []}, Changes(), id="nothing"),
        pytest.param(
            {"a": ["x"], "c": [], "d": ["x"]},
            Changes(added=("d",), removed=("b",), classes_gone=("y",)),
            id="moved",
        ),
        pytest.param(
            {"c": ["x"], "b": [], "a": ["y"]},
            Changes(
                relabelled=(
                    Relabelled("a", ("x",), ("y",)),
                    Relabelled("b", ("y",), ()),
                    Relabelled("c", (), ("x",)),
                )
            ),
            id="relabelled",
        ),
        pytest.param(
            {"d": []},
            Changes(added=("d",), removed=("a", "b", "c"), classes_gone=("x", "y")),
            id="all others",
        ),
    ],
)
def test_ids_are_compared_whatever_their_order(make_features, now, expected):
    old = make_features({"x": 2, "y": 1}, ids=("a", "b", "c"), labels=np.array([0, 1, -1]))
    assert changes_of(old, records(**now)) == expected


def test_augmented_views_are_no_images_that_were_added(make_features):
    old = make_features({"x": 2, "y": 1}, ids=("a", "b", "c"), labels=np.array([0, 1, -1]))
    a, d = records(a=["y"], d=["x"])
    now = [AugmentedRecord(d, 1), a, AugmentedRecord(a, 1), d]
    relabelled = (Relabelled("a", ("x",), ("y",)),)
    assert changes_of(old, now) == Changes(added=("d",), removed=("b", "c"), relabelled=relabelled)


def test_what_failed_before_is_tried_again_and_is_not_added(make_features):
    failures = tuple(Failure(one, "cannot be read") for one in "bc")  # c is no longer there
    old = make_features({"x": 1}, ids=("a",), failures=failures)
    now = records(a=["x"], b=["x"], d=["x"])
    assert changes_of(old, now) == Changes(added=("d",), retried=("b",))


def test_what_only_a_table_of_labels_names_was_removed_and_is_added_when_it_comes(make_features):
    gone = Failure("b", "named in labels.csv, but there is no such image")
    both = make_features({"x": 2}, ids=("a", "b"), content=["1", "2"])
    one = make_features({"x": 1}, ids=("a",), content=["1"], failures=(gone,))
    assert made_changes(both, one) == Changes(removed=("b",))
    assert changes_of(one, records(a=["x"], b=["x"])) == Changes(added=("b",))


def test_several_labels_are_compared_as_a_set(make_features):
    targets = np.array([[True, True], [True, False]])
    old = make_features({"x": 1, "y": 1}, ids=("a", "b"), targets=targets)
    assert changes_of(old, records(a=["y", "x"], b=["x", "y"])) == Changes(
        relabelled=(Relabelled("b", ("x",), ("x", "y")),)
    )


def test_what_has_the_bytes_of_what_went_was_renamed_once_each(make_features):
    def rows(**content):
        return make_features({"x": len(content)}, ids=tuple(content), content=[*content.values()])

    old, new = rows(a="1", b="1", c="2", d="3", e=""), rows(d="3", f="1", g="2", h="2", i="3", j="")
    assert made_changes(old, new) == Changes(
        added=("h", "i", "j"), removed=("b", "e"), renamed=(("a", "f"), ("c", "g"))
    )


def test_what_was_renamed_is_relabelled_where_its_labels_are_others(make_features):
    def rows(ids, classes, labels):
        return make_features(classes, ids=tuple(ids), content=list("123"), labels=np.array(labels))

    old = rows("abc", {"x": 1, "y": 1}, [0, 1, -1])
    new = rows("def", {"y": 1, "z": 1}, [1, 0, -1])  # x is called z; y keeps its name
    assert made_changes(old, new) == Changes(
        relabelled=(Relabelled("d", ("x",), ("z",)),),
        classes_gone=("x",),
        renamed=(("a", "d"), ("b", "e"), ("c", "f")),
    )


def test_a_class_without_an_image_is_gone_whether_they_were_moved_relabelled_or_deleted(
    make_features,
):
    classes, labels = {"deleted": 1, "moved": 1, "stays": 1, "told": 1}, np.arange(4)
    old = make_features(classes, ids=tuple("abcd"), content=list("1234"), labels=labels)
    now = {"c": "stays", "d": "stays", "e": "stays"}  # e is b, in the folder of another class
    new = make_features({"stays": 3}, ids=tuple(now), content=list("342"))
    planned = changes_of(old, records(**{one: [label] for one, label in now.items()}))
    made = made_changes(old, new)
    assert planned.classes_gone == made.classes_gone == ("deleted", "moved", "told")
    assert (made.renamed, planned.removed) == ((("b", "e"),), ("a", "b"))
    assert made.relabelled[0] == planned.relabelled[0] == Relabelled("d", ("told",), ("stays",))


def test_of_several_labels_one_that_no_image_has_is_gone(make_features):
    old = make_features({"x": 1, "y": 1}, ids=("a",), targets=np.array([[True, True]]))
    new = make_features({"x": 1, "y": 0}, ids=("a",), targets=np.array([[True, False]]))
    assert changes_of(old, records(a=["x"])).classes_gone == ("y",)
    assert made_changes(old, new).classes_gone == ("y",)


def test_a_class_is_gone_where_its_images_were_removed_and_none_has_it_now(make_features):
    def rows(ids, classes, labels):
        return make_features(classes, ids=tuple(ids), content=[*ids], labels=np.array(labels))

    old = rows("abcd", {"x": 1, "y": 1, "z": 2}, [0, 1, 2, 2])
    new = rows("bd", {"y": 1, "x": 1}, [0, 1])  # z has another name now
    made = made_changes(old, new)
    assert (made.removed, made.classes_gone) == (("a", "c"), ("z",))
    assert made_changes(old, rows("abd", {"x": 1, "y": 1, "z": 1}, [0, 1, 2])).classes_gone == ()


def test_without_digests_nothing_is_known_to_be_renamed(make_features):
    old, new = make_features({"x": 1}, ids=("a",)), make_features({"x": 1}, ids=("b",))
    assert made_changes(old, new) == Changes(added=("b",), removed=("a",))


def test_other_bytes_by_the_same_id_are_told_where_both_are_known(make_features):
    def rows(**content):
        return make_features({"x": len(content)}, ids=tuple(content), content=[*content.values()])

    # b has the bytes that d had, c and e have no digest in one of both
    old, new = rows(a="1", b="2", c="", d="3", e="4"), rows(e="", d="5", c="6", b="3", a="1")
    assert made_changes(old, new) == Changes(changed=("b", "d"))
    unknown = make_features({"x": 5}, ids=tuple("abcde"))
    assert made_changes(old, unknown) == made_changes(unknown, new) == Changes()


def test_an_update_says_which_bytes_changed_computed_or_not(photos, toy, tmp_path):
    file, rose = tmp_path / "f.h5", photos / "rose"
    penult.extract(photos, file, model=toy)
    shutil.copy(photos / "daisy" / "daisy_01.jpg", rose / "rose_01.jpg")  # has a row already
    Image.new("RGB", (8, 8), "red").save(rose / "rose_02.jpg")
    changes = penult.extract(photos, file, model=toy, update=True).changes
    assert changes == Changes(changed=("rose/rose_01.jpg", "rose/rose_02.jpg"))


def test_an_image_that_can_no_longer_be_read_was_not_removed(photos, toy, tmp_path):
    file, rose = tmp_path / "f.h5", photos / "rose" / "rose_01.jpg"
    penult.extract(photos, file, model=toy)
    good = rose.read_bytes()
    rose.write_bytes(b"nonsense")
    table = tmp_path / "labels.csv"  # what has no row has no other label either
    table.write_text("path,label\nrose/rose_01.jpg,tulip\n")
    changes = penult.extract(photos, file, model=toy, update=True, labels=table).changes
    assert (changes.failed, changes.removed) == (("rose/rose_01.jpg",), ())
    assert (len(changes.relabelled), changes.changed) == (35, ())
    rose.write_bytes(good)
    changes = penult.extract(photos, file, model=toy, update=True, labels=table).changes
    assert changes == Changes(added=("rose/rose_01.jpg",))


def test_an_update_says_what_was_added_removed_and_relabelled(photos, toy, tmp_path):
    file = tmp_path / "f.h5"
    assert penult.extract(photos, file, model=toy).changes is None
    (photos / "tulip" / "tulip_12.jpg").unlink()
    (photos / "rose" / "rose_01.jpg").rename(photos / "tulip" / "rose_01.jpg")
    changes = penult.extract(photos, file, model=toy, update=True).changes
    assert changes == Changes(
        removed=("tulip/tulip_12.jpg",),
        relabelled=(Relabelled("tulip/rose_01.jpg", ("rose",), ("tulip",)),),
        renamed=(("rose/rose_01.jpg", "tulip/rose_01.jpg"),),
    )
    assert penult.extract(photos, file, model=toy, update=True).changes == Changes()
    table = tmp_path / "labels.csv"
    table.write_text("path,label\ndaisy/daisy_01.jpg,rose\n")
    changes = penult.extract(photos, file, model=toy, update=True, labels=table).changes
    assert len(changes.relabelled) == 35  # the others have no label now
    assert changes.relabelled[0] == Relabelled("daisy/daisy_01.jpg", ("daisy",), ("rose",))


def test_an_image_that_cannot_be_read_was_not_added(photos, toy, tmp_path):
    file = tmp_path / "f.h5"
    penult.extract(photos, file, model=toy)
    (photos / "rose" / "bad.jpg").write_bytes(b"nonsense")
    for _ in range(2):
        assert penult.extract(photos, file, model=toy, update=True).changes == Changes()
    planned = penult.plan(photos, file, model=toy, update=True)
    assert planned.changes == Changes(retried=("rose/bad.jpg",))
    assert "0 relabelled, 1 to be tried again" in repr(planned)


def test_many_changes_are_told_in_one_short_line():
    told = repr(Changes(added=tuple(f"{k:04}.jpg" for k in range(500)), removed=("x.jpg",)))
    assert told.startswith("Changes(added=('0000.jpg', ")
    assert told.endswith("removed=('x.jpg',))")
    assert len(told) < 300
