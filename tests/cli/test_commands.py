"""The commands, from a folder of photos to predictions, and what they say of bad input."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from penult import load
from penult.cli.training import parse_grid
from penult.images.notes import log_failures

pytestmark = pytest.mark.light


@pytest.fixture
def features(photos, toy, tmp_path, extracted):
    extracted(photos, tmp_path / "features.h5", toy)
    return tmp_path / "features.h5"


@pytest.fixture
def classifier(features, tmp_path, trained):
    trained(features, tmp_path / "flowers.skops")
    return tmp_path / "flowers.skops"


def test_extract_says_what_it_made_and_progress_goes_to_stderr(penult, photos, toy, tmp_path):
    done = penult("extract", photos, "-o", tmp_path / "f.h5", "--model", toy)
    assert done.code == 0
    assert "36 rows of 3 float32, 3 classes, from toy:mean-colour (penultimate)" in done.out
    assert "36 of 36 images" in done.err
    assert "\x1b" not in done.out + done.err


def test_extract_lists_failures_and_files_passed_over(penult, photos, toy, tmp_path):
    (photos / "rose" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    (photos / "readme.txt").touch()
    done = penult("extract", photos, "-o", tmp_path / "f.h5", "--model", toy, "-q")
    assert done.err == ""
    assert "1 of 37 images could not be read:\n  rose/broken.jpg: " in done.out
    assert "1 other file passed over: 1 .txt" in done.out


def test_extract_tells_what_a_table_names_and_is_not_there_from_what_cannot_be_read(
    penult, photos, toy, tmp_path, caplog
):
    (photos / "rose" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    table = tmp_path / "labels.csv"
    table.write_text("path,label\nrose/rose_01.jpg,rose\nrose/gone.jpg,rose\n")
    done = penult("extract", photos, "-o", tmp_path / "f.h5", "-m", toy, "--labels", table)
    assert "37 of 37 images, 1 failed" in done.err
    assert "1 of 37 images could not be read:\n  rose/broken.jpg: " in done.out
    assert (
        "\n1 image of the table of labels is not there:\n  rose/gone.jpg: named in labels.csv, but "
        "there is no such image\n"
    ) in done.out
    log_failures(load(tmp_path / "f.h5").failures, total=38)
    unread, missing = caplog.messages
    assert unread.startswith("1 of 37 images could not be read, and is in .failures")
    assert missing.startswith("1 image of the table of labels is not there, and is in .failures of")


def test_extract_json_is_one_object(penult, photos, toy, tmp_path):
    done = penult("extract", photos, "-o", tmp_path / "f.h5", "--model", toy, "-q", "--json")
    told = json.loads(done.out)
    assert (told["rows"], told["shape"], told["failures"]) == (36, [36, 3], [])
    assert told["classes"] == [
        {"label": label, "images": 12} for label in ("daisy", "rose", "tulip")
    ]


def test_train_prints_the_report_and_what_was_chosen(penult, features, tmp_path):
    done = penult("train", features, "-o", tmp_path / "c.skops")
    assert done.code == 0
    assert re.search(r"class +precision +recall +F1 +support", done.out)
    assert re.search(r"daisy +1\.000 +1\.000 +1\.000 +3", done.out)
    assert "accuracy 100% on 9 images (25% held out, stratified, seed 0)" in done.out
    assert re.search(r"logistic, C=\S+: the best of 6 by 3-fold cross-validation", done.out)


def test_train_compares_classifiers_over_their_grids_and_over_seeds(penult, features, tmp_path):
    done = penult(
        "train", features, "-o", tmp_path / "c.skops", "--classifier", "centroid",
        "--classifier", "knn", "--grid", "n_neighbors=1,3", "--runs", 2, "-q",
    )  # fmt: skip
    assert done.code == 0, done
    assert re.search(r"classifier +best +accuracy", done.out)
    assert re.search(r"knn +n_neighbors=1 ", done.out)
    assert "2 runs, seeds 0 to 1: accuracy 100% ± 0.0" in done.out


def test_photos_without_labels_say_how_they_get_some(penult, photos, toy, tmp_path):
    out = tmp_path / "f.h5"
    done = penult("extract", *photos.glob("daisy/*"), "-o", out, "--model", toy, "-q", "--labels", "none")  # fmt: skip
    assert "no labels" not in done.out  # as was asked for
    done = penult("extract", photos / "daisy", "-o", out, "--model", toy, "-q", "--overwrite")
    assert "no labels: put photos in one folder a class, or give --labels FILE.csv" in done.out


def test_a_list_whose_photos_are_elsewhere_says_where_it_looked(penult, photos, toy, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("path,label\ndaisy/none.jpg,daisy\n")
    done = penult("extract", table, "-o", tmp_path / "f.h5", "--model", toy, "-q")
    assert f"(looked for {tmp_path / 'daisy' / 'none.jpg'})" in done.err
    assert done.err.strip().endswith(f"type: penult extract FOLDER --labels {table}")


def test_the_values_of_a_grid_given_twice_are_all_tried():
    assert parse_grid(["C=0.1,1", "n_neighbors=3", "C=10,1"]) == {
        "C": [0.1, 1, 10],
        "n_neighbors": [3],
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--classifier", "svn"], "did you mean svm"),
        (["--grid", "C"], "--grid C=0.1,1,10"),
        (["--grid", "C=1,"], "is not NAME=V1,V2,…; for example --grid C=0.1,1,10"),
        (["--grid", "C=[0.1, 1]"], "--grid 'C=[0.1, 1]' has brackets; write C=0.1,1"),
        (["--grid", "n_estimators=10"], "n_estimators is of forest, not of logistic; add --cla"),
        (["--grid", "gamma=1"], "unknown parameter 'gamma' of logistic"),
        (["--grid", "C=inf"], "C=inf; give a number from 1e-12 to 1e+12"),
        (["--grid", "C=1,1e300"], "C=1e+300; give a number from"),
        (["--classifier", "ridge", "--grid", "alpha=0"], "alpha=0; give a number from"),
        (["--classifier", "centroid", "--grid", "C=1"], "centroid has no parameter"),
        (["--seed", "-1"], "give a whole number from 0 to 4,294,967,295"),
        (["--seed", "4294967295", "--runs", "2"], "seed is 4294967296"),
    ],
)
def test_train_refuses_what_it_does_not_know(penult, features, tmp_path, options, message):
    done = penult("train", features, "-o", tmp_path / "c.skops", *options)
    assert done.code == 2
    assert message in done.err
    assert not (tmp_path / "c.skops").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pooling", "move"], "--pooling: 'move' is not one of 'avg', 'max', 'gem', 'cls', "),
        (["--batch-size", "0"], "--batch-size is 0; give 1 or more"),
        (["--workers", "many"], "--workers is 'many'; give a whole number ("),
    ],
)
def test_what_is_wrong_with_an_option_is_said_without_its_librarys_words(penult, options, message):
    done = penult("extract", "photos", "-o", "x.h5", *options)
    assert done.code == 2
    assert message in done.err
    assert "Value error" not in done.err
    assert "unable to parse" not in done.err


def test_info_of_a_folder_is_one_line(penult, photos):
    done = penult("info", photos)
    assert done.code == 2
    assert (
        "is a folder, not a file of penult's; give a feature file, a folder of rows, a classifier"
        in done.err
    )


def test_evaluate_scores_photos_and_feature_files_alike(penult, classifier, features, photos):
    (photos / "daisy").rename(photos / "orchid")
    of_photos = json.loads(penult("evaluate", classifier, photos, "--json", "-q").out)
    assert of_photos["scores"]["accuracy"] == 1
    assert of_photos["unseen_labels"] == {"orchid": 12}
    of_file = penult("evaluate", classifier, features)
    assert "accuracy 100% on 36 images" in of_file.out
    assert re.search(r"balanced accuracy +1\.000", of_file.out)


def test_predict_needs_no_model_and_prints_one_object_a_line(penult, classifier, photos):
    done = penult("predict", classifier, photos / "tulip", "--json", "--top", 2, "-q")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line["id"] for line in lines] == [f"tulip_{k:02}.jpg" for k in range(1, 13)]
    for line in lines:
        assert line["label"] == line["top"][0][0] == "tulip"
        assert line["probability"] == line["top"][0][1] > line["top"][1][1]
        assert len(line["top"]) == 2


def test_predict_reports_an_unreadable_image_in_its_place(penult, classifier, photos):
    (photos / "rose" / "rose_05.jpg").write_bytes(b"nonsense")
    done = penult("predict", classifier, photos / "rose", "--json", "-q")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert "reason" in lines[4]
    assert lines[4]["id"] == "rose_05.jpg"
    assert len(lines) == 12
    assert "1 of 12 images could not be read" in done.err
    assert done.code == 0


def test_predict_fails_when_nothing_could_be_read(penult, classifier, tmp_path):
    (tmp_path / "bad.jpg").touch()
    done = penult("predict", classifier, tmp_path / "bad.jpg")
    assert done.code == 1
    assert "bad.jpg: " in done.err


def test_info_tells_a_feature_file_from_a_classifier(penult, features, classifier):
    of_features, of_classifier = penult("info", features), penult("info", classifier)
    assert "feature file, 36 × 3 float32" in of_features.out
    assert re.search(r"rose +12", of_features.out)
    assert "classifier of 3 classes" in of_classifier.out
    for text in (of_features.out, of_classifier.out):
        assert "toy:mean-colour" in text
        assert "70" * 32 in text
    assert json.loads(penult("info", features, "--json").out)["classes"][1] == {
        "label": "rose",
        "images": 12,
    }
    assert json.loads(penult("info", classifier, "--json").out)["scores"]["accuracy"] == 1


def test_sample_writes_images(penult, tmp_path):
    assert "1,797 images" in penult("sample", "digits", tmp_path / "digits").out
    assert penult("sample", "flowers", tmp_path / "x").code == 2


def test_what_is_read_is_never_replaced(penult, features, classifier, tmp_path):
    photos = tmp_path / "list.csv"
    photos.write_text("path\nrose/0.png\n")
    before = {path: path.read_bytes() for path in (features, classifier, photos)}
    other = tmp_path / "other.h5"
    other.symlink_to(features)
    for words in (
        ["train", features, "-o", features],
        ["train", other, "-o", features],
        ["train", features, "--test-features", other, "-o", other],
        ["export", classifier, "-o", classifier],
        ["predict", classifier, photos, "-o", photos],
    ):
        done = penult(*words, "--overwrite")
        assert done.code == 2
        assert done.err.endswith(" is what is read; give another name to write to\n")
    assert {path: path.read_bytes() for path in before} == before


def test_a_librarys_warning_is_one_line_said_once(penult, features, tmp_path, monkeypatch):
    import penult.classify.options as probe

    inner = probe.hold_out

    def warned(*args, **options):
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            for _ in range(3):
                warnings.warn("it did not converge\nsee there", stacklevel=1)
        return inner(*args, **options)

    monkeypatch.setattr(probe, "hold_out", warned)
    done = penult("train", features, "-o", tmp_path / "w.skops", "-q")
    assert done.code == 0
    assert done.err == "penult: warning: it did not converge\n"


def bad_calls(tmp_path: Path, photos: Path) -> dict[str, tuple[list[object], int, str]]:
    text = tmp_path / "text.h5"
    text.write_text("hello")
    (tmp_path / "empty").mkdir()
    (tmp_path / "there.h5").touch()
    out = tmp_path / "out.h5"
    toy = ["--model", "toy:mean-colour"]
    return {
        "no such folder": (["extract", tmp_path / "photo", "-o", out, *toy], 2, "did you mean"),
        "no images": (["extract", tmp_path / "empty", "-o", out, *toy], 1, "empty"),
        "output exists": (["extract", photos, "-o", tmp_path / "there.h5"], 2, "--overwrite"),
        "unknown model": (["extract", photos, "-o", out, "-m", "resnet51"], 2, "unknown model"),
        "unknown engine": (["extract", photos, "-o", out, *toy, "--engine", "x"], 2, "allowed:"),
        "unknown label option": (["extract", photos, "-o", out, "--labels", "x"], 2, "parent"),
        "bad pattern": (["extract", photos, "-o", out, "--label-pattern", "("], 2, "("),
        "not a feature file": (["train", text, "-o", tmp_path / "c.skops"], 2, "not a feature"),
        "not a classifier": (["predict", text, photos], 2, "classifier"),
        "no such file": (["info", tmp_path / "none.h5"], 2, "no such file"),
        "no label": (
            ["report", photos, "-o", tmp_path / "r", *toy, "--labels", "none", "--runs", "2"],
            2,
            "leaves nothing to train on",
        ),
        "no such option": (["extract", photos, "-o", out, "--frobnicate"], 2, "--frobnicate"),
        "a number too small": (["predict", text, photos, "--top", "0"], 2, "--top"),
    }


@pytest.mark.parametrize(
    "what",
    [
        "no such folder",
        "no images",
        "output exists",
        "unknown model",
        "unknown engine",
        "unknown label option",
        "bad pattern",
        "not a feature file",
        "not a classifier",
        "no such file",
        "no label",
        "no such option",
        "a number too small",
    ],
)
def test_bad_input_is_one_clear_line_and_leaves_nothing(penult, photos, toy, tmp_path, what):
    arguments, code, message = bad_calls(tmp_path, photos)[what]
    before = {p for p in tmp_path.rglob("*") if p.is_file()}
    done = penult(*arguments, *(["-q"] if arguments[0] != "info" else []))
    assert done.code == code, done
    assert message in done.err
    assert "Traceback" not in done.err
    if done.err.startswith("penult: "):
        assert done.err.count("\n") == 1
    assert {
        p for p in tmp_path.rglob("*") if p.is_file() and tmp_path / "r" not in p.parents
    } == before


def test_debug_shows_the_traceback(penult, tmp_path, monkeypatch):
    from penult.cli import main
    from penult.errors import PathNotFoundError

    monkeypatch.setattr(sys, "argv", ["penult", "info", str(tmp_path / "none"), "--debug"])
    with pytest.raises(PathNotFoundError):
        main()


def test_debug_says_what_runs_the_network(penult, photos, toy, tmp_path, caplog):
    call = (
        "extract",
        photos / "rose",
        "-o",
        tmp_path / "f.h5",
        "-m",
        toy,
        "-q",
        "--labels",
        "none",
    )
    assert penult(*call).code == 0
    assert not caplog.messages
    assert penult(*call, "--debug", "--overwrite").code == 0
    assert caplog.messages == [
        "penult: toy:mean-colour runs with the engine openvino, device cpu, in float32"
    ]


@pytest.mark.twice
@pytest.mark.parametrize("command", [["--help"], ["train", "--help"], ["extract", "--help"]])
def test_help_imports_nothing_heavy(command):
    code = f"""
import sys
sys.argv = ["penult", *{command!r}]
from penult.cli import main
try:
    main()
except SystemExit as ended:
    assert ended.code == 0
heavy = {{"torch", "timm", "numpy", "h5py", "sklearn", "skops", "PIL", "matplotlib"}}
loaded = heavy & {{name.partition(".")[0] for name in sys.modules}}
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
