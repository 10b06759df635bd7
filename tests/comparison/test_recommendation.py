"""Which network to take: a sentence for each case."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest

from penult.comparison.recommendation import recommend
from penult.records.compared_model import ComparedModel
from penult.records.model_cost import ModelCost
from penult.records.model_difference import ModelDifference
from penult.records.run_scores import RunScores

pytestmark = pytest.mark.light


def row(name, accuracy, speed=None, *, features=1_280, **cost):
    return ComparedModel(
        name=name,
        model=name,
        layer="penultimate",
        features=features,
        images=1_360,
        untrained=", random" in name,
        scores={"accuracy": RunScores((accuracy,))},
        any_label={},
        cost=ModelCost(images_per_second=speed, **cost),
    )


def pair(a, b, low, high, *, separable=False, images=340):
    return ModelDifference(
        a=a,
        b=b,
        score="accuracy",
        difference=(low + high) / 2,
        low=low,
        high=high,
        p=0.01 if separable else 0.5,
        separable=separable,
        images=images,
    )


def advice(rows, *pairs):
    return recommend(rows, pairs, score="accuracy")


def noise(*names, low=-0.01, high=0.02, **given):
    """All pairs of these, none separable."""
    return [pair(a, b, low, high, **given) for k, a in enumerate(names) for b in names[k + 1 :]]


def test_the_fastest_of_those_within_noise_of_the_best_is_taken():
    rows = [row("lite2", 0.969, 100), row("lite1", 0.966, 200), row("lite0", 0.92, 300)]
    behind = pair("lite2", "lite0", 0.03, 0.07, separable=True)
    assert advice(rows, *noise("lite2", "lite1"), behind) == (
        "lite1",
        "lite1: within noise of the best (lite2, 96.9%), and 2.0 times as fast.",
    )


def test_the_best_is_taken_where_it_is_better_than_all_others():
    rows = [row("lite2", 0.971, 100), row("lite1", 0.952, 200), row("lite0", 0.92, 300)]
    behind = [pair("lite2", name, 0.01, 0.05, separable=True) for name in ("lite1", "lite0")]
    assert advice(rows, *behind) == (
        "lite2",
        "lite2: better than all others by more than noise (97.1%, the next has 95.2%).",
    )
    assert advice(rows[:2], behind[0])[1] == (
        "lite2: better than the other by more than noise (97.1%, it has 95.2%)."
    )


def test_a_speed_that_differs_by_less_than_a_quarter_does_not_count():
    rows = [row("a", 0.96, 100), row("b", 0.95, 124)]
    assert advice(rows, *noise("a", "b")) == (
        "a",
        "a: the best (96.0%), and none within noise of it is clearly faster.",
    )
    rows = [row("a", 0.96, 100), row("b", 0.95, 205), row("c", 0.94, 210)]
    name, reason = advice(rows, *noise("a", "b", "c"))
    assert (name, reason.endswith("and 2.0 times as fast.")) == ("b", True)


@pytest.mark.parametrize(
    ("other", "taken"),
    [
        ({"network_images_per_second": 120, "flops": 400}, "b"),
        ({"network_images_per_second": 120, "flops": 600}, "a"),
        ({"network_images_per_second": 60, "flops": 400}, "a"),
        ({"network_images_per_second": 120}, "a"),
    ],
    ids=["all agree", "more FLOPs", "a slower network", "FLOPs unknown"],
)
def test_a_smaller_one_counts_where_the_network_alone_and_the_flops_agree(other, taken):
    best = row("a", 0.96, 100, network_images_per_second=100, flops=500)
    assert advice([best, row("b", 0.95, 112, **other)], *noise("a", "b"))[0] == taken
    slower = row("b", 0.95, 105, network_images_per_second=200, flops=100)
    assert advice([best, slower], *noise("a", "b"))[0] == "a"


@pytest.mark.parametrize(
    ("first", "second", "taken"),
    [
        # Most turns of the one are faster than most of the other, or not.
        ({"images_per_second_high": 110}, {"images_per_second_low": 111}, "b"),
        ({"images_per_second_high": 115}, {"images_per_second_low": 111}, "a"),
        # Half of the processor was left, and a tenth less, which is noise; or for the other.
        ({"processor_rate": 50}, {"processor_rate": 100}, "a"),
        ({"processor_rate": 95}, {"processor_rate": 100}, "b"),
        ({"processor_rate": 100}, {"processor_rate": 50}, "b"),
        # What computes more has to be faster without the photos, too.
        ({"flops": 5, "parameters": 5}, {"flops": 6, "parameters": 6}, "a"),
        ({"flops": 5, "parameters": 5}, {"flops": 6, "parameters": 4}, "b"),
        (
            {"flops": 5, "parameters": 5, "network_images_per_second": 100},
            {"flops": 6, "parameters": 6, "network_images_per_second": 130},
            "b",
        ),
    ],
)
def test_an_advantage_that_may_be_the_machines_doing_does_not_count(first, second, taken):
    rows = [row("a", 0.96, 100, **first), row("b", 0.95, 130, **second)]
    assert advice(rows, *noise("a", "b"))[0] == taken


def test_what_is_told_of_the_speed_is_without_what_the_machine_did_meanwhile():
    rows = [row("a", 0.96, 100, processor_rate=50), row("b", 0.95, 300, processor_rate=100)]
    name, reason = advice(rows, *noise("a", "b"))
    assert (name, "1.5 times as fast" in reason) == ("b", True)


def test_nearly_the_fastest_but_no_faster_than_the_best_is_not_taken():
    rows = [row("a", 0.96, 100), row("b", 0.95, 115), row("c", 0.94, 130)]
    assert advice(rows, *noise("a", "b", "c"))[0] == "c"


@pytest.mark.parametrize(
    ("best", "other", "words"),
    [
        ({"flops": 1_000}, {"flops": 400}, "with 40% of its FLOPs"),
        (
            {"flops": 400, "parameters": 50},
            {"flops": 400, "parameters": 10},
            "with 20% of its parameters",
        ),
        ({"flops": 400, "parameters": 50}, {"parameters": 10}, "with 20% of its parameters"),
        (
            {"speed": 100, "flops": 900},
            {"speed": None, "flops": 300},
            "with 33% of its FLOPs",
        ),
        (
            {"speed": 100, "threads": 8, "flops": 900},
            {"speed": 50, "threads": 2, "flops": 300},
            "with 33% of its FLOPs",
        ),
    ],
    ids=["flops", "parameters", "flops of one", "speed of one", "other threads"],
)
def test_where_speeds_do_not_compare_the_size_decides(best, other, words):
    rows = [row("a", 0.96, **best), row("b", 0.95, **other)]
    assert advice(rows, *noise("a", "b")) == (
        "b",
        f"b: within noise of the best (a, 96.0%), and {words}.",
    )


def test_the_better_score_is_taken_where_the_sizes_hardly_differ():
    rows = [row("a", 0.96, flops=500, parameters=50), row("b", 0.95, flops=410, parameters=41)]
    assert advice(rows, *noise("a", "b")) == (
        "a",
        "a: the best (96.0%), and none within noise of it has clearly fewer FLOPs or parameters.",
    )


def test_the_fewest_parameters_with_many_more_flops_are_not_cheaper():
    rows = [row("a", 0.96, flops=500, parameters=50), row("b", 0.95, flops=700, parameters=10)]
    assert advice(rows, *noise("a", "b"))[0] == "a"


def test_short_rows_decide_only_where_no_score_is_lower():
    long, short = row("a", 0.96, features=2_560), row("b", 0.95, features=1_280)
    assert advice([long, short], *noise("a", "b")) == (
        "a",
        "a: the best (96.0%); costs were not measured.",
    )
    equal = row("b", 0.96, features=1_280)
    assert advice([long, equal], *noise("a", "b")) == (
        "b",
        "b: as good as a (both have 96.0%), and with 50% of its features.",
    )
    found = replace(long, scores={**long.scores, "hit@1": RunScores((0.9,))})
    misses = replace(equal, scores={**equal.scores, "hit@1": RunScores((0.8,))})
    assert advice([found, misses], *noise("a", "b"))[0] == "a"
    slow = [row("a", 0.96, 200, features=2_560), row("b", 0.96, 100, features=1_280)]
    assert advice(slow, *noise("a", "b"))[0] == "a"


def test_of_equals_the_one_that_ranks_first_is_taken():
    rows = [row(name, 1.0, 100) for name in "abc"]
    assert advice(rows, *noise("a", "b", "c")) == (
        "a",
        "a: all 3 have 100%, and none is clearly faster.",
    )
    rows[2] = row("c", 1.0, 200)
    assert advice(rows, *noise("a", "b", "c")) == (
        "c",
        "c: as good as a (all 3 have 100%), and 2.0 times as fast.",
    )


def test_a_network_with_random_weights_is_taken_only_where_there_is_no_other():
    rows = [row("a, random", 0.99, 300), row("b", 0.9, 100), row("c", 0.89, 200)]
    behind = [pair("a, random", name, 0.05, 0.1, separable=True) for name in "bc"]
    assert advice(rows, *behind, *noise("b", "c")) == (
        "c",
        "c: within noise of the best trained one (b, 90.0%), and 2.0 times as fast.",
    )
    apart = pair("b", "c", 0.01, 0.03, separable=True)
    assert advice(rows, *behind, apart) == (
        "b",
        "b: better than the other trained one by more than noise (90.0%, it has 89.0%).",
    )
    assert advice(rows[:2], *behind) == ("b", "b: the only one with trained weights (90.0%).")
    rows = [rows[0], row("b, bfloat16, random", 0.9, 100)]
    apart = pair("a, random", rows[1].name, 0.05, 0.1, separable=True)
    assert advice(rows, apart) == (
        "a, random",
        "a, random: better than the other by more than noise (99.0%, it has 90.0%); all weights "
        "are random: no more than a baseline for trained ones.",
    )


def test_a_large_loss_that_cannot_be_excluded_is_named():
    rows = [row("a", 0.96, 100), row("b", 0.95, 200)]
    assert advice(rows, pair("a", "b", -0.02, 0.041))[1] == (
        "b: within noise of the best (a, 96.0%), and 2.0 times as fast; it may be up to 4.1 points "
        "worse: more images or runs would tell."
    )
    assert "worse" not in advice(rows, pair("a", "b", -0.05, 0.03))[1]
    assert "4.1 points worse" in advice(rows, pair("b", "a", -0.041, 0.02))[1]


def test_so_is_what_the_best_may_lack_of_another():
    rows = [row("a", 0.96, 100), row("b", 0.95, 100), row("c", 0.94, 90)]
    pairs = [pair("a", "b", -0.035, 0.04), pair("a", "c", -0.01, 0.05), pair("b", "c", 0, 0.1)]
    assert advice(rows, *pairs)[1] == (
        "a: the best (96.0%), and none within noise of it is clearly faster; b may be up to "
        "3.5 points better: more images or runs would tell."
    )


def test_of_few_images_that_tell_nothing_apart_the_cheapest_is_taken_with_a_caution():
    rows = [row(name, 0.5, speed) for name, speed in zip("abcd", (1, 2, 3, 4), strict=True)]
    # of six pairs, 8 images have to agree: 6 * 2 / 2**8 = 0.047, and 8 of 12 are 67 points
    assert advice(rows, *noise(*"abcd", images=12)) == (
        "d",
        "only 12 held-out images, on which no two of the 4 can be told apart: d is the fastest; on "
        "so few, only a difference of about 67 points, on which all images agree, would be more "
        "than noise: more images or more runs would tell.",
    )
    assert advice(rows[:2], *noise("a", "b", images=1)) == (
        "b",
        "only 1 held-out image, on which the two cannot be told apart: b is the fastest; on so "
        "few, no difference could be more than noise: more images or more runs would tell.",
    )
    better = [row("a", 0.6), row("b", 0.5)]
    assert "apart: a scores best; costs were not" in advice(better, *noise("a", "b", images=12))[1]
    unknown = [row("a", 0.5), row("b", 0.5, flops=10)]
    name, reason = advice(unknown, *noise("a", "b", images=12))
    assert (name, "apart: a scores as well as the rest; costs were not measured; on" in reason) == (
        "a",
        True,
    )


def test_images_of_several_runs_are_counted_once_and_that_is_said():
    rows = [
        replace(row(name, 0.5, speed), scores={"accuracy": RunScores((0.5, 0.4, 0.6))})
        for name, speed in (("a", 1), ("b", 1))
    ]
    assert advice(rows, *noise("a", "b", images=48))[1].startswith(
        "only 48 different held-out images over 3 runs, on which the two cannot be told apart: a "
        "scores as well as the rest, and none is clearly faster; on so few"
    )


def test_images_are_few_where_ten_points_would_not_be_separable():
    rows = [row("a", 0.5, 1), row("b", 0.5, 2)]  # 6 images have to agree: 2 / 2**6 = 0.03
    assert advice(rows, *noise("a", "b", images=59))[1].startswith("only 59")
    assert advice(rows, *noise("a", "b", images=60))[1].startswith("b: as good as a")


def test_a_network_that_equals_another_on_all_images_makes_them_no_fewer():
    rows = [row(name, 0.5, 1) for name in "abc"]
    same = pair("b", "c", 0.0, 0.0, images=60)
    others = [pair("a", name, -0.1, 0.1, images=60) for name in "bc"]
    assert advice(rows, same, *others)[1].startswith("a: all 3 have 50.0%")
    assert advice(rows, *noise(*"abc", images=60))[1].startswith("only 60")


def test_few_images_may_still_tell_some_apart():
    rows = [row("a", 0.9, 1), row("b", 0.9, 2), row("c", 0.2, 3)]
    behind = [pair(name, "c", 0.4, 0.9, separable=True, images=20) for name in "ab"]
    name, reason = advice(rows, pair("a", "b", -0.2, 0.2, images=20), *behind)
    assert name == "b"
    assert "it may be up to 20.0 points worse" in reason


def test_fewer_than_two_leave_no_choice():
    assert advice([]) == (None, "no network could be scored: there is nothing to choose from.")
    only = "only a could be scored: there is nothing to choose from."
    assert advice([row("a", 0.9)]) == (None, only)
    assert advice([row("a", 0.9), row("b", nan)]) == ("a", "a: the only one of 2 that has a score.")


def test_a_network_scored_on_other_images_is_not_taken_for_as_good():
    rows = [row("a", 0.96, 100), row("b", 0.95, 200), row("c", 0.8, 300)]
    assert advice(rows, pair("a", "c", 0.1, 0.2, separable=True)) == (
        "a",
        "a: better than all that share images with it by more than noise (96.0%, the next has "
        "80.0%).",
    )
    assert advice(rows) == ("a", "a: the best (96.0%), on images that no other was scored on.")


def test_a_mean_over_easier_images_does_not_make_a_network_the_best():
    rows = [row("easy", 0.98, 100), row("good", 0.96, 100)]
    assert advice(rows, pair("easy", "good", -0.08, -0.02, separable=True)) == (
        "good",
        "good: better than the other by more than noise, on the images that both have.",
    )


def test_of_the_same_network_with_other_weights_neither_is_faster():
    same = {"flops": 800, "parameters": 4, "input_size": ((224, 224),), "engine": "openvino"}
    rows = [row("lite0", 0.93, 34.8, **same), row("flowers.ckpt", 0.93, 77.0, **same)]
    assert advice(rows, *noise("lite0", "flowers.ckpt"))[0] == "lite0"
    # Another network may be.
    rows[1] = row("other", 0.93, 77.0, **{**same, "flops": 700})
    assert advice(rows, *noise("lite0", "other"))[0] == "other"
    rows[1] = replace(rows[1], cost=replace(rows[0].cost, images_per_second=77.0, engine="torch"))
    assert advice(rows, *noise("lite0", "other"))[0] == "other"


def test_none_is_recommended_by_images_that_trained_one():
    rows = [replace(row("flowers.ckpt", 0.99), trained_network=72), row("lite0", 0.93)]
    better = pair("flowers.ckpt", "lite0", 0.03, 0.09, separable=True)
    assert advice(rows, better) == (
        None,
        "flowers.ckpt was trained on 72 of the held-out images, so that its scores are no estimate "
        "for new ones, and nothing is recommended; compare on images that trained none of the "
        "networks.",
    )
    rows[1] = replace(rows[1], trained_network=1_000)
    assert advice(rows)[1].startswith("flowers.ckpt (72), lite0 (1,000) were trained on so many")
    rows = [replace(one, trained_network=0) for one in rows]
    assert advice(rows, better)[0] == "flowers.ckpt"
