"""The page is read back with a parser: what a browser would see, not what the template says."""

import base64
import dataclasses
import hashlib
import io
import json
import pkgutil
import re
import webbrowser
from collections import Counter

import numpy as np
import pytest
from html_pages import Page, section_of
from PIL import Image
from reports import FLOWERS, GARDEN, RECIPE, colour_of, picture_of, report_of, with_scores

from penult.classify.diagnosis.label_errors import LabelIssue
from penult.classify.diagnosis.learning_curve import CurvePoint
from penult.classify.settings import LayerResult
from penult.errors import OutputExistsError, PenultError
from penult.messages import printable
from penult.records import Average, Failure
from penult.reporting import check_report, sections, write_report
from penult.reporting.opening import open_page
from penult.reporting.sections import SECTIONS, Section, classes, labels, mistakes


def read(directory, report, **options):
    return Page(write_report(directory, report, **options).read_text("utf-8"))


def test_the_headline_says_the_accuracy_and_how_it_was_measured(tmp_path):
    text = " ".join(read(tmp_path / "out", report_of(GARDEN, FLOWERS)).text.split())
    assert "50.0% accuracy on 8 images not seen in training: a rough figure" in text
    assert "always answering the most common class: 50.0%" in text  # 4 irises of 8
    assert "8 images (25% held out, stratified), 4 of them put into the right class" in text
    assert "8–16" in text  # images a class: 4 × the held-out 2 daisies, 2 tulips, 4 irises
    assert "32" in text


def test_every_class_has_a_row_with_its_scores(tmp_path):
    path = write_report(tmp_path, report_of(GARDEN, FLOWERS))
    rows = re.findall(r"<tr>(.*?)</tr>", section_of(path, "classes"), re.DOTALL)[1:]
    cells = [(Page(row).text.split()[0], *re.findall(r">([\d.,]+)</td>", row)) for row in rows]
    assert cells == [  # the lowest F1 first, and of these the lowest recall
        ("iris", "0.50", "0.25", "0.50", "4", "16"),
        ("tulip", "0.33", "0.50", "0.50", "2", "8"),
        ("daisy", "0.67", "1.00", "0.50", "2", "8"),
    ]
    (sorted_by,) = [
        h for h in re.findall(r"<th.*?</th>", section_of(path, "classes")) if "aria-sort" in h
    ]
    assert 'aria-sort="ascending">F1<' in sorted_by


def test_the_bars_begin_at_the_tenth_below_the_smallest_score_and_the_page_says_so(tmp_path):
    section = section_of(write_report(tmp_path / "a", report_of(GARDEN, FLOWERS)), "classes")
    assert "The bars begin at 0.2, not at 0." in section  # the recall of iris is 0.25
    shares = re.findall(r'data-value="([\d.]+)" style="--share:([\d.]+)"', section)
    assert len(shares) == 9
    for value, share in shares:
        assert float(share) == pytest.approx((float(value) - 0.2) / 0.8, abs=1e-4)
    missed = [("iris/1.jpg", "iris", "tulip", 0.9), ("tulip/1.jpg", "tulip", "tulip", 0.9)]
    section = section_of(write_report(tmp_path / "b", report_of(missed, FLOWERS)), "classes")
    assert "The bars begin" not in section  # at 0


def test_a_class_without_held_out_images_has_dashes_for_scores_and_counts_in_no_mean(tmp_path):
    taken_for_it = [*GARDEN, ("iris/5.jpg", "iris", "violet", 0.9)]
    report = report_of(taken_for_it, [*FLOWERS, "violet"])
    counted = Average(precision=0, recall=(1 / 5 + 1 / 2 + 1 + 0) / 4, f1=0)
    path = write_report(tmp_path, with_scores(report, macro=counted))
    assert section_of(path, "classes").count(">–</td>") == 3
    assert re.findall(r"<bdi>(\w+)</bdi>", section_of(path, "classes"))[-1] == "violet"
    text = " ".join(Page(section_of(path, "classes")).text.split())
    assert text.endswith("mean of the classes 0.50 0.57 0.50 9 36")  # recall: (1/5 + 1/2 + 1) / 3


