"""Scoring on photos, on a feature file, on rows in memory."""

import json

import pytest

import penult
from penult.errors import OutputExistsError, UsageError

pytestmark = pytest.mark.light


@pytest.fixture
def trained(photos, toy, tmp_path):
    penult.extract(photos, tmp_path / "f.h5", model=toy)
    return penult.train(tmp_path / "f.h5", tmp_path / "c.skops", classifier="centroid")


def test_photos_their_feature_file_and_its_rows_have_the_same_scores(trained, photos, tmp_path):
    found = [
        penult.evaluate(tmp_path / "c.skops", photos),
        penult.evaluate(trained, [photos / "rose", photos / "daisy", photos / "tulip"]),
        penult.evaluate(trained, tmp_path / "f.h5"),
        penult.evaluate(trained, penult.load(tmp_path / "f.h5")),
    ]
    assert {one.scores.accuracy for one in found} == {found[0].scores.accuracy}
    assert {(one.scores.images, one.total, one.trained) for one in found} == {(36, 36, 27)}
    assert [one.scores.split.rpartition("/")[2] for one in found] == [
        "photos", "tulip", "f.h5", "all of these features",
    ]  # fmt: skip


def test_scores_of_photos_that_trained_it_are_shown_as_no_estimate(trained, photos):
    found = penult.evaluate(trained, photos)
    assert repr(found) == (
        "Evaluation(accuracy 100% on 9 images that did not train it, no estimate: accuracy "
        "100% on 36 images, 27 of which trained it)"
    )
    assert (found.scores.interval, found.apart.interval[1]) == (None, 1)
    page = found._repr_html_()
    assert page.count("95% interval") == 1
    assert page.index("9, those that did not train it") < page.index("36, all of")
    seen = set(trained.held_out.ids)
    others = [p for p in photos.rglob("*.jpg") if str(p.relative_to(photos)) not in seen]
    alone = penult.evaluate(trained, others, label_pattern=r"(?P<label>\w+)_\d+")
    assert repr(alone).endswith("on 27 images, no estimate: all of them trained it)")
    assert alone.scores.interval is None


def test_labels_are_for_photos_and_refused_where_rows_bring_their_own(trained, photos, tmp_path):
    named = penult.evaluate(trained, photos, label_pattern=r"(?P<label>\w+)_\d+")
    assert named.scores.accuracy == penult.evaluate(trained, photos).scores.accuracy
    for rows in (tmp_path / "f.h5", penult.load(tmp_path / "f.h5")):
        with pytest.raises(UsageError, match="has its labels and splits with it"):
            penult.evaluate(trained, rows, labels="none")


def test_the_results_are_written_and_kept_unless_overwriting(trained, photos, tmp_path):
    results = tmp_path / "results"
    found = penult.evaluate(trained, photos, results=results)
    told = json.loads((results / "scores.json").read_text())
    assert (told["trained"], told["apart"]["images"]) == (found.trained, 9) == (27, 9)
    with pytest.raises(OutputExistsError, match="give overwrite=True"):
        penult.evaluate(trained, photos, results=results)
    penult.evaluate(trained, photos, results=results, overwrite=True, confusion="normalized")


def test_progress_counts_the_rows_and_names_the_writing_of_results(trained, tmp_path):
    told = []
    penult.evaluate(trained, tmp_path / "f.h5", results=tmp_path / "r", progress=told.append)
    assert [(one.stage, one.done, one.total) for one in told] == [
        ("evaluate", 0, 36),
        ("evaluate", 36, 36),
        ("results", 0, None),
    ]
