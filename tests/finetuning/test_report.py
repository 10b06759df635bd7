"""The report of a fine-tuned network: from its folder alone, and where its photos have moved."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
from finetuned import draw_curves_once
from html_pages import section_of

import penult
from penult.errors import FileFormatError, PathNotFoundError, UsageError
from penult.finetuning.training_photos import TrainingPhotos
from penult.reporting.relabelling import relabelling_step

QUICK = {"map": False, "clusters": False, "outliers": False, "retrieval": False}


@pytest.fixture
def checkpoint(normed, photos, tmp_path, monkeypatch) -> Path:
    """A hidden head, two epochs alone and two with the last block."""
    draw_curves_once(monkeypatch)
    found = penult.finetune(
        photos,
        tmp_path / "flowers.ckpt",
        model=normed,
        epochs=2,
        head="mlp:8",
        near_duplicates=1.0,
        progress=False,
    )
    return Path(found.output)


def report(folder: Path, *photos, output: str, **options):
    place = folder.parent / output
    return penult.report([folder, *photos], place, progress=False, **{**QUICK, **options})


def ids(folder: Path, part: str) -> set[str]:
    return {*getattr(TrainingPhotos.read(folder / "photos.json"), part)}


def test_a_report_of_a_checkpoint_is_of_its_test_photos_wherever_they_are_now(
    checkpoint, photos, tmp_path
):
    # Where they were.
    made = report(checkpoint, output="first", map=True, retrieval=True)
    scores = json.loads((checkpoint / "scores.json").read_text())
    assert made.classifier.scores.accuracy == scores["test"]["accuracy"]
    assert made.verdict == scores["verdict"] == made.findings[0].text
    tested = ids(checkpoint, "test")
    assert set(made.classifier.held_out.ids) == tested
    with (made.page.parent / "held_out.csv").open(newline="") as file:
        assert {row["id"] for row in csv.DictReader(file)} == tested
    assert not (made.page.parent / "classifier.skops").exists()
    # The network has learnt where the others belong: a search among them would flatter.
    shown = json.loads((made.page.parent / "scores.json").read_text())
    assert shown["retrieval"]["queries"] == len(tested)
    assert "leaks" not in shown
    section, page = section_of(made.page, "finetuning"), made.page.read_text("utf-8")
    assert (section.count("<td>the head</td>"), section.count("<td>blocks</td>")) == (3, 2)
    assert section.count('class="tag">kept<') == 1
    assert len(set(re.findall(r"#[0-9a-f]{6}\b", section))) == 0  # all colours are the page's
    again = f"penult finetune {photos} -o {checkpoint} --model normed:network --epochs 2"
    assert f"{again} --head mlp:8 --near-duplicates 1.0" in page

    # Labels that are put right are learned by a network that is fine-tuned again.
    step = relabelling_step(made.page.parent / "features.h5", Path("corrected.csv"))
    assert step.startswith(f"penult finetune {photos} -o {checkpoint} --labels corrected.csv ")
    assert step.endswith(" --overwrite")

    # Somewhere else, one of them under another name, and one gone.
    gone, renamed = sorted(tested)[:2]
    (photos / gone).unlink()
    (photos / renamed).rename((photos / renamed).with_name("renamed.jpg"))
    strayed = photos / sorted(tested)[2]
    other_class = next(one for one in photos.iterdir() if one.is_dir() and one != strayed.parent)
    strayed.rename(other_class / f"strayed{strayed.suffix}")
    moved = photos.rename(tmp_path / "moved")
    with pytest.raises(
        PathNotFoundError, match=r"not at .*photos any more; say where they are now"
    ):
        report(checkpoint, output="second")
    made = report(checkpoint, moved, output="second")
    page = made.page.read_text("utf-8")
    assert f"1 of {len(tested)} are gone" in page
    assert f"1 of {len(tested) - 1} have another label now" in page
    assert made.classifier.scores.images == len(tested)
    named = (made.page.parent / "held_out.csv").read_text()
    assert f"{Path(renamed).parent}/renamed.jpg" in named
    assert renamed not in named

    # Photos that it has never seen are no test of it.
    other = tmp_path / "other" / "rose"
    other.mkdir(parents=True)
    shutil.copy(moved / min(ids(checkpoint, "train")), other / "new.jpg")
    with pytest.raises(UsageError, match=r"none of the \d+ test photos of .*flowers.ckpt"):
        report(checkpoint, other.parent, output="third")


@pytest.mark.parametrize(
    ("given", "options", "error", "told"),
    [
        (["photos", "flowers.ckpt"], {}, UsageError, "before its photos"),
        (["flowers.ckpt"], {"classifier": "knn"}, UsageError, "a classifier of its own"),
        (["flowers.ckpt", "photos"], {"folds": 5}, UsageError, "folds"),
        (["flowers.ckpt"], {}, UsageError, "does not know the place of the photos"),
        (["untested.ckpt"], {}, UsageError, "no photo was held out .* nothing to score"),
    ],
)
def test_what_a_report_of_a_checkpoint_refuses(
    folder, photos, tmp_path, given, options, error, told
):
    shutil.copytree(folder, tmp_path / "untested.ckpt")
    (folder / "photos.json").unlink()
    TrainingPhotos(test={"a.png": ""}).write(folder / "photos.json")
    with pytest.raises(error, match=told):
        penult.report(
            [tmp_path / one for one in given], tmp_path / "out", progress=False, **options
        )


def test_a_checkpoint_of_before_says_what_it_lacks(folder, tmp_path):
    (folder / "photos.json").unlink()
    with pytest.raises(FileFormatError, match=r"no photos\.json, .* fine-tune again"):
        penult.report(folder, tmp_path / "out", progress=False)


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        ("photos.json", "[]", r"it is '\[\]' where settings by name are expected"),
        ("photos.json", '{"train": {"a.jpg"', "it is no JSON: .*"),
        ("scores.json", '{"test": 1}', "it lacks validation, probe .*"),
    ],
)
def test_a_damaged_file_of_a_checkpoint_is_named_with_what_to_do(
    folder, tmp_path, file, content, why
):
    TrainingPhotos(test={"a.png": ""}, sources=(str(tmp_path),)).write(tmp_path / "photos.json")
    (tmp_path / "photos.json").replace(folder / "photos.json")
    (folder / file).write_text(content)
    said = rf"{file} is damaged \({why}\); put back the whole folder, or fine-tune again$"
    with pytest.raises(FileFormatError, match=said):
        penult.report(folder, tmp_path / "out", progress=False)


def test_names_that_are_no_text_survive_in_the_list_of_photos(tmp_path):
    photos = TrainingPhotos(test={"a\udcff.jpg": "ab", "é\n.jpg": ""}, asked={"epochs": 3})
    photos.write(tmp_path / "photos.json")
    assert TrainingPhotos.read(tmp_path / "photos.json") == photos


@pytest.mark.parametrize("given", ["flowers.ckpt", "photos"])
def test_no_report_is_written_over_the_files_of_a_checkpoint(folder, photos, tmp_path, given):
    (folder / "photos.json").unlink()
    TrainingPhotos(test={"a.png": ""}, sources=(str(photos),)).write(folder / "photos.json")
    before = {one.name: one.read_bytes() for one in folder.iterdir()}
    with pytest.raises(UsageError, match=r"flowers\.ckpt is a fine-tuned network, whose own files"):
        penult.report(tmp_path / given, folder, overwrite=True, progress=False)
    assert {one.name: one.read_bytes() for one in folder.iterdir()} == before