def test_scores_that_were_computed_are_shown_and_others_are_not(tmp_path):
    plain = report_of(GARDEN, FLOWERS)
    assert section_of(write_report(tmp_path / "plain", plain), "scores") is None
    report = with_scores(
        plain,
        interval=(0.25, 0.75),
        balanced_accuracy=0.58333,
        log_loss=0.4567,
        macro=Average(precision=0.5, recall=0.58333, f1=0.5),
    )
    path = write_report(tmp_path / "full", report)
    text = " ".join(Page(section_of(path, "scores")).text.split())
    assert "Accuracy 50.00% images put into their class" in text
    assert "95% interval 25.0% to 75.0%" in text
    assert "Balanced accuracy 58.33%" in text
    assert "Log-loss 0.457" in text
    assert "Top-5" not in text
    assert path.read_text("utf-8").count("95% interval") == 2  # and once in the header
    classes = " ".join(Page(section_of(path, "classes")).text.split())
    assert classes.endswith("mean of the classes 0.50 0.58 0.50 8 32")


@pytest.mark.parametrize(("classes", "is_shown"), [(10, False), (11, True)])
def test_one_of_five_among_few_classes_says_nothing(tmp_path, classes, is_shown):
    names = [f"class {k}" for k in range(classes)]
    report = report_of([(f"{name}.jpg", name, name, 0.9) for name in names], names)
    path = write_report(tmp_path, with_scores(report, top5=1.0, balanced_accuracy=1.0))
    assert ("Top-5" in section_of(path, "scores")) == is_shown
    assert json.loads((tmp_path / "scores.json").read_text())["top5"] == 1


def test_the_confusion_table_holds_every_number(tmp_path):
    report = report_of(GARDEN, FLOWERS)
    path = write_report(tmp_path, report)
    body = section_of(path, "confusion").split("<tbody>")[1]
    numbers = [int(n) for n in re.findall(r">(\d+)</td>", body)]
    assert np.reshape(numbers, (3, 3)).tolist() == [
        list(row) for row in report.trained.scores.confusion
    ]
    page = Page(section_of(path, "confusion"))
    assert len(page.all("th", scope="row")) == len(page.all("th", scope="col")) == 3


def test_the_pair_with_the_most_mistakes_in_both_directions_comes_first(tmp_path):
    section = section_of(write_report(tmp_path, report_of(GARDEN, FLOWERS)), "mistakes")
    assert "Confused most" not in section  # which the buttons say
    buttons = re.findall(r"<button.*?</button>", section, re.DOTALL)
    said = [" ".join(Page(one).text.split()) for one in buttons]
    assert said == ["all 4", "iris ↔and tulip 3", "daisy ↔and iris 1"]
    (bar,) = Page(section).all("div", role="group")
    assert json.loads(bar["data-names"]) == FLOWERS
    assert "hidden" in bar  # until a script shows it


def _figures(section):
    """(id, mean colour) of each picture of a mistake."""
    found = []
    for figure in re.findall(r"<figure.*?</figure>", section, re.DOTALL):
        (image,) = Page(figure).all("img")
        data = base64.b64decode(image["src"].removeprefix("data:image/webp;base64,"))
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.width == picture.height * 1.5  # whole: the photos are 300 x 200
            mean = np.asarray(picture.convert("RGB")).reshape(-1, 3).mean(0)
        found.append((image["alt"], mean))
    return found


def test_mistakes_come_most_confident_first_each_with_its_own_picture(tmp_path):
    path = write_report(tmp_path, report_of(GARDEN, FLOWERS))
    figures = _figures(section_of(path, "mistakes"))
    assert [i for i, _ in figures] == ["iris/3.jpg", "tulip/2.jpg", "iris/2.jpg", "iris/4.jpg"]
    for image_id, mean in figures:
        assert mean == pytest.approx(colour_of(image_id), abs=6), image_id
    captions = re.findall(
        r"<figcaption>(.*?)</figcaption>", section_of(path, "mistakes"), re.DOTALL
    )
    assert " ".join(Page(captions[0]).text.split()) == "iris → tulip 92%"
    figures = Page(section_of(path, "mistakes")).all("figure")
    assert [(f["title"], f["data-is"], f["data-called"]) for f in figures[:2]] == [
        ("iris/3.jpg", "1", "2"),
        ("tulip/2.jpg", "2", "1"),
    ]


