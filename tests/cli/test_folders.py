"""What is said of folders: which are splits, and which files in them are no photos."""

from __future__ import annotations

import json
import logging
import shutil

import pytest

from penult.classify.loading import load_classifier
from penult.features.read import load

QUICK = ("--grid", "C=100", "-q")
PASSED_OVER = (
    "4 other files passed over: 2 .cr3, 1 .mp4, 1 .nef; the raw photos in .cr3 and .nef are not "
    "read, save them as .jpg"
)


@pytest.fixture
def extract(penult, toy, tmp_path):
    """`extract(folder)` gives what was printed, and the feature file."""

    def run(*arguments):
        path = tmp_path / "features.h5"
        done = penult("extract", *arguments, "-o", path, "--model", toy, "-q", "--overwrite")
        assert done.code == 0, done
        return done, path

    return run


@pytest.fixture
def classifier(photos, toy, tmp_path, extracted, trained):
    path = tmp_path / "flowers.skops"
    extracted(photos, tmp_path / "features.h5", toy)
    trained(tmp_path / "features.h5", path, grid={"C": [100]})
    return path


@pytest.fixture
def phone(photos):
    """Photos, and what else comes out of a camera."""
    for name in ("daisy/a.cr3", "b.CR3", "c.mp4", "d.nef"):
        (photos / name).write_bytes(b"no image that is read here")
    return photos


@pytest.fixture
def beside(photos):
    (photos / "tulip").rename(photos / "train")
    return photos


def test_a_class_called_train_is_one_and_the_option_decides_otherwise(penult, extract, beside):
    done, path = extract(beside)
    said = "taken for a class, not for a split: train/; images lie directly in it, beside other "
    assert said in done.out
    assert "--splits folders decides otherwise" in done.out
    features = load(path)
    assert features.label_names == ("daisy", "rose", "train")
    assert features.splits is None
    assert features.origin["split_folders"] == [{"folder": "train", "split": None, "unlabelled": 0}]
    assert said in penult("info", path).out

    done, path = extract(beside, "--splits", "folders", "--json")
    assert [one["label"] for one in json.loads(done.out)["classes"]] == ["daisy", "rose"]
    assert json.loads(done.out)["split_folders"][0] == {
        "folder": "train", "split": "train", "unlabelled": 12,
    }  # fmt: skip
    assert load(path).splits[-1] == "train"


def test_a_dry_run_says_what_would_be_decided(penult, toy, phone, tmp_path):
    (phone / "tulip").rename(phone / "val")
    call = ("extract", phone, "-o", tmp_path / "f.h5", "--model", toy, "--dry-run")
    done = penult(*call)
    assert "3 classes" in done.out
    assert PASSED_OVER in done.out
    assert "taken for a class, not for a split: val/" in done.out
    told = json.loads(penult(*call, "--splits", "folders", "--json").out)
    assert told["classes"] == [{"label": "daisy", "images": 12}, {"label": "rose", "images": 12}]
    assert told["split_folders"][0]["split"] == "validation"


def test_an_update_decides_by_what_is_there_then(penult, extract, toy, beside):
    extract(beside)
    (beside / "train" / "tram").mkdir()
    shutil.copy(beside / "train" / "tulip_01.jpg", beside / "train" / "tram" / "1.jpg")
    path = beside.parent / "features.h5"
    done = penult("extract", beside, "-o", path, "--model", toy, "-q", "--update")
    assert "taken for a split: train/; 12 images directly in such a folder" in done.out
    assert load(path).label_names == ("daisy", "rose", "tram")


def test_evaluate_takes_labels_by_the_same_rule(penult, classifier, beside):
    done = penult("evaluate", classifier, beside, "-q")
    assert "never seen in training, and in no score: train, 12 images" in done.out
    assert "taken for a class, not for a split: train/" in done.out
    done = penult("evaluate", classifier, beside, "-q", "--splits", "folders")
    assert "12 images have no label" in done.out


@pytest.mark.parametrize("style", [[], ["--csv"], ["--json"]])
def test_predict_says_what_it_passed_over_and_keeps_its_output_clean(
    penult, classifier, phone, style
):
    done = penult("predict", classifier, phone, "-q", *style)
    assert done.code == 0
    assert done.err == PASSED_OVER + "\n"
    assert "cr3" not in done.out
    assert len(done.out.splitlines()) == 36 + (style == ["--csv"])


def test_predict_to_a_file_counts_them_in_its_summary(penult, classifier, phone, tmp_path):
    done = penult("predict", classifier, phone, "-q", "-o", tmp_path / "p.csv", "--json")
    assert json.loads(done.out)["passed_over"] == {".cr3": 2, ".mp4": 1, ".nef": 1}
    assert PASSED_OVER in done.err


