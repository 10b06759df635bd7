"""Folders called train, test and so on: splits, or classes of that name."""

from __future__ import annotations

import io
import tarfile

import pytest

from penult.errors import UnknownNameError
from penult.images.labels.annotations import SPLITS
from penult.images.listing import list_images
from penult.images.notes import listing_messages


def pack(path, *names, text="bus"):
    """Write an archive of files that all hold `text`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def known(listing):
    return {r.id: (*r.labels, r.split) for r in listing.records}


def taken(listing):
    return {one.folder: one.split for one in listing.split_folders}


@pytest.mark.parametrize("name", [*SPLITS, "Train", "TEST"])
def test_a_folder_of_images_beside_classes_is_a_class(tree, name):
    listing = list_images([tree("bus/1.jpg", "car/1.jpg", f"{name}/1.jpg")])
    assert known(listing)[f"{name}/1.jpg"] == (name, None)
    assert taken(listing) == {name: None}


def test_a_folder_that_holds_classes_is_a_split_even_beside_classes(tree):
    listing = list_images([tree("extra/1.jpg", "train/daisy/1.jpg", "train/2.jpg", "train/3.jpg")])
    assert known(listing) == {
        "extra/1.jpg": ("extra", None),
        "train/2.jpg": ("train",),
        "train/3.jpg": ("train",),
        "train/daisy/1.jpg": ("daisy", "train"),
    }
    (train,) = listing.split_folders
    assert (train.folder, train.split, train.unlabelled) == ("train", "train", 2)


def test_an_unlabelled_test_set_beside_a_training_set_is_a_split(tree):
    listing = list_images(
        [tree("sample/1.jpg", "test/7.jpg", "train/cat/1.jpg", "train/dog/1.jpg")]
    )
    assert known(listing)["test/7.jpg"] == ("test",)
    assert taken(listing) == {"test": "test", "train": "train"}


def test_splits_of_unlabelled_images_alone_are_splits(tree):
    listing = list_images([tree("test/7.jpg", "train/1.jpg", "train/2.jpg", "3.jpg")])
    assert known(listing) == {
        "3.jpg": (None,),
        "test/7.jpg": ("test",),
        "train/1.jpg": ("train",),
        "train/2.jpg": ("train",),
    }
    assert [one.unlabelled for one in listing.split_folders] == [1, 2]


def test_with_labels_from_names_or_a_table_it_is_a_split_again(tree):
    root = tree("cats/cat.3.jpg", "train/cat.1.jpg", "test/7.jpg")
    by_name = list_images([root], label_pattern=r"(?P<label>[a-z]+)\.\d+")
    assert known(by_name) == {
        "cats/cat.3.jpg": ("cat", None),
        "test/7.jpg": ("test",),
        "train/cat.1.jpg": ("cat", "train"),
    }
    (root / "labels.csv").write_text("path,label\ntrain/cat.1.jpg,tom\ntest/7.jpg,\n")
    by_table = list_images([root], labels=root / "labels.csv")
    assert known(by_table) == {
        "cats/cat.3.jpg": (None,),
        "test/7.jpg": ("test",),
        "train/cat.1.jpg": ("tom", "train"),
    }
    assert known(list_images([root], labels="none"))["train/cat.1.jpg"] == ("train",)


def test_one_may_decide_otherwise(tree):
    root = tree("bus/1.jpg", "train/1.jpg")
    assert known(list_images([root], splits="folders"))["train/1.jpg"] == ("train",)
    assert taken(list_images([root], splits="folders")) == {"train": "train"}
    nested = tree("n/test/daisy/1.jpg", "n/test/2.jpg") / "n"
    listing = list_images([nested], splits="none")
    assert known(listing) == {"test/2.jpg": ("test", None), "test/daisy/1.jpg": ("daisy", None)}
    assert taken(listing) == {"test": None}
    with pytest.raises(UnknownNameError, match=r"splits.*'yes'.*auto, folders, none"):
        list_images([root], splits="yes")


def test_several_sources_are_classes_or_splits_by_the_same_rule(tree):
    root = tree("bus/1.jpg", "car/1.jpg", "train/1.jpg", "n/train/daisy/1.jpg", "n/test/2.jpg")
    classes = list_images([root / name for name in ("train", "bus", "car")])
    assert known(classes)["train/1.jpg"] == ("train", None)
    assert taken(classes) == {"train": None}
    splits = list_images([root / "n/train", root / "n/test", root / "bus"])
    assert known(splits) == {
        "bus/1.jpg": ("bus", None),
        "test/2.jpg": ("test",),
        "train/daisy/1.jpg": ("daisy", "train"),
    }
    assert known(list_images([root / "n/train"])) == {"daisy/1.jpg": ("daisy", None)}


def test_each_source_is_a_tree_of_its_own(tree):
    root = tree("a/train/daisy/1.jpg", "b/bus/1.jpg", "b/train/1.jpg", "c/val/1.jpg", "c/2.jpg")
    listing = list_images([root / name for name in "abc"])
    assert taken(listing) == {"a/train": "train", "b/train": None, "c/val": None}
    assert known(listing)["b/train/1.jpg"] == ("train", None)


def test_it_is_decided_over_all_the_archives(tmp_path):
    first = pack(tmp_path / "a.tar", "train/1.jpg")
    second = pack(tmp_path / "b.tar", "bus/1.jpg")
    assert taken(list_images([first])) == {"train": "train"}
    for sources in ([first, second], [tmp_path]):
        listing = list_images(sources)
        assert [r.labels for r in listing.records] == [("train",), ("bus",)]
        assert {r.split for r in listing.records} == {None}


def test_labels_beside_the_images_of_an_archive_leave_the_folder_to_be_a_split(tmp_path):
    archive = pack(tmp_path / "v.tar", "bus/1.jpg", "train/1.jpg", "train/1.cls", text="tram")
    assert known(list_images([archive])) == {
        "bus/1.jpg": ("bus", None),
        "train/1.jpg": ("tram", "train"),
    }


def test_archives_may_lie_in_folders_that_are_classes(tmp_path):
    for name in ("bus", "car", "train"):
        pack(tmp_path / f"v/{name}/0.tar", "1.jpg")
    listing = list_images([tmp_path / "v"])
    assert [(r.labels, r.split) for r in listing.records] == [
        (("bus",), None),
        (("car",), None),
        (("train",), None),
    ]


def test_none_takes_no_name_of_a_list_or_archive_for_a_split_either(tmp_path):
    shard = pack(tmp_path / "flowers-test-0.tar", "daisy/1.jpg")
    (tmp_path / "val.csv").write_text("path,label\n1.jpg,a\n")
    for source in (shard, tmp_path / "val.csv"):
        assert list_images([source]).records[0].split
        assert list_images([source], splits="none").records[0].split is None


def test_in_a_list_the_folders_in_the_paths_count_but_a_column_comes_first(tmp_path):
    file = tmp_path / "list.csv"
    file.write_text("path\nbus/1.jpg\ncar/1.jpg\ntrain/1.jpg\n")
    assert known(list_images([file]))["train/1.jpg"] == ("train", None)
    file.write_text("path,label,split\nbus/1.jpg,a,test\ntrain/1.jpg,b,\ntrain/2.jpg,c,val\n")
    assert known(list_images([file])) == {
        "bus/1.jpg": ("a", "test"),
        "train/1.jpg": ("b", "train"),
        "train/2.jpg": ("c", "validation"),
    }


def test_groups_are_kept_whatever_is_decided(tmp_path):
    file = tmp_path / "list.csv"
    file.write_text("path,group\nbus/1.jpg,g1\ntrain/1.jpg,g2\ntrain/2.jpg,\n")
    listing = list_images([file])
    assert [(r.labels, r.group) for r in listing.records] == [
        (("bus",), "g1"),
        (("train",), "g2"),
        (("train",), None),
    ]


@pytest.mark.parametrize(
    ("paths", "splits", "said"),
    [
        (
            ["bus/1.jpg", "train/1.jpg"],
            "auto",
            "taken for a class, not for a split: train/; images lie directly in it, beside other "
            "classes; splits='folders' decides otherwise",
        ),
        (
            ["test/1.jpg", "train/a/1.jpg"],
            "auto",
            "taken for a split: test/, train/; 1 image directly in such a folder has no label; "
            "splits='none' decides otherwise",
        ),
        (["a/1.jpg", "train/a/1.jpg"], "folders", "taken for a split: train/; splits='folders'"),
        (
            ["a/1.jpg", "val/a/1.jpg"],
            "none",
            "taken for a class, not for a split: val/; splits='none'",
        ),
    ],
)
def test_what_was_decided_is_said_in_one_line(tree, paths, splits, said):
    listing = list_images([tree(*paths)], splits=splits)
    assert listing_messages({**listing.notes, "splits": splits}) == [said]


def test_where_there_is_no_such_folder_nothing_is_said(tree):
    listing = list_images([tree("daisy/test/1.jpg", "training/1.jpg")])
    assert listing.split_folders == ()
    assert listing_messages(listing.notes) == []


def test_of_many_folders_the_first_are_named(tree):
    root = tree(*(f"{k}/train/a/1.jpg" for k in range(7)))
    (line,) = listing_messages(list_images([root / str(k) for k in range(7)]).notes)
    assert "split: 0/train/, 1/train/, 2/train/, 3/train/, 4/train/, 2 more;" in line