def test_beside_a_mistake_stands_a_right_image_of_each_class_that_has_one(tmp_path):
    outcomes = [*GARDEN, ("violet/1.jpg", "violet", "iris", 0.4)]
    page = read(tmp_path, report_of(outcomes, [*FLOWERS, "violet"]))
    (violet,) = [f for f in page.all("figure") if f.get("title") == "violet/1.jpg"]
    assert violet["data-beside"] == "example-3 example-1"
    captions = {one["id"]: one.get("data-caption") for one in page.all("img") if "id" in one}
    assert captions["example-1"] == "iris, rightly called so"
    assert captions["example-3"] is None  # the only violet was wrong, too


def test_no_picture_of_a_mistake_stands_in_the_page_twice(tmp_path):
    page = read(tmp_path, report_of(GARDEN, FLOWERS))
    sources = Counter(one["src"] for one in page.all("img"))
    assert set(sources.values()) == {1}


def test_where_a_class_comes_from_goes_with_its_mistake(tmp_path):
    looked = {"iris/3.jpg": "data:image/png;base64,AAAA", "daisy/1.jpg": "data:image/png;base64,BB"}
    page = read(tmp_path, report_of(GARDEN, FLOWERS, looked=looked, looked_maps=("a of x", "b")))
    figures = [one for one in page.all("figure") if "data-looked" in one]
    assert {one["title"]: one["data-looked"] for one in figures} == {
        "iris/3.jpg": looked["iris/3.jpg"]
    }
    assert figures[0]["data-looked-caption"].endswith("against it; from left to right: a of x, b")


def test_mistakes_of_many_classes_bring_their_examples_themselves(tmp_path, monkeypatch):
    for module in (classes, mistakes):
        monkeypatch.setattr(module, "EXAMPLES_UP_TO", 2)
    path = write_report(tmp_path, report_of(GARDEN, FLOWERS))
    assert "<img" not in section_of(path, "classes")
    examples = [one for one in Page(section_of(path, "mistakes")).all("img") if "id" in one]
    assert {one["id"] for one in examples} == {"example-0", "example-1", "example-2"}


def test_only_the_most_confident_mistakes_are_large(tmp_path, monkeypatch):
    monkeypatch.setattr(mistakes, "MOST_LARGE", 1)
    monkeypatch.setattr(mistakes, "WHOLE", 260)
    path = write_report(tmp_path, report_of(GARDEN, FLOWERS))
    widths = []
    for one in Page(section_of(path, "mistakes")).all("img"):
        data = base64.b64decode(one["src"].removeprefix("data:image/webp;base64,"))
        with Image.open(io.BytesIO(data)) as picture:
            widths.append(picture.width)
    assert widths == [260, 224, 224, 224]


def test_the_gallery_is_capped_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(mistakes, "MOST_MISTAKES", 3)
    path = write_report(tmp_path, report_of(GARDEN, FLOWERS))
    section = section_of(path, "mistakes")
    assert len(_figures(section)) == 3
    assert "The 3 most confident of 4 mistakes" in section


ISSUES = (
    LabelIssue("iris/3.jpg", "iris", "tulip", 0.014, 0.97),
    LabelIssue("daisy/1.jpg", "daisy", "a, <b>", 0.2, 0.31),
)


def test_label_errors_are_shown_with_both_labels_and_listed_in_a_table(tmp_path):
    path = write_report(tmp_path, report_of(GARDEN, FLOWERS, label_issues=ISSUES))
    section = section_of(path, "labels")
    assert [i for i, _ in _figures(section)] == ["iris/3.jpg", "daisy/1.jpg"]
    text = " ".join(Page(section).text.split())
    assert "2 labels of 32, the likeliest first" in text
    assert "labelled iris 1% likely tulip 97%" in text
    assert "Northcutt" in text
    assert "where its label has almost no probability" in text
    assert (tmp_path / "label_errors.csv").read_text().splitlines() == [
        "id,label,confidence,suggested,suggested_confidence",
        "iris/3.jpg,iris,0.0140,tulip,0.9700",
        'daisy/1.jpg,daisy,0.2000,"a, <b>",0.3100',
    ]
    write_report(tmp_path, report_of(GARDEN, FLOWERS), overwrite=True)
    assert not (tmp_path / "label_errors.csv").exists()


