"""`penult.evaluate_search`: whole scores of small galleries."""

from __future__ import annotations

from dataclasses import replace

import feature_files
import numpy as np
import pytest

import penult
from penult.errors import RecipeMismatchError, SearchError, UsageError
from penult.records import Progress
from penult.retrieve.evaluation.labelled_rows import LabelledRows
from penult.retrieve.evaluation.protocol import Trial, leave_one_out
from penult.retrieve.evaluation.score import score_search

pytestmark = pytest.mark.light


@pytest.fixture
def turned(recipe):
    """Features of rows of length one, by their angles in degrees, with their labels."""

    def make(angles, labels, **fields):
        radians = np.deg2rad(angles)
        names = tuple(sorted({one for text in labels for one in text.split("|") if one}))
        targets = np.array([[name in text.split("|") for name in names] for text in labels])
        single = targets.sum(axis=1) == 1
        given = {
            "features": np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32),
            "ids": [f"{k}.jpg" for k in range(len(angles))],
            "labels": np.where(single, targets.argmax(axis=1), -1),
            "label_names": names,
            "recipe": recipe,
            "targets": targets if (targets.sum(axis=1) > 1).any() else None,
        }
        return penult.records.Features(**(given | fields))

    return make


def values(scores):
    return {name: one.value for name, one in scores.items()}


def test_each_row_searches_all_others(turned):
    # Query 0 finds 1 2 3: YNN. 1 finds 2 0 3: NYN. 2 finds 1 3 0: NYN. 3 finds 2 1 0: YNN.
    found = penult.evaluate_search(turned([0, 25, 45, 90], "aabb"), k=[1, 2], progress=False)
    assert (found.queries, found.skipped, found.gallery) == (4, 0, 4)
    assert values(found.scores) == pytest.approx(
        {
            "hit@1": 1 / 2,
            "hit@2": 1,
            "precision@1": 1 / 2,
            "precision@2": 1 / 2,
            "recall@1": 1 / 2,
            "recall@2": 1,
            "ndcg@1": 1 / 2,
            "ndcg@2": (1 + 1 / np.log2(3)) / 2,
            "r_precision": 1 / 2,
            "average_precision": 3 / 4,
            "map@r": 1 / 2,
            "mrr": 3 / 4,
        }
    )
    assert found["mrr"] == found.scores["mrr"]
    assert found.protocol == "each of 4 rows of these features searched all others"
    # One label a row: sharing a label is having the same.
    assert {name: found.any_label[name] for name in found} == dict(found)
    assert found.any_label["jaccard_ndcg@2"] == found["ndcg@2"]
    assert found.without_duplicates.scores == found.scores


def test_macro_is_the_mean_over_labels(turned):
    # Of three a's all find an a first; of two b's, 3 finds 2, an a, and 4 finds 3.
    found = penult.evaluate_search(turned([0, 10, 20, 35, 90], "aaabb"), k=1, progress=False)
    assert found["hit@1"].value == 4 / 5
    assert found.macro["hit@1"].value == (1 + 1 / 2) / 2
    assert [(one.label, one.queries, one.scores["hit@1"]) for one in found.labels] == [
        ("b", 2, 1 / 2),
        ("a", 3, 1),
    ]


def test_a_query_without_a_relevant_row_is_counted_and_not_scored(turned):
    found = penult.evaluate_search(turned([0, 10, 60], "aab"), k=1, progress=False)
    assert (found.queries, found.skipped) == (2, 1)
    assert found["hit@1"].value == 1
    assert [one.label for one in found.labels] == ["a"]
    assert "1 of 3 queries has no relevant row to find, and is in no score" in str(found)