def test_a_program_that_predicts_is_told_in_the_log_or_by_a_call(classifier, phone, toy, caplog):
    model = load_classifier(classifier)
    with caplog.at_level(logging.WARNING):
        assert len(model.predict(phone)) == 36
    assert caplog.messages == [PASSED_OVER]
    caplog.clear()
    told = []
    model.predict(phone, on_listing=told.append)
    assert told == [{"passed_over": {".cr3": 2, ".mp4": 1, ".nef": 1}, "left_out": {}}]
    assert caplog.messages == []


@pytest.mark.usefixtures("without_looks")
def test_evaluate_and_report_say_it_too(penult, classifier, phone, toy, tmp_path):
    assert PASSED_OVER in penult("evaluate", classifier, phone, "-q").out
    told = json.loads(penult("evaluate", classifier, phone, "-q", "--json").out)
    assert told["passed_over"][".cr3"] == 2
    call = ("report", phone, "-o", tmp_path / "r", "--model", toy, "-q", "--no-curve")
    told = json.loads(penult(*call, "--no-label-errors", "--json").out)
    assert told["passed_over"][".nef"] == 1


def test_a_folder_of_other_photos_alone_says_what_to_do(penult, classifier, tmp_path):
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "a.cr3").touch()
    done = penult("predict", classifier, tmp_path / "phone")
    assert done.code == 1
    assert "the raw photos in .cr3 are not read, save them as .jpg" in done.err


@pytest.mark.usefixtures("without_looks")
def test_a_report_inside_its_images_is_none_of_them(penult, toy, photos):
    call = ("--model", toy, "-q", "--no-curve", "--no-label-errors")
    for name, said in (
        ("report", None),
        ("report", "left out, for penult wrote them: 1 file in report/"),
        ("again", "left out, for penult wrote them: 1 file in report/"),
    ):
        done = penult("report", photos, "-o", photos / name, *call, "--overwrite")
        assert done.code == 0, done
        assert "accuracy" in done.out
        assert load(photos / name / "features.h5").label_names == ("daisy", "rose", "tulip")
        assert len(load(photos / name / "features.h5")) == 36
        assert said is None or said in done.out
    page = (photos / "again" / "index.html").read_text("utf-8")
    assert "Left out, for penult wrote them: 1 file in report/" in page


@pytest.mark.usefixtures("without_looks")
def test_a_report_decides_and_shows_it(penult, toy, beside, tmp_path):
    call = ("--model", toy, "-q", "--no-curve", "--no-label-errors", "--overwrite")
    done = penult("report", beside, "-o", tmp_path / "r", *call)
    assert "taken for a class, not for a split: train/" in done.out
    page = (tmp_path / "r/index.html").read_text("utf-8")
    assert "Taken for a class, not for a split: train/" in page
    assert "--splits" not in page.partition("penult extract")[2].partition("</")[0]
    done = penult("report", beside, "-o", tmp_path / "n", *call, "--splits", "none")
    assert "--splits none" in (tmp_path / "n/index.html").read_text("utf-8").partition("penult extract")[2].partition("</")[0]  # fmt: skip
    done = penult("report", tmp_path / "r/features.h5", "-o", tmp_path / "f", "--splits", "none")
    assert done.code == 2
    assert "is a feature file" in done.err


@pytest.mark.parametrize("where", [".", "daisy", "results"])
def test_results_and_what_a_network_sees_are_no_photos(
    penult, extract, classifier, photos, toy, where
):
    folder = photos / where
    features = photos.parent / "features.h5"
    out = photos.parent / "x.skops"
    assert penult("train", features, "-o", out, *QUICK, "--results", folder).code == 0
    seen = ("show-input", toy, photos / "daisy/daisy_01.jpg", "-o", folder / "seen.png")
    assert penult(*seen).code == 0
    done, path = extract(photos)
    assert len(load(path)) == 36
    shown = "photos" if where == "." else where
    assert f"left out, for penult wrote them: 2 files in {shown}/" in done.out


@pytest.mark.parametrize("mode", ["copy", "hardlink", "symlink"])
def test_sorted_copies_among_the_photos_are_left_out_and_read_by_themselves(
    penult, extract, classifier, photos, mode
):
    call = ("predict", classifier, photos, "-q", "--copy-mode", mode, "--copy-to")
    assert penult(*call, photos / "sorted").code == 0
    done = penult(*call, photos / "sorted 2")
    assert "left out, for penult wrote them: 36 copies in sorted/" in done.err
    done, path = extract(photos)
    assert "36 copies in sorted 2/, 36 copies in sorted/; copies are read where" in done.out
    assert len(load(path)) == 36
    done, path = extract(photos / "sorted")
    assert len(load(path)) == 36
    assert "left out" not in done.out