def test_what_to_do_with_wrong_labels_is_typed_or_said_where_no_command_is_known(tmp_path):
    again = ("make the rows of the images again, with --labels corrected.csv", "penult report r.h5")
    issues = {"label_issues": ISSUES, "feature_file": "my rows.h5"}
    report = report_of(GARDEN, FLOWERS, **issues, relabelling=again, corrected_before=True)
    section = section_of(write_report(tmp_path, report), "labels")
    typed = [re.sub("</?span.*?>", "", one) for one in re.findall('command">(.*?)</code>', section)]
    assert typed == [
        "penult labels apply reviewed.csv &#39;my rows.h5&#39; -o corrected.csv --overwrite",
        "penult report r.h5",
    ]
    assert section.count("Copy command") == 2
    assert "Make the rows of the images again, with --labels corrected.csv." in section
    first = report_of(GARDEN, FLOWERS, **issues)
    section = section_of(write_report(tmp_path, first, overwrite=True), "labels")
    assert section.count("-o</span> corrected.csv</code>") == 1


def test_names_that_a_spreadsheet_would_run_are_escaped_where_that_is_asked_for(tmp_path):
    issues = (LabelIssue("iris/=1.jpg", "=iris", "@tulip", 0.1, 0.9),)
    for escape_formulas, row in (
        (False, "iris/=1.jpg,=iris,0.1000,@tulip,0.9000"),
        (True, "iris/=1.jpg,'=iris,0.1000,'@tulip,0.9000"),
    ):
        report = report_of(GARDEN, FLOWERS, label_issues=issues)
        write_report(tmp_path, report, escape_formulas=escape_formulas, overwrite=True)
        assert (tmp_path / "label_errors.csv").read_text().splitlines()[1] == row


def test_many_label_errors_are_capped_on_the_page_but_not_in_the_table(tmp_path, monkeypatch):
    monkeypatch.setattr(labels, "MOST_ISSUES", 1)
    path = write_report(tmp_path, report_of(GARDEN, FLOWERS, label_issues=ISSUES))
    section = section_of(path, "labels")
    assert len(_figures(section)) == 1
    assert "the 1 likeliest are shown, and all are in" in section
    assert len((tmp_path / "label_errors.csv").read_text().splitlines()) == 3


def test_no_label_errors_and_none_looked_for_are_told_apart(tmp_path):
    found = write_report(tmp_path / "a", report_of(GARDEN, FLOWERS, label_issues=()))
    skipped = write_report(tmp_path / "b", report_of(GARDEN, FLOWERS))
    notes = {"labels": "too few images", "curve": "no such rows"}
    failed = write_report(tmp_path / "c", report_of(GARDEN, FLOWERS, notes=notes))
    assert [section_of(path, "labels") for path in (found, skipped, failed)] == [None] * 3
    checked = [section_of(path, "making") for path in (found, skipped, failed)]
    assert ["No label looks wrong, by confident" in one for one in checked] == [True, False, False]
    assert "Labels that look wrong were not looked for: too few images." in checked[2]
    assert "No learning curve was drawn: no such rows." in checked[2]


def test_the_learning_curve_is_a_chart_a_table_and_a_sentence(tmp_path):
    curve = (
        CurvePoint(1, 3, (0.4, 0.6)),
        CurvePoint(5, 15, (0.7, 0.8)),
        CurvePoint(8, 24, (0.81, 0.83)),
        CurvePoint(10, 30, (0.9,)),
    )
    section = section_of(write_report(tmp_path, report_of(GARDEN, FLOWERS, curve=curve)), "curve")
    assert Page(section).all("svg")
    text = " ".join(Page(section).text.split())
    assert "from 5 to 10 a class, the accuracy rose by 15.0 points" in text
    assert "5 15 75.0% 70.0%–80.0%" in text
    assert text.endswith("10 30 90.0%")


def test_a_flat_learning_curve_is_a_sentence_and_no_chart(tmp_path):
    curve = (CurvePoint(1, 3, (0.49, 0.5)), CurvePoint(9, 27, (0.5,)))
    section = section_of(write_report(tmp_path, report_of(GARDEN, FLOWERS, curve=curve)), "curve")
    assert not Page(section).all("svg")
    text = " ".join(Page(section).text.split())
    assert "49.5% with 1 image a class, and 50.0% with 9: a learning curve would be a flat" in text


