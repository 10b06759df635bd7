"""Each formula on lists worked out by hand, and beside trec_eval's."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest

from penult.retrieve.evaluation.at_k import hit_at_k, precision_at_k, recall_at_k
from penult.retrieve.evaluation.ndcg import ndcg_at_k
from penult.retrieve.evaluation.query_scores import score_queries
from penult.retrieve.evaluation.whole_ranking import (
    average_precision,
    map_at_r,
    r_precision,
    reciprocal_rank,
)

pytestmark = pytest.mark.light


def ranked(text):
    """Y is a relevant row, N is not; nearest first."""
    return np.array([[letter == "Y" for letter in text]])


@pytest.mark.parametrize(
    ("ranking", "expected"),
    [
        pytest.param("YN", 1, id="relevant first"),
        pytest.param("NY", 1 / 2, id="relevant last"),
        pytest.param("YNY", (1 / 1 + 2 / 3) / 2, id="gap in the middle"),
        pytest.param("NNYY", (1 / 3 + 2 / 4) / 2, id="both late"),
        pytest.param("YYY", 1, id="all relevant"),
    ],
)
def test_average_precision_divides_by_all_relevant_rows(ranking, expected):
    assert average_precision(ranked(ranking)) == pytest.approx([expected], abs=1e-15)


@pytest.mark.parametrize(
    ("ranking", "expected"),
    [
        pytest.param("YNN", 1, id="the first of one"),
        pytest.param("NYN", 0, id="the second of one"),
        pytest.param("YNY", 1 / 2, id="one of the first two"),
        pytest.param("NYYNY", 2 / 3, id="two of the first three"),
    ],
)
def test_r_precision_looks_at_as_many_ranks_as_rows_are_relevant(ranking, expected):
    assert r_precision(ranked(ranking)) == pytest.approx([expected])


@pytest.mark.parametrize(
    ("ranking", "expected"),
    [
        pytest.param("YNN", 1, id="the first of one"),
        pytest.param("NYN", 0, id="what comes after rank R does not count"),
        pytest.param("YNY", (1 / 1 + 0) / 2, id="the second comes too late"),
        # The example of Musgrave et al., with ten relevant rows: the first is right, nine are not.
        pytest.param("Y" + "N" * 9 + "Y" * 9, (1 / 1) / 10, id="one right, nine wrong"),
        pytest.param("NYYNY", (1 / 2 + 2 / 3) / 3, id="two of three, late"),
    ],
)
def test_map_at_r_sums_the_precision_of_the_first_r_ranks(ranking, expected):
    assert map_at_r(ranked(ranking)) == pytest.approx([expected])


@pytest.mark.parametrize(("ranking", "expected"), [("YNY", 1), ("NYY", 1 / 2), ("NNNY", 1 / 4)])
def test_reciprocal_rank_is_of_the_first_relevant_row(ranking, expected):
    assert reciprocal_rank(ranked(ranking)) == [expected]


@pytest.mark.parametrize(
    ("ranking", "k", "hit", "precision", "recall"),
    [
        ("NYNYY", 1, 0, 0, 0),
        ("NYNYY", 2, 1, 1 / 2, 1 / 3),
        ("NYNYY", 4, 1, 2 / 4, 2 / 3),
        pytest.param("YNN", 5, 1, 1 / 5, 1, id="k beyond the end divides all the same"),
    ],
)
def test_the_first_k_are_a_hit_a_share_of_k_and_a_share_of_all(ranking, k, hit, precision, recall):
    rows = ranked(ranking)
    found = [formula(rows, k)[0] for formula in (hit_at_k, precision_at_k, recall_at_k)]
    assert found == pytest.approx([hit, precision, recall])


@pytest.mark.parametrize(
    ("gain", "k", "expected"),
    [
        pytest.param([1, 0, 0], 2, 1, id="best"),
        pytest.param([0, 1, 0], 2, 1 / log2(3), id="at rank two"),
        pytest.param([0, 0, 1], 2, 0, id="too late"),
        pytest.param([0, 1, 1], 3, (1 / log2(3) + 1 / 2) / (1 + 1 / log2(3)), id="two of three"),
        pytest.param([0.5, 1.0, 0], 2, (0.5 + 1 / log2(3)) / (1 + 0.5 / log2(3)), id="graded"),
        # The best ranking takes the gain that this one has beyond k.
        pytest.param([0.5, 0, 1.0], 1, 0.5, id="the best one is beyond k"),
    ],
)
def test_ndcg_is_the_gain_beside_that_of_the_best_ranking(gain, k, expected):
    assert ndcg_at_k(np.array([gain], float), k) == pytest.approx([expected])
    if set(gain) <= {0, 1}:
        assert ndcg_at_k(np.array([gain], bool), k) == pytest.approx([expected])


def test_a_query_without_a_relevant_row_has_no_score():
    scores = score_queries(np.array([[False, False, False], [True, False, False]]), [1, 3])
    assert all(np.isnan(values[0]) and values[1] > 0 for values in scores.values())


def test_a_gallery_without_rows_has_no_score():
    scores = score_queries(np.zeros((2, 0), bool), [1])
    assert all(np.isnan(values).all() for values in scores.values())


@pytest.mark.needs("pytrec_eval")
def test_scores_are_those_of_trec_eval():
    """Where the definitions are the same; ties aside, for the ranks themselves are its scores."""
    import pytrec_eval

    rng = np.random.default_rng(0)
    relevant = rng.random((30, 40)) < rng.random((30, 1)) ** 2
    relevant = relevant[relevant.any(axis=1)]
    judged = {
        f"q{q}": {f"d{place:02}": int(one) for place, one in enumerate(row)}
        for q, row in enumerate(relevant)
    }
    run = {query: {name: 1000.0 - int(name[1:]) for name in rows} for query, rows in judged.items()}
    theirs = {
        "hit@5": "success_5",
        "precision@1": "P_1",
        "precision@5": "P_5",
        "recall@5": "recall_5",
        "ndcg@1": "ndcg_cut_1",
        "ndcg@5": "ndcg_cut_5",
        "r_precision": "Rprec",
        "average_precision": "map",
        "mrr": "recip_rank",
    }
    asked = {"map", "Rprec", "recip_rank", "success.5", "P.1,5", "recall.5", "ndcg_cut.1,5"}
    found = pytrec_eval.RelevanceEvaluator(judged, asked).evaluate(run)
    ours = score_queries(relevant, [1, 5])
    assert len(relevant) > 20
    for name, their_name in theirs.items():
        expected = [found[f"q{q}"][their_name] for q in range(len(relevant))]
        np.testing.assert_allclose(ours[name], expected, atol=1e-12, err_msg=name)


def test_graded_ndcg_is_that_of_scikit_learn():
    from sklearn.metrics import ndcg_score

    gain = np.random.default_rng(1).integers(0, 4, (20, 12)) / 3
    order = np.tile(np.arange(12, 0, -1.0), (20, 1))
    for k in (1, 5, 12):
        ours = ndcg_at_k(gain, k)
        theirs = [ndcg_score([a], [b], k=k) for a, b in zip(gain, order, strict=True)]
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