def test_rows_of_several_labels_share_some_or_have_the_same(turned):
    rows = turned([0, 10, 25, 80], ["chair|red", "chair", "chair|red", "sofa"])
    found = penult.evaluate_search(rows, k=1, progress=False)
    # 0 finds 1 2 3: the same labels are at rank 2. 2 finds 1 0 3: at rank 2 too.
    assert (found.queries, found.skipped, found.queries_any_label) == (2, 2, 3)
    assert found["average_precision"].value == 1 / 2
    assert found["hit@1"].value == 0
    assert found.any_label["hit@1"].value == 1
    # Jaccard's index of the first hit, by the best there is: 1/2 of 1 for 0 and for 2; 1 for 1.
    assert found.any_label["jaccard_ndcg@1"].value == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)
    # chair has queries 0, 1 and 2; red 0 and 2.
    assert found.macro_any_label["jaccard_ndcg@1"].value == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert found.labels[0].label == "chair"


def test_of_one_image_under_two_sets_of_labels_the_less_relevant_comes_first(turned):
    rows = turned([0, 20, 20, 80], ["b", "b", "a", "a|b"], content=["x", "y", "y", "z"])
    found = penult.evaluate_search(rows, k=1, progress=False)
    # 0 finds 2, an a, before 1, the same image; 1 and 2 find each other; 3 finds 2 or 1, with either of which it shares a label.
    assert found.any_label["hit@1"].value == 1 / 4
    assert found.any_label["jaccard_ndcg@1"].value == (1 / 2) / (1 / 2) / 4


def test_copies_tell_no_more_than_one(make_features):
    once = make_features({"a": 20, "b": 20}, noise=4, content=[f"{k}" for k in range(40)])
    twice = once.take(np.repeat(np.arange(40), 2))
    told = replace(twice, ids=[f"{k}.jpg" for k in range(80)])
    unknown = replace(told, content=[f"{k}" for k in range(80)])
    one, other = (
        penult.evaluate_search(x, k=40, progress=False)["precision@40"] for x in (told, unknown)
    )
    assert one.value == pytest.approx(other.value)
    assert (one.high - one.low) / (other.high - other.low) == pytest.approx(2**0.5, abs=0.15)


def test_near_duplicates_count_as_one(turned):
    # Up to 2.5 degrees apart are 0 and 1, and 4 and 5.
    rows = turned([0, 1, 20, 12, 60, 61, 75], "aaabbbb")
    found = penult.evaluate_search(rows, k=1, near_duplicates=0.999, progress=False)
    assert found.duplicates == 2
    assert found["hit@1"].value == 5 / 7  # all but 2 and 3, which find each other
    # Without them, 0 and 1 find 3 first; 4 and 5 find 6, and 6 finds 5.
    apart = found.without_duplicates
    assert (apart.queries, apart["hit@1"].value) == (7, 3 / 7)
    # The a's have one other to find each, 2 two that are one; a b has two others, one of them two.
    assert found["recall@1"].value == pytest.approx((2 * (1 / 2) + 3 * (1 / 3)) / 7)
    assert apart["recall@1"].value == pytest.approx(3 * (1 / 2) / 7)
    line = "no duplicates: 2 rows whose cosine with another is 0.999 or more counted as one with it"
    assert str(found).endswith(line)


def test_queries_that_only_their_duplicates_were_relevant_to_are_left_out_without_them(turned):
    found = penult.evaluate_search(turned([0, 1, 40, 80], "aabb"), k=1, progress=False)
    assert (found.queries, found.without_duplicates.queries) == (4, 2)
    assert found.without_duplicates.skipped == 2
    assert str(found).endswith("counted as one with it; 2 queries left")


def test_where_no_query_is_left_there_are_scores_of_nothing(turned):
    found = penult.evaluate_search(turned([0, 1, 80, 81], "aabb"), k=1, progress=False)
    apart = found.without_duplicates
    assert (apart.queries, apart.skipped) == (0, 4)
    assert np.isnan(apart["hit@1"].value)
    assert apart.to_dict()["macro"]["hit@1"] == {"value": None, "low": None, "high": None}
    assert str(found).splitlines()[2].split() == ["hit@1", "1.000", "0.398", "to", "1.000", "1.000", "–"]  # fmt: skip