def test_layers_are_shown_where_there_are_several(tmp_path):
    layers = [
        LayerResult("block<1>", 1280, 0.5, 0.25, (0.1, 0.4)),
        LayerResult("penultimate", 64, 0.5, 0.5, None),
    ]
    path = write_report(tmp_path / "two", report_of(GARDEN, FLOWERS, layers=tuple(layers)))
    section = section_of(path, "layers")
    text = " ".join(Page(section).text.split())
    assert "each of 2 layers. penultimate was chosen by cross-validation" in text
    assert "block<1> 1,280 50.0% 25.0% 10.0%–40.0% penultimate chosen 64 50.0% 50.0%" in text
    assert Page(section).all("svg")
    assert (tmp_path / "two" / "layers.png").is_file()
    one = write_report(tmp_path / "one", report_of(GARDEN, FLOWERS, layers=tuple(layers[:1])))
    assert section_of(one, "layers") is None


def test_a_search_over_several_kinds_of_classifiers_is_a_table(tmp_path):
    grid = [
        {"classifier": "logistic", "C": 1.0, "accuracy": 0.9},
        {"classifier": "logistic", "C": 10.0, "accuracy": 0.95},
        {"classifier": "knn", "n_neighbors": 3, "accuracy": 0.8},
    ]
    settings = {"chosen": {"classifier": "logistic", "C": 10.0}, "grid": grid}
    path = write_report(tmp_path, report_of(GARDEN, FLOWERS, settings=settings))
    text = " ".join(Page(section_of(path, "making")).text.split())
    assert "classifier = logistic, C = 10 95.00% chosen" in text
    assert "classifier = knn, n_neighbors = 3 80.00%" in text


def _raise(image_id):
    raise OSError("gone")


@pytest.mark.parametrize(
    "open_image",
    [
        pytest.param(lambda _: None, id="not to be had"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda i: picture_of(i)[:80], id="truncated"),
        pytest.param(lambda _: b"GIF89a nonsense", id="broken"),
        pytest.param(_raise, id="vanished"),
    ],
)
def test_a_picture_that_cannot_be_had_leaves_a_placeholder(tmp_path, open_image):
    page = read(tmp_path, report_of(GARDEN, FLOWERS, open_image=open_image))
    assert page.all("img") == []
    placeholders = [a for a in page.all("span") if "missing" in a.get("class", "")]
    assert "iris/3.jpg (no picture)" in {a["aria-label"] for a in placeholders}


def test_every_image_that_failed_is_listed_with_its_reason(tmp_path):
    failures = tuple(Failure(f"iris/broken {i}.jpg", f"is missing {i} bytes") for i in range(500))
    page = read(tmp_path, report_of(GARDEN, FLOWERS, failures=failures, passed_over={".txt": 2}))
    for failure in failures:
        assert failure.id in page.text
        assert failure.reason in page.text
    text = " ".join(page.text.split())
    assert "500 images could not be read. They have no part" in text
    assert "not those of images: 2 files .txt." in text
    assert "images 532" in text  # 32 rows and these


def test_without_failures_or_mistakes_the_page_says_so(tmp_path):
    right = [row for row in GARDEN if row[1] == row[2]]
    path = write_report(tmp_path, report_of(right, FLOWERS))
    text = " ".join(Page(path.read_text("utf-8")).text.split())
    assert "100% accuracy" in text
    assert "Every one of the 4 held-out images was put into its class" in text
    assert "Every held-out image was put into its class." in text
    assert section_of(path, "mistakes") is section_of(path, "failures") is None
    assert "Every image could be read." in text


def test_how_it_was_made_shows_recipe_search_and_commands(tmp_path):
    report = report_of(
        GARDEN,
        FLOWERS,
        settings={
            "classifier": "logistic regression",
            "folds": 3,
            "chosen": {"C": 10.0},
            "grid": [{"C": 1.0, "accuracy": 0.94}, {"C": 10.0, "accuracy": 0.9554}],
        },
        commands=("penult extract flowers -o features.h5", "penult train 'a & b.h5' -o c.skops"),
        versions={"torch": "2.15.0"},
        seconds={"features": 125.0},
    )
    section = section_of(write_report(tmp_path, report), "making")
    text = " ".join(Page(section).text.split())
    assert RECIPE.weights_sha256 in text
    assert "bundled:efficientnet_lite0" in text
    assert "shorter edge to 256 pixels (bicubic)" in text
    assert "C = 1 94.00% C = 10 95.54% chosen" in text
    assert "Folds 3" in text
    assert "penult extract flowers -o features.h5 penult train 'a & b.h5' -o c.skops" in text
    assert "torch 2.15.0" in text
    assert "Features 2 min 05 s" in text
    assert section.count('<tr class="chosen">') == 1


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}</style>&amp;'


