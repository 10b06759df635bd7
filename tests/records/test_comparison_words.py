"""A comparison as text, in a notebook, and flat."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import comparisons
import pytest

from penult.records import Failure, ModelCost, RunScores, comparison_sentences, comparison_tables
from penult.records.comparison_words import in_units
from penult.representation import text_table
from penult.tabular import comparison_table

pytestmark = pytest.mark.light


@pytest.mark.parametrize("number", [2, 8, 30])
def test_tables_fit_80_columns_and_names_stay_different(number):
    made = comparisons.many_models(number)
    wide = [replace(row, name=f"{row.name}{'/a.longer.layer' * 3}") for row in made.rows]
    for found in (made, replace(made, rows=tuple(wide))):
        for _, rows in comparison_tables(found):
            assert len({name for name, *_ in rows}) == number + 1
            assert len({len(row) for row in rows}) == 1
        assert max(map(len, _tables(found))) <= 80


def test_the_widest_numbers_fit_as_well():
    wild = RunScores((0.0, 1.0, 0.9))
    cost = ModelCost(
        parameters=99_949_999, flops=99_949_999_999, images_per_second=99_999, peak_memory=9_994_999_999
    )  # fmt: skip
    made = comparisons.many_models(4)
    rows = [replace(row, cost=cost, scores=dict.fromkeys(row.scores, wild)) for row in made.rows]
    made = replace(made, rows=tuple(rows))
    # At a terminal, a table begins with a blank.
    assert max(map(len, _tables(made, 79))) <= 79


def test_the_first_table_says_what_decides():
    title, rows = comparison_tables(comparisons.flowers(), None)[0]
    assert not title
    assert rows[0] == ("model", "accuracy", "vs best", "images/s", "params", "FLOPs", "memory")
    told = {name: cells for name, *cells in rows[1:]}
    assert next(iter(told)) == "efficientnet_lite0+efficientnet_lite2"
    assert [cells[1] for cells in told.values()] == ["best", "≈ best", "≈ best", *["worse"] * 3]
    assert told["efficientnet_lite1 ◀"][2:] == ["77.9", "5.42 M", "1.24 G", "365 MB"]
    assert told["efficientnet_lite0"][2] == "115"


def test_a_score_has_its_spread_over_several_runs_and_none_of_one():
    made = comparisons.two_models()
    rows = [replace(row, scores={"accuracy": RunScores((0.5, 0.6))}) for row in made.rows]
    several = comparison_tables(replace(made, rows=tuple(rows)))[0][1]
    assert several[1][1] == "55.0% ± 7.1"
    rows = [replace(row, scores={"accuracy": RunScores((0.5,))}) for row in made.rows]
    assert comparison_tables(replace(made, rows=tuple(rows)))[0][1][1][1] == "50.0%"


def test_other_scores_are_those_by_which_it_is_not_sorted():
    made = comparisons.flowers(score="precision@5")
    (_, first), (title, second) = comparison_tables(made)
    assert first[0][1] == "prec@5"
    assert title == "other scores:"
    assert second[0] == (
        "model", "accuracy", "k-NN", "hit@1", "hit@5", "macro F1", "soft F1", "ECE",
    )  # fmt: skip


def test_scores_that_one_right_label_gives_are_shown_where_they_differ():
    assert len(comparison_tables(comparisons.flowers())) == 2
    title, rows = comparison_tables(comparisons.several_labels())[2]
    assert title == "one right label is enough:"
    assert rows[0] == ("model", "accuracy", "k-NN", "hit@1", "hit@5", "prec@5")
    assert (rows[1][1], rows[1][3]) == ("88.1%", "83.0%")


def test_what_was_not_measured_or_compared_has_no_column():
    assert comparison_tables(comparisons.without_costs())[0][1][0] == (
        "model", "accuracy", "vs best",
    )  # fmt: skip
    assert "vs best" not in comparison_tables(comparisons.one_model())[0][1][0]
    empty = comparisons.flowers(rows=(), recommended=None, reason="")
    assert comparison_tables(empty) == []
    assert comparison_sentences(empty) == ["nothing could be compared"]


def test_a_score_that_one_of_them_lacks_is_a_dash():
    first, *rest = comparisons.flowers().rows
    fewer = {name: one for name, one in first.scores.items() if name != "soft_f1"}
    made = comparisons.flowers(rows=(replace(first, scores=fewer), *rest))
    _, rows = comparison_tables(made)[1]
    assert [row[rows[0].index("soft F1")] for row in rows[1:3]] == ["–", "88.6%"]
    columns, cells = comparison_table(made)
    assert cells[0][columns.index("soft_f1")] is None
    assert columns.index("soft_f1") == columns.index("macro_f1_std") + 1


def test_sentences_say_which_to_take_first():
    lines = comparison_sentences(comparisons.flowers())
    assert lines[0] == "◀ efficientnet_lite1: within noise of the best, and the fastest of those"
    assert lines[1].startswith("accuracy: mean ± standard deviation of 3 runs; stratified 80/20")
    assert "left out: 4 images, classes of fewer than 10 images" in lines
    assert lines[-1] == (
        "images/s, memory: by openvino on cpu; Intel(R) Xeon(R) Platinum 8481C, 2 cores"
    )
    assert comparison_sentences(comparisons.one_run())[1] == (
        "accuracy: of one run; the images' own splits"
    )


def test_where_none_is_recommended_the_reason_has_no_mark():
    reason = "only a could be scored: there is nothing to choose from."
    made = comparisons.one_model(reason=reason)
    assert comparison_sentences(made)[0] == reason
    assert "◀" not in str(made)


def test_the_different_images_that_several_runs_hold_out_are_counted():
    made = comparisons.flowers()
    pairs = tuple(replace(one, images=652) for one in made.differences)
    line = comparison_sentences(replace(made, differences=pairs))[1]
    assert line.endswith("; 652 different held-out images")
    once = comparisons.one_run(differences=pairs)
    assert "different" not in comparison_sentences(once)[1]


def test_equal_scores_are_not_called_noise():
    made = comparisons.flowers()
    rows = tuple(replace(row, scores=made.rows[0].scores) for row in made.rows)
    pairs = tuple(replace(one, separable=False) for one in made.differences)
    made = replace(made, rows=rows, differences=pairs)
    assert [row[2] for row in comparison_tables(made)[0][1][1:]] == ["best", *["= best"] * 5]
    assert "separable" not in " ".join(comparison_sentences(made))


def test_random_weights_and_images_that_could_not_be_read_are_told_of():
    first, *rest = comparisons.flowers().rows
    rows = (replace(first, untrained=True), *rest)
    broken = tuple(Failure(f"{k}.jpg", "not an image") for k in range(5))
    lines = comparison_sentences(comparisons.flowers(rows=rows, failures=broken))
    assert any(line.startswith("random weights: 1 of them; ") for line in lines)
    assert (
        "5 images could not be read: 0.jpg: not an image; 1.jpg: not an image; "
        "2.jpg: not an image; and 2 more"
    ) in lines


def test_a_spread_is_as_precise_as_its_mean_and_no_more():
    spreads = [RunScores((0.5, 0.5 + gap)).spread for gap in (0.0, 0.0001, 0.1, 0.2)]
    assert spreads == ["± 0.0", "± <0.1", "± 7.1", "± 14"]
    assert (RunScores(()).percent, RunScores((0.9999,)).percent) == ("–", "99.9%")


def test_images_without_a_row_are_counted():
    first, *rest = comparisons.flowers().rows
    made = comparisons.flowers(rows=(replace(first, missing=2), *rest))
    assert f"{first.name}: 2 images without a row" in comparison_sentences(made)


def test_as_text_it_has_the_tables_the_advice_and_what_was_skipped():
    lines = str(comparisons.flowers()).splitlines()
    assert lines[0].split() == [
        "model", "accuracy", "vs", "best", "images/s", "params", "FLOPs", "memory",
    ]  # fmt: skip
    assert lines[-1] == (
        "skipped nasnetalarge: not enough memory: it asked for 3.1 GB of 2.0 GB"
    )  # fmt: skip


def test_in_a_notebook_it_is_the_same_tables_with_whole_names():
    page = comparisons.many_models(4)._repr_html_()
    assert "vit_base_patch2_224.augreg2_in21k_ft_in1k/blocks.11" in page
    assert page.count("<table") == 3  # facts, what decides, other scores
    skipped = comparisons.flowers()._repr_html_()
    assert "≈ best" in skipped
    assert "nasnetalarge: not enough memory" in skipped


def test_in_one_line_it_has_the_best_and_the_recommended():
    assert repr(comparisons.flowers()) == (
        "Comparison(6 models, best accuracy: efficientnet_lite0+efficientnet_lite2 95.0%, "
        "efficientnet_lite2 94.6%, efficientnet_lite1 94.2%, recommended: efficientnet_lite1, "
        "2 skipped)"
    )


def test_flat_rows_have_a_mean_and_a_spread_for_each_score():
    made = comparisons.several_labels()
    columns, rows = comparison_table(made)
    assert columns[:7] == [
        "name", "model", "layer", "precision", "views", "accuracy", "accuracy_std",
    ]  # fmt: skip
    assert columns.index("any_label_hit@1_std") == columns.index("any_label_hit@1") + 1
    assert not any(isinstance(cell, dict | list | tuple) for row in rows for cell in row)
    first = dict(zip(columns, rows[0], strict=True))
    assert first["accuracy"] == made.rows[0].scores["accuracy"].mean
    assert first["any_label_accuracy"] == made.rows[0].any_label["accuracy"].mean
    assert first["input_size"] == "224x224|260x260"
    assert first["licence"] == "apache-2.0|apache-2.0"
    assert first["threads"] == 2


def test_a_dataframe_has_them_typed():
    if find_spec("pandas") is None:
        pytest.skip("pandas is not installed")
    frame = comparisons.flowers().to_dataframe()
    columns, rows = comparison_table(comparisons.flowers())
    assert list(frame.columns) == columns
    assert str(frame["parameters"].dtype) == "Int64"
    assert str(frame["accuracy"].dtype) == "float64"
    assert frame["views"].isna().tolist() == [row[4] is None for row in rows]
    unknown = comparisons.without_costs().to_dataframe()
    assert unknown["flops"].isna().all()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (None, "–"),
        (0, "0"),
        (999, "999"),
        (1000, "1.00 k"),
        (9_994, "9.99 k"),
        (9_996, "10.0 k"),
        (99_960, "100 k"),
        (999_499, "999 k"),
        (999_501, "1.00 M"),
        (2 * 10**18, "2,000 P"),
    ],
)
def test_large_numbers_in_three_digits(number, words):
    assert in_units(number) == words


def _tables(made, width=80):
    """The lines of all tables."""
    texts = [text_table(rows) for _, rows in comparison_tables(made, width)]
    return "\n".join(texts).splitlines()


def test_a_network_without_the_score_that_ranks_has_a_dash_and_the_others_are_shown():
    made = comparisons.two_models()
    first, second = made.rows
    rows = (first, replace(second, scores={}))
    lacking = replace(made, rows=rows, differences=(), recommended=None)
    told = {name.split()[0]: cells for name, *cells in comparison_tables(lacking, None)[0][1][1:]}
    assert told[second.name][0] == "–"
    assert first.name in repr(lacking)
    assert second.name not in repr(lacking)
    assert "±" in str(lacking)


def test_the_best_is_the_first_that_none_is_better_than_and_not_one_with_fewer_images():
    made = comparisons.two_models()
    second = made.rows[1]
    (known,) = made.differences
    behind = replace(known, difference=-0.05, low=-0.08, high=-0.02, separable=True)
    found = replace(made, differences=(behind,))
    assert found.best == second.name
    assert [cells[2] for cells in comparison_tables(found, None)[0][1][1:]] == ["worse", "best"]
    assert replace(made, rows=(), differences=()).best == ""


def test_a_run_that_could_not_be_scored_is_no_sign_of_several_labels():
    made = comparisons.two_models()
    rows = [
        replace(
            row,
            scores={
                **row.scores,
                "hit@5": RunScores((0.9, float("nan"))),
            },
            any_label={**row.any_label, "hit@5": RunScores((0.9, float("nan")))},
        )
        for row in made.rows
    ]
    titles = [title for title, _ in comparison_tables(replace(made, rows=tuple(rows)))]
    assert titles == [title for title, _ in comparison_tables(made)]


def test_a_compared_network_has_a_repr_with_and_without_a_cost():
    row = comparisons.two_models().rows[0]
    assert "cost=" in repr(row)
    assert "cost=" not in repr(replace(row, cost=ModelCost()))


def test_a_joined_network_that_has_no_room_says_how_many_it_is_of():
    first, second = comparisons.two_models().rows
    joined = "efficientnet_lite0+efficientnet_lite1+efficientnet_lite2"
    rows = (replace(first, name=joined), replace(second, name="efficientnet_lite2"))
    made = replace(comparisons.two_models(), rows=rows, recommended=None, differences=())
    narrow = "\n".join(_tables(made, 79))
    assert "e0+2 more" in narrow
    two = replace(made, rows=(rows[0], replace(second, name=f"{joined}+vgg16")))
    assert "e0+2 more" in "\n".join(_tables(two, 79))
    assert "e0+3 more" in "\n".join(_tables(two, 79))