def test_queries_of_another_file_search_the_gallery(turned):
    gallery = turned([0, 40, 80], "aab", content=["x", "y", "z"])
    queries = turned([5, 79], "ab", ids=["p.jpg", "q.jpg"], content=["p", "q"])
    found = penult.evaluate_search(gallery, queries, k=1, progress=False)
    assert (found.queries, found.gallery) == (2, 3)
    assert found["hit@1"].value == 1


@pytest.mark.parametrize(
    ("ids", "content", "hits"),
    [
        pytest.param(["0.jpg"], ["x"], 0, id="the same image does not find itself"),
        pytest.param(["0.jpg"], ["other"], 1, id="another image of the same name"),
        pytest.param(["copy.jpg"], ["x"], 1, id="a copy of it"),
        pytest.param(["0.jpg"], None, 0, id="without digests the rows decide"),
    ],
)
def test_an_image_that_is_in_both_files_does_not_find_itself(turned, ids, content, hits):
    gallery = turned([0, 10, 60], "aba", content=["x", "y", "z"])
    queries = turned([0], "a", ids=ids, content=content)
    found = penult.evaluate_search(gallery, queries, k=1, progress=False)
    assert found["hit@1"].value == hits


def test_labels_are_matched_by_their_names(turned):
    gallery, queries = turned([0, 90], "bc"), turned([1, 89], "ab", ids=["p", "q"])
    found = penult.evaluate_search(gallery, queries, k=1, progress=False)
    assert (found.queries, found.skipped, found["mrr"].value) == (1, 1, 1 / 2)


@pytest.fixture
def crowd(make_features):
    """Rows of three labels with copies, some of which are under another label."""
    features = make_features({"a": 15, "b": 15, "c": 15}, noise=1.5, width=4)
    content = [f"{k:032x}" for k in np.random.default_rng(0).permutation(45)]
    rows, labels = features.features, features.labels
    for one, other in ((0, 1), (2, 20), (3, 40), (16, 17), (18, 44)):
        rows[other], content[other] = rows[one], content[one]
    return replace(features, content=content, labels=labels)


@pytest.mark.parametrize("options", [{}, {"test_size": 0.3, "runs": 2}, {"metric": "euclidean"}])
def test_renaming_files_and_shuffling_rows_changes_no_bit(crowd, options):
    rng = np.random.default_rng(1)
    order = rng.permutation(45)
    other = replace(
        crowd.take(order), ids=[f"renamed {k}" for k in rng.permutation(45)], features=crowd.features[order]
    )  # fmt: skip
    one, same = (
        penult.evaluate_search(x, k=[1, 3], progress=False, **options) for x in (crowd, other)
    )
    assert one.scores == same.scores
    assert one.any_label == same.any_label
    assert one.macro == same.macro
    assert one.without_duplicates == same.without_duplicates
    assert one.labels == same.labels
    assert one.without_duplicates != one


def test_scores_do_not_depend_on_how_many_queries_are_scored_at_a_time(crowd):
    rows = LabelledRows.of(crowd)
    trials = leave_one_out(rows)
    one, other = (
        score_search(rows, trials, k=[3], tell=lambda _: None, block=block) for block in (2, 45)
    )
    assert one == other


def test_scores_are_those_of_a_slow_search(crowd):
    """Pessimistic with copies, and every ranking made by hand."""
    rows = crowd.features / np.linalg.norm(crowd.features, axis=1, keepdims=True)
    precisions = []
    for query in range(45):
        keys = [
            (
                round(float(((rows[query] - rows[k]) ** 2).sum()), 6),
                crowd.content[k],
                crowd.labels[k] == crowd.labels[query],
            )
            for k in range(45)
            if k != query
        ]
        relevant = [key[-1] for key in sorted(keys)]
        ranks = np.flatnonzero(relevant) + 1
        precisions.append(np.mean(np.arange(1, len(ranks) + 1) / ranks))
    found = penult.evaluate_search(crowd, k=1, progress=False)
    assert found["average_precision"].value == pytest.approx(np.mean(precisions), abs=1e-9)