def test_hostile_text_is_shown_and_never_run(tmp_path):
    outcomes = [
        (f"{HOSTILE}/1.jpg", HOSTILE, HOSTILE, 0.9),
        (f"{HOSTILE}/2.jpg", HOSTILE, "iris", 0.8),
        ("iris/1.jpg", "iris", "iris", 0.8),
    ]
    report = report_of(
        outcomes,
        [HOSTILE, "iris"],
        title=HOSTILE,
        source=HOSTILE,
        failures=(Failure(HOSTILE, HOSTILE),),
        passed_over={HOSTILE: 1},
        settings={
            HOSTILE: HOSTILE,
            "chosen": {HOSTILE: HOSTILE},
            "grid": [{HOSTILE: 1, "accuracy": 0.5}],
        },
        commands=(HOSTILE,),
        versions={HOSTILE: HOSTILE},
        seconds={HOSTILE: 1.0},
        scores=dataclasses.replace(
            report_of(outcomes, [HOSTILE, "iris"]).trained.scores, split=HOSTILE
        ),
        recipe=dataclasses.replace(RECIPE, backbone=HOSTILE, weights=HOSTILE, layer=HOSTILE),
    )
    page = read(tmp_path, report)
    (script,) = page.inside["script"]
    assert "alert" not in script
    assert not [a for _, attributes in page.elements for a in attributes if a.startswith("on")]
    assert all(a["src"].startswith("data:image/") for a in page.all("img"))
    assert page.text.count(HOSTILE) >= 20
    assert "49" not in page.text.replace("{{ 7 * 7 }}", "")

    (policy,) = [a["content"] for a in page.all("meta") if "http-equiv" in a]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert re.search(r"script-src ([^;]*)", policy)[1] == f"'sha256-{digest}'"


def test_the_page_asks_for_nothing_outside_itself(tmp_path):
    page = read(tmp_path, report_of(GARDEN, FLOWERS))
    assert len(page.all("img")) > 4
    for tag, attributes in page.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form"}
        assert "srcset" not in attributes
        assert attributes.get("src", "data:").startswith("data:"), tag
        target = attributes.get("href", "#")
        assert target.startswith("#") or target in {"confusion_matrix.png", "scores.json"}
    css = "".join(page.inside["style"]) + "".join(a.get("style", "") for _, a in page.elements)
    assert "url(" not in css
    assert "@import" not in css
    for name in ("confusion_matrix.png", "scores.json"):
        assert (tmp_path / name).is_file()


def test_navigation_and_headings_follow_the_sections(tmp_path):
    page = read(tmp_path, report_of(GARDEN, FLOWERS))
    nothing_to_show = {"scores", "layers", "labels", "duplicates", "curve", "retrieval", "failures"}
    nothing_to_show |= {
        "finetuning",
        "predictions",
        "contradictions",
        "map",
        "clusters",
        "outliers",
    }
    names = [s.name for s in SECTIONS if s.name not in nothing_to_show]
    assert [a["id"] for a in page.all("section")] == names
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    anchors = [a["href"].removeprefix("#") for a in page.all("a") if a["href"].startswith("#")]
    assert anchors[1 : 1 + len(names)] == names
    assert {anchors[0], *anchors[1 + len(names) :]} == {
        "mistakes"
    }  # of a class, and of what was found
    assert all(a["aria-labelledby"] in ids for a in page.all("section"))
    assert all(a.get("alt") for a in page.all("img"))


LONGEST = Section(
    name="longest",
    title="The longest name",
    content=lambda report, _: {"label": max(report.class_counts, key=len)} if report.rows else None,
    template="<p>{{ content.label }} has {{ content.label | length | count('letter') }}</p>",
)


def test_a_section_is_one_object_and_is_left_out_where_it_has_nothing_to_show(tmp_path):
    report = report_of(GARDEN, [*FLOWERS, "<b>violet"], rows=32)
    path = write_report(tmp_path / "a", report, sections=(LONGEST, *SECTIONS))
    assert "<p>&lt;b&gt;violet has 9 letters</p>" in section_of(path, "longest")
    assert '<li><a href="#longest">The longest name</a></li>' in path.read_text("utf-8")
    path = write_report(tmp_path / "b", report_of(GARDEN, FLOWERS), sections=(LONGEST, *SECTIONS))
    assert "longest" not in path.read_text("utf-8")


