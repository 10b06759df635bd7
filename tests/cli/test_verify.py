"""`penult verify`, and `penult extract --dry-run` and `--weights`."""

from __future__ import annotations

import json
import shutil

import h5py
import pytest

pytestmark = pytest.mark.light


@pytest.fixture
def features(penult, photos, toy, tmp_path):
    path = tmp_path / "f.h5"
    assert penult("extract", photos, "-o", path, "-m", toy, "-l", "mean", "-l", "pixels", "-q").code == 0  # fmt: skip
    return path


def test_a_file_that_is_true_says_so_and_ends_well(penult, features):
    done = penult("verify", features, "--sample", 5, "-q")
    assert (done.code, done.err) == (0, "")
    assert "f.h5: verified; 5 of 36 rows compared, allowed relative error 0.0001" in done.out
    rows = [line.split()[0] for line in done.out.splitlines()[2:4]]
    assert rows == ["pixels", "mean"]


def test_a_file_that_lies_ends_with_1_and_names_the_row(penult, features):
    with h5py.File(features, "r+") as file:
        file["layers/mean"][7] += 0.1
    done = penult("verify", features, "--sample", 36, "-q")
    assert done.code == 1
    assert "NOT verified" in done.out
    assert "daisy/daisy_08.jpg" in done.out
    told = json.loads(penult("verify", features, "--sample", 36, "-q", "--json").out)
    assert (told["passed"], told["compared"]) == (False, 36)
    assert told["agreements"][1]["worst_error_id"] == "daisy/daisy_08.jpg"


def test_images_that_changed_or_went_away_are_listed(penult, features, photos):
    (photos / "rose" / "rose_01.jpg").unlink()
    (photos / "tulip" / "tulip_01.jpg").write_bytes((photos / "rose" / "rose_02.jpg").read_bytes())
    done = penult("verify", features, "--sample", 36, "-q")
    assert done.code == 1
    assert "rose/rose_01.jpg: is not there" in done.out
    assert "tulip/tulip_01.jpg: is another image than the row was made from" in done.out


def test_images_that_moved_are_said_with_an_option(penult, features, photos):
    moved = photos.rename(photos.parent / "moved")
    done = penult("verify", features)
    assert done.code == 2
    assert "--images" in done.err
    assert len(done.err.splitlines()) == 1
    assert penult("verify", features, "--images", moved, "-q").code == 0


def test_a_dry_run_says_what_would_be_and_writes_nothing(penult, photos, toy, tmp_path):
    asked = ("extract", photos, "-o", tmp_path / "f.h5", "-m", toy, "-l", "pixels", "--dry-run")
    done = penult(*asked)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[2].split() == ["pixels", "avg", "3", "3"]
    assert "would hold 36 float32 rows of toy:mean-colour, 3 classes, in about" in done.out
    told = json.loads(penult(*asked, "--json").out)
    assert (told["images"], told["layers"][0]["shape"]) == (36, [3])
    assert not (tmp_path / "f.h5").exists()


def test_a_dry_run_of_an_update_says_what_it_would_change(penult, photos, toy, tmp_path):
    features = tmp_path / "f.h5"
    asked = ("extract", photos, "-o", features, "-m", toy)
    assert penult(*asked, "-q").code == 0
    shutil.copy(photos / "rose" / "rose_01.jpg", photos / "rose" / "rose_99.jpg")
    (photos / "tulip").rename(photos / "tulips")
    before, refused = features.read_bytes(), penult(*asked, "--dry-run")
    assert (refused.code, "give --overwrite to replace it" in refused.err) == (2, True)
    assert penult(*asked, "--dry-run", "--overwrite").code == 0
    done = penult(*asked, "--update", "--dry-run")
    assert "would add 13, remove 12; which bytes have changed or" in done.out
    otherwise = (*asked, "--update", "--decode", "scaled", "--allow-truncated")
    refused = penult(*otherwise, "--dry-run")
    assert (refused.code, refused.err) == (penult(*otherwise).code, penult(*otherwise).err)
    assert "--decode: 'exact' then, 'scaled' now" in refused.err
    told = json.loads(penult(*asked, "--update", "--dry-run", "--json").out)["changes"]
    assert features.read_bytes() == before
    real = json.loads(penult(*asked, "--update", "--json", "-q").out)
    assert (len(told["added"]), len(told["removed"]), told["renamed"]) == (13, 12, [])
    changes = real["changes"]  # what has the same bytes was only renamed
    assert (changes["added"], changes["removed"]) == (["rose/rose_99.jpg"], [])
    names = [f"tulip_{k:02}.jpg" for k in range(1, 13)]
    assert changes["renamed"] == [[f"tulip/{name}", f"tulips/{name}"] for name in names]
    assert changes["relabelled"] == [
        {"id": f"tulips/{name}", "before": ["tulip"], "after": ["tulips"]} for name in names
    ]


def test_another_recipe_is_refused_before_the_network_is_converted(
    penult, photos, toy, tmp_path, monkeypatch
):
    asked = ("extract", photos, "-o", tmp_path / "f.h5", "-m", toy, "-q")
    assert penult(*asked).code == 0
    monkeypatch.setattr("penult.extractor.opened.open_engine", None)
    done = penult(*asked, "--update", "-l", "pixels")
    assert done.err.startswith(f"penult: {tmp_path / 'f.h5'} was made with another recipe than")


@pytest.mark.torch
def test_random_weights_are_said_aloud_and_stand_in_the_file(penult, photos, tmp_path):
    path = tmp_path / "f.h5"
    done = penult("extract", photos / "rose", "-o", path, "--weights", "random", "-q", "--engine", "torch")  # fmt: skip
    assert done.code == 0
    assert (
        done.err == "penult: RANDOM WEIGHTS: the network is untrained, and its rows mean nothing\n"
    )
    assert json.loads(penult("info", path, "--json").out)["recipe"]["weights"] == "random"


@pytest.mark.torch
def test_weights_that_are_not_there_are_one_line(penult, photos, tmp_path):
    done = penult("extract", photos, "-o", tmp_path / "f.h5", "--weights", tmp_path / "none.pth")
    assert done.code == 2
    assert f"no such file: {tmp_path / 'none.pth'}" in done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--weights", "randon"],
            "there is no weights file randon; did you mean --weights random?",
        ),
        (["-l", "mean,logits"], "of several, each has its own: --layer mean --layer logits"),
        (["-l", "all"], "(--layer '*' takes all; "),
    ],
)
def test_what_is_nearly_right_is_answered_with_what_is(
    penult, photos, toy, tmp_path, options, said
):
    done = penult("extract", photos, "-o", tmp_path / "f.h5", "-m", toy, *options)
    assert (done.code, said in done.err) == (2, True), done


def test_an_architecture_goes_with_a_file(penult, photos, toy, tmp_path):
    done = penult("extract", photos, "-o", tmp_path / "f.h5", "-m", toy, "--architecture", "vgg16")
    assert done.code == 2
    assert "--architecture vgg16 goes with --model FILE" in done.err