def test_copies_put_among_photos_of_ones_own_hide_none_of_them(
    penult, extract, classifier, photos, tmp_path
):
    new = tmp_path / "new"
    new.mkdir()
    shutil.copy(photos / "rose/rose_01.jpg", new / "rose_99.jpg")
    assert penult("predict", classifier, new, "-q", "--copy-to", photos).code == 0
    done, path = extract(photos)
    assert len(load(path)) == 37
    assert "left out" not in done.out


def test_photos_that_a_list_names_are_not_sorted_into_the_folder_that_they_lie_in(
    penult, classifier, photos
):
    (photos / "list.csv").write_text("path\ndaisy/daisy_01.jpg\nrose/rose_01.jpg\n")
    done = penult("predict", classifier, photos / "list.csv", "-q", "--copy-to", photos / "daisy")
    assert (done.code, done.out) == (2, "")
    assert f"{photos}/daisy lies in {photos}/daisy, where the photos are to be" in done.err


def test_an_update_says_what_it_removed(penult, photos, toy, tmp_path):
    call = ("extract", photos, "-o", tmp_path / "f.h5", "--model", toy, "-q")
    assert penult(*call).code == 0
    for number in range(1, 5):
        (photos / "tulip" / f"tulip_{number:02}.jpg").unlink()
    done = penult(*call, "--update")
    assert (
        "removed: 4 images, tulip/tulip_01.jpg, tulip/tulip_02.jpg, tulip/tulip_03.jpg and 1 more\n"
        in done.out
    )
    assert "added" not in done.out
    (photos / "rose" / "rose_01.jpg").unlink()
    told = json.loads(penult(*call, "--update", "--json").out)
    assert told["changes"] == {
        "added": [], "removed": ["rose/rose_01.jpg"], "failed": [], "changed": [],
        "relabelled": [], "classes_gone": [], "renamed": [], "retried": [],
    }  # fmt: skip
    (photos / "rose" / "rose_02.jpg").rename(photos / "rose" / "new.jpg")
    assert "would add 1, remove 1; " in penult(*call, "--update", "--dry-run").out
    done = penult(*call, "--update")
    assert "renamed: 1 image, rose/rose_02.jpg to rose/new.jpg\n" in done.out
    assert "removed" not in done.out
    shutil.copy(photos / "daisy" / "daisy_01.jpg", photos / "rose" / "rose_03.jpg")
    assert "changed: 1 image, rose/rose_03.jpg\n" in penult(*call, "--update").out
    assert "\nnothing has changed\n" in penult(*call, "--update").out


def test_an_update_tells_classes_that_were_renamed_or_are_gone(penult, photos, toy, tmp_path):
    call = ("extract", photos, "-o", tmp_path / "f.h5", "--model", toy, "-q", "--update")
    assert penult(*call).code == 0
    (photos / "rose" / "rose_01.jpg").write_bytes(b"no image")
    (photos / "daisy").rename(photos / "marguerite")
    shutil.rmtree(photos / "tulip")
    gone = "\ngone: 2 classes, daisy, tulip\n"
    assert gone in penult(*call, "--dry-run").out
    told = penult(*call).out
    assert "can no longer be read: 1 image, rose/rose_01.jpg\n" in told
    assert (
        "relabelled: 12 images, daisy to marguerite: marguerite/daisy_01.jpg, "
        "marguerite/daisy_02.jpg, marguerite/daisy_03.jpg and 9 more" + gone in told
    )
    (photos / "marguerite").rename(photos / "aster")
    for number in (2, 3):
        photo = photos / "rose" / f"rose_{number:02}.jpg"
        photo.rename(photos / "aster" / photo.name)
    assert (
        "relabelled: 14 images, marguerite to aster (12), rose to aster (2)\n"
        "gone: 1 class, marguerite\n" in penult(*call).out
    )


def test_a_dry_run_of_an_update_counts_no_row_of_what_failed_before(penult, photos, toy, tmp_path):
    call = ("extract", photos, "-o", tmp_path / "f.h5", "--model", toy, "-q")
    (photos / "rose" / "bad.jpg").write_bytes(b"no image")
    assert penult(*call).code == 0
    done = penult(*call, "--update", "--dry-run")
    assert "would hold 36 float32 rows of toy:mean-colour, " in done.out
    assert "would add 0, remove 0; " in done.out
    assert (
        "would try 1 failed image again, rose/bad.jpg: counted in the size and the classes, not in "
        "the rows\n" in done.out
    )
    assert "added" not in done.out


def test_an_update_counts_a_copy_among_those_whose_bytes_had_rows(penult, photos, toy, tmp_path):
    call = ("extract", photos, "-o", tmp_path / "f.h5", "--model", toy, "-q")
    assert penult(*call).code == 0
    shutil.copy(photos / "rose/rose_01.jpg", photos / "rose/rose_99.jpg")
    done = penult(*call, "--update")
    assert "added: 1 image, rose/rose_99.jpg\n" in done.out
    assert "0 of 37 images computed now; the bytes of 37 had rows before\n" in done.out