def test_rows_without_a_label_are_left_out_and_counted(turned):
    rows = turned([0, 1, 2, 90, 45], ["a", "", "a", "", "b"])
    found = penult.evaluate_search(rows, k=1, progress=False)
    assert (found.queries, found.gallery, found.unlabelled) == (2, 3, 2)
    assert "2 rows have no label, and were left out" in str(found)


def test_examples_are_the_worst_and_the_best_a_label_each(turned):
    rows = turned([0, 25, 45, 90], "aabb")
    found = penult.evaluate_search(rows, k=1, progress=False)
    assert {one.query for one in found.examples} == {"0.jpg", "1.jpg", "2.jpg", "3.jpg"}
    first = found.examples[0]
    assert first.query in ("1.jpg", "2.jpg")
    assert first.labels == (("a",) if first.query == "1.jpg" else ("b",))
    assert [first.is_right(hit) for hit in first.hits] == [False, True, False]
    assert first.hits[0].similarity == pytest.approx(np.cos(np.deg2rad(20)))


def test_maps_are_flattened(make_features):
    flat = make_features({"a": 4, "b": 4}, width=8, noise=3)
    maps = replace(flat, features=flat.features.reshape(8, 2, 2, 2))
    one, other = (penult.evaluate_search(x, k=1, progress=False) for x in (flat, maps))
    assert one.scores == other.scores


def test_progress_counts_queries_of_all_runs(make_features):
    told: list[Progress] = []
    penult.evaluate_search(
        make_features({"a": 10, "b": 10}), k=1, test_size=0.2, runs=2, progress=told.append
    )
    search = [(now.done, now.total, now.unit) for now in told if now.stage == "search"]
    assert (search[0], search[-1]) == ((0, 8, "queries"), (8, 8, "queries"))


@pytest.mark.needs("pandas")
def test_a_table_has_every_form(turned):
    found = penult.evaluate_search(turned([0, 25, 45, 90], "aabb"), k=1, progress=False)
    frame = found.to_dataframe()
    # Eight scores, and one more by degrees where any label counts; micro and macro, twice.
    assert len(frame) == 2 * 2 * (8 + 9)
    mine = frame[(frame.score == "mrr") & (frame.average == "micro") & (frame.duplicates == "kept")]
    assert mine.value.tolist() == [3 / 4, 3 / 4]


