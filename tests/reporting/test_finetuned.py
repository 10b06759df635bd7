"""The section on fine-tuning, and what the rest of the page says otherwise for it."""

import re

import pytest
from html_pages import Page, section_of
from reports import FLOWERS, GARDEN, finetuning_of, report_of

from penult.classify.diagnosis.label_errors import LabelIssue
from penult.reporting import write_report
from penult.reporting.findings import find
from penult.reporting.finetuning import PairedDifference

ISSUE = LabelIssue("iris/3.jpg", "iris", "tulip", 0.01, 0.92)


def rows_of(section: str) -> dict[str, str]:
    found = re.findall(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>", section)
    return {name: " ".join(Page(cells).text.split()) for name, cells in found}


def page_of(tmp_path, **changes):
    report = report_of(GARDEN, FLOWERS, finetuning=finetuning_of(**changes), label_issues=(ISSUE,))
    return report, write_report(tmp_path / "out", report)


def test_the_verdict_comes_first_and_the_section_has_what_it_rests_on(tmp_path):
    report, page = page_of(tmp_path)
    assert find(report)[0].text == report.finetuning.verdict
    assert rows_of(section_of(page, "finetuning")) == {
        "Accuracy": "50.0% on 8 test images, which neither trained it nor chose anything",
        "Of the probe": "37.5% a logistic regression on rows of the network as it was, on the same "
        "test images",
        "Difference": "+12.5 points paired 95% interval -25.0 to 50.0: no more than noise",
        "On validation images": "75.0% 4 images by which the epoch and the temperature were "
        "chosen: this flatters",
        "Temperature": "0.5 what logits are divided by, so that probabilities are right as often "
        "as they say",
        "Calibration error": "0.100 on the test images, with that temperature; 0.300 without it",
        "Learnt": "1,200 parameters conv_head and the head",
        "Frozen": "34,000 parameters as they came, in 2 of 3 blocks",
        "Epoch kept": "1 of 2 by the least loss on the validation images",
        "WiSE-FT": "75% share of the trained weights in their average with those at the start, "
        "chosen on the validation images",
        "Time": "4 min 10 s of which the probe and its rows took 4.0 s",
        "Trained on": "20 images 4 more validated, and 8 tested",
        "Left out": "2 images copies of photos in another part",
        "Could not be read": "1 image before or during the training",
    }


def test_every_epoch_has_a_row_and_the_one_that_was_kept_is_marked(tmp_path):
    _, page = page_of(tmp_path)
    table = section_of(page, "finetuning").partition('class="listed"')[2]
    rows = [" ".join(Page(row).text.split()) for row in re.findall(r"<tr>(<td.*?)</tr>", table)]
    assert rows == [
        "the head 0 – 2.000 25.0% – –",
        "the head 1 3.000 1.500 50.0% 0.0003 1 min 01 s",
        "the head 2 3.000 1.000 50.0% 0.0003 1 min 01 s",
        "blocks kept 1 3.000 0.500 50.0% 0.0003 1 min 01 s",
        "blocks 2 3.000 0.750 50.0% 0.0003 1 min 01 s",
    ]


def test_training_that_was_of_no_use_says_so(tmp_path):
    _, page = page_of(tmp_path, best_epoch=0, stopped="stopped after epoch 2 of 10", unfrozen=())
    section = section_of(page, "finetuning")
    assert "Stopped after epoch 2 of 10." in section
    rows = rows_of(section)
    assert rows["Epoch kept"].endswith("every epoch after it had a greater validation loss")
    assert rows["Learnt"] == "1,200 parameters the head alone"
    assert rows["Frozen"] == "34,000 parameters as they came, the whole network"


def test_labels_are_judged_on_the_test_images_alone(tmp_path):
    report, page = page_of(tmp_path)
    assert "1 of 8 labels looks wrong: check it first." in {one.text for one in find(report)}
    section = section_of(page, "labels")
    assert "1 label of 8" in section
    assert "Test images alone were judged, by the fine-tuned network" in section
    assert "one of five" not in section


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (30, "no more than noise; on so few images, only a difference of about 20 points"),
        (60, "paired 95% interval 0.0 to 0.0, p = 1: no more than noise"),
    ],
)
def test_of_few_images_no_interval_is_told_that_looks_certain(tmp_path, images, said):
    difference = PairedDifference(
        difference=0.0, low=0.0, high=0.0, separable=False, p=1.0, images=images
    )
    _, page = page_of(tmp_path, difference=difference)
    assert said in rows_of(section_of(page, "finetuning"))["Difference"]