def test_every_module_of_sections_is_on_the_page():
    modules = {module.name for module in pkgutil.iter_modules(sections.__path__)}
    assert modules - {"base"} == {section.name for section in SECTIONS}


@pytest.mark.parametrize("number", [2, 30, 31, 100])
def test_every_class_is_shown_however_many_there_are(tmp_path, number):
    labels = [f"species {i:03}" for i in range(number)]
    outcomes = [(f"{a}/1.jpg", a, a, 0.9) for a in labels]
    outcomes += [(f"{labels[0]}/2.jpg", labels[0], labels[-1], 0.5)]
    page = read(tmp_path, report_of(outcomes, labels))
    counts = Counter(re.findall(r"species \d{3}", page.text))
    assert counts.keys() == set(labels)
    assert min(counts.values()) >= 2  # in the table of classes, and by the confusion matrix
    drawn = page.all("svg", role="img")
    assert len(drawn) == (number > 30)


@pytest.mark.parametrize(
    "label", ["花", "زنبق", "тюльпан", "🌷", "a\u202eb", "$x^{2", "no \udcff utf8", "\x1b[2J\x9b"]
)
def test_names_in_any_script_reach_the_page(tmp_path, label):
    outcomes = [(f"{label}/1.jpg", label, label, 0.9), (f"{label}/2.jpg", label, "iris", 0.9)]
    outcomes += [("iris/1.jpg", "iris", "iris", 0.9)]
    page = read(tmp_path, report_of(outcomes, ["iris", label]))
    assert printable(label) in page.text
    html = next(tmp_path.rglob("index.html")).read_text("utf-8")
    assert printable(html.replace("\n", "")) == html.replace("\n", "")
    json.loads((tmp_path / "scores.json").read_text("utf-8"))


def test_scores_json_holds_the_scores(tmp_path):
    report = report_of(GARDEN, FLOWERS)
    write_report(tmp_path, report)
    data = json.loads((tmp_path / "scores.json").read_text("utf-8"))
    assert data["accuracy"] == report.trained.scores.accuracy
    assert data["confusion"] == [list(row) for row in report.trained.scores.confusion]
    assert [c["label"] for c in data["classes"]] == FLOWERS
    assert data["classes"][1]["recall"] == 0.25


def test_an_existing_report_is_kept_unless_overwriting(tmp_path):
    directory = tmp_path / "deep" / "report"
    check_report(directory)
    write_report(directory, report_of(GARDEN, FLOWERS, title="first"))
    (directory / "notes.txt").write_text("mine")
    for attempt in (check_report, lambda d: write_report(d, report_of(GARDEN, FLOWERS))):
        with pytest.raises(OutputExistsError, match="give overwrite=True"):
            attempt(directory)
    assert "first" in (directory / "index.html").read_text("utf-8")
    check_report(directory, overwrite=True)
    page = read(directory, report_of(GARDEN, FLOWERS, title="second"), overwrite=True)
    assert "second" in page.text
    assert sorted(p.name for p in directory.iterdir()) == [
        "confusion_matrix.png",
        "held_out.csv",
        "index.html",
        "notes.txt",
        "scores.json",
    ]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "report").write_text("mine")
    with pytest.raises(OutputExistsError, match="is a file"):
        check_report(tmp_path / "report")
    with pytest.raises(PenultError):
        write_report(tmp_path / "report" / "deeper", report_of(GARDEN, FLOWERS))


def test_a_report_that_fails_half_way_leaves_no_page(tmp_path):
    def broken(image_id):
        raise RuntimeError("a fault in the caller")

    with pytest.raises(RuntimeError):
        write_report(tmp_path / "out", report_of(GARDEN, FLOWERS, open_image=broken))
    assert not (tmp_path / "out" / "index.html").exists()
    assert not list((tmp_path / "out").glob(".*"))


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    report = dataclasses.replace(report_of(GARDEN, FLOWERS), trained=None)
    with pytest.raises(PenultError, match=r"file/r cannot be written: Not a directory"):
        write_report(tmp_path / "file/r", report)


def test_where_there_is_no_browser_the_address_is_told(tmp_path, monkeypatch, caplog):
    def refuse(_address):
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(webbrowser, "open", refuse)
    open_page(tmp_path / "index.html")
    assert caplog.messages == [
        f"penult: no browser was found here; open file://{tmp_path}/index.html"
    ]