def test_scores_show_what_they_are_of(turned):
    found = penult.evaluate_search(turned([0, 25, 45, 90], "aabb"), k=1, progress=False)
    assert "<b>SearchScores</b>" in found._repr_html_()
    assert repr(found).startswith("SearchScores(4 queries, hit@1 0.500, ")


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        pytest.param({"labels": np.full(4, -1)}, SearchError, "none of the 4 rows has a label, so nothing says which are relevant; put the images into one folder a class", id="no labels"),
        pytest.param({"labels": np.ones(4, int)}, SearchError, r"of one label only \(b\), .* any search would be perfect; give rows of two labels", id="one label"),
        pytest.param({"labels": np.full(4, -1), "targets": np.ones((4, 2), bool)}, SearchError, r"of one label only \(a and b\)", id="the same labels"),
        pytest.param({"labels": np.arange(4), "label_names": tuple("abcd")}, UsageError, "none of 4 queries has a relevant row", id="a label each"),
        pytest.param({"features": np.array([[1, 0], [0, 0], [1, 1], [0, 0]], np.float32)}, SearchError, r"2 rows of zeros \(1.jpg, 3.jpg\), which have no cosine; .* metric='euclidean'", id="zeros"),
        pytest.param({"features": np.array([[1, 0], [np.nan, 0], [1, 1], [0, 1]], np.float32)}, SearchError, r"1 row with NaN or infinite numbers \(1.jpg\)", id="NaN"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_scored_are_one_line(turned, change, error, said):
    rows = replace(turned([0, 25, 45, 90], "aabb"), **change)
    with pytest.raises(error, match=said) as raised:
        penult.evaluate_search(rows, k=1, progress=False)
    assert "\n" not in str(raised.value)


def test_a_gallery_of_one_label_is_perfect_whatever_the_queries(turned):
    gallery, queries = turned([0, 25, 45], "aaa"), turned([0, 25, 45], "aab")
    with pytest.raises(SearchError, match=r"of one label only \(a\)"):
        penult.evaluate_search(gallery, queries, k=1, progress=False)


def test_runs_of_several_sizes_are_all_told(turned, monkeypatch):
    """Groups are never divided, so that one part may be larger than another."""
    drawn = [Trial(np.arange(n), np.arange(n, 6)) for n in (2, 3, 2)]
    monkeypatch.setattr("penult.tasks.evaluate_search.draw_trials", lambda *_: drawn)
    rows = turned([0, 25, 45, 50, 70, 90], "abaabb")
    found = penult.evaluate_search(rows, k=1, test_size=0.4, runs=3, seed=7, progress=False)
    assert found.sizes == ((2, 4), (3, 3), (2, 4))
    assert found.protocol == (
        "3 times, 2 to 3 rows of these features (40%, drawn with seeds 7 to 9) searched the other "
        "3 to 4"
    )
    assert found.to_dict()["sizes"][1] == {"queries": 3, "gallery": 3}
    assert found.queries == 7


def test_rows_of_zeros_have_distances(turned):
    rows = replace(turned([0, 1, 2, 3], "aabb"), features=np.array([[0, 0], [0, 1], [5, 0], [6, 0]], np.float32))  # fmt: skip
    assert penult.evaluate_search(rows, k=1, metric="euclidean", progress=False)["hit@1"].value == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"k": 9}, "k=9 was given, but a query finds no more than 3 rows; give at most 3"),
        ({"k": []}, "k is .* give the length of a list, 1 or more"),
        ({"k": [0]}, "k is .* give the length of a list, 1 or more"),
        ({"runs": 3}, "runs=3 was given; .* test_size=0.2"),
        ({"near_duplicates": 0}, "near_duplicates is 0"),
        ({"seed": -1}, "seed=-1 was given"),
        ({"test_size": 0.5, "queries": "rows.h5"}, "test_size draws queries .* give one of them"),
    ],
)
def test_options_that_cannot_be_right_are_one_line(turned, options, said):
    with pytest.raises(UsageError, match=said) as raised:
        penult.evaluate_search(
            turned([0, 25, 45, 90], "aabb"), **{"k": 1, "progress": False} | options
        )
    assert "\n" not in str(raised.value)


def test_queries_of_another_length_are_refused_though_their_recipe_is_the_same(turned):
    gallery = turned([0, 90], "ab")
    queries = replace(gallery, features=np.ones((2, 5), np.float32))
    with pytest.raises(SearchError, match="queries have 5 numbers, and those of the gallery 2"):
        penult.evaluate_search(gallery, queries, k=1, progress=False)


def test_a_single_row_has_no_other_to_find(turned):
    with pytest.raises(SearchError, match=r"of one label only \(a\)"):
        penult.evaluate_search(turned([0], "a"), k=1, progress=False)


def test_the_file_whose_rows_cannot_be_scored_is_named(tmp_path):
    records = [feature_files.record(f"{k}.jpg", "a") for k in range(2)]
    good = feature_files.write(tmp_path / "good.h5", records, [np.eye(2, dtype=np.float32)])
    for value in (0, np.nan):
        rows = np.array([[1, 1], [value, 0]], np.float32)
        bad = feature_files.write(tmp_path / f"{value}.h5", records, [rows])
        with pytest.raises(
            SearchError, match=rf"{value}\.h5: 1 row (of zeros|with NaN).*\(1\.jpg\)"
        ):
            penult.evaluate_search(good, bad, k=1, progress=False)


def test_queries_that_were_made_otherwise_are_refused(turned, recipe):
    gallery = turned([0, 90], "ab")
    queries = turned([0, 90], "ab", recipe=replace(recipe, pooling="max"))
    with pytest.raises(RecipeMismatchError, match="pooling: 'avg' and 'max'"):
        penult.evaluate_search(gallery, queries, k=1, progress=False)
