"""Which differences are more than noise, on scores that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from penult.comparison import differences
from penult.comparison.differences import find_differences

pytestmark = pytest.mark.light

NAN = np.nan


def compare(units=None, **values):
    """Differences in accuracy; each image its own unit, unless said otherwise."""
    tables = {name: np.atleast_2d(np.array(one, float)) for name, one in values.items()}
    width = next(iter(tables.values())).shape[1]
    places = np.arange(width) if units is None else np.array(units)
    return find_differences(tables, places, score="accuracy", seed=0)


def right(count, total=340, *, first=0):
    """Accuracy of each image: `count` of them right, from one on."""
    found = np.zeros(total)
    found[first : first + count] = 1
    return found


def test_a_difference_is_the_mean_over_the_images():
    (one,) = compare(a=[1, 1, 1, 0], b=[1, 0, 1, 0])
    assert (one.a, one.b, one.score, one.images) == ("a", "b", "accuracy", 4)
    assert one.difference == pytest.approx(0.25)


def test_the_interval_is_of_the_binomial_distribution_where_all_differences_are_alike():
    # 100 of 400 images differ, all one way: a drawing of the bootstrap is Binomial(400, 1/4)
    (one,) = compare(a=right(300, 400), b=right(200, 400))
    ends = stats.binom(400, 0.25).ppf([0.025, 0.975]) / 400
    np.testing.assert_allclose([one.low, one.high], ends, atol=0.0026)  # one image
    assert one.separable
    assert one.p < 1e-9


def test_the_interval_is_that_of_scipys_bootstrap():
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 6, (2, 1, 120)) / 5  # a precision@5
    (one,) = compare(a=a, b=b)
    theirs = stats.bootstrap((a[0] - b[0],), np.mean, method="percentile", random_state=rng)
    ends = theirs.confidence_interval
    np.testing.assert_allclose([one.low, one.high], [ends.low, ends.high], atol=0.005)


def test_an_image_held_out_in_three_runs_tells_no_more_than_one():
    once = compare(a=right(60, 100), b=right(54, 100))[0]
    thrice = compare(a=[right(60, 100)] * 3, b=[right(54, 100)] * 3)[0]
    assert (once.low, once.high, once.p) == (thrice.low, thrice.high, thrice.p)
    assert once.images == thrice.images == 100


def test_copies_widen_the_interval():
    a, b = right(60, 100), right(50, 100, first=5)
    alone = compare(a=a, b=b)[0]
    in_twos = compare(units=np.arange(100) // 2, a=a, b=b)[0]
    in_tens = compare(units=np.arange(100) // 10, a=a, b=b)[0]
    assert alone.difference == in_twos.difference == in_tens.difference
    assert alone.high - alone.low < in_twos.high - in_twos.low < in_tens.high - in_tens.low
    assert (alone.images, in_twos.images, in_tens.images) == (100, 50, 10)


def test_units_weigh_as_many_cells_as_they_have():
    # two units, of 1 and of 3 cells: drawings are 1/1, 1/4 (twice as often) and 0/3
    (one,) = compare(units=[0, 1, 1, 1], a=[1, 0, 0, 0], b=[0, 0, 0, 0])
    assert (one.difference, one.low, one.high) == (0.25, 0, 1)


def test_only_what_both_were_scored_on_counts():
    one = compare(a=[[1, 1, NAN, 1], [NAN, 0, 1, 1]], b=[[0, 1, 1, NAN], [1, 0, 1, 1]])[0]
    assert one.difference == pytest.approx(1 / 5)  # the cells 00, 01, 11, 12, 13
    assert one.images == 4


def test_networks_without_a_common_image_are_not_compared():
    found = compare(a=[1, 1, NAN], b=[NAN, NAN, 1], c=[1, 0, 1])
    assert [(one.a, one.b) for one in found] == [("a", "c"), ("b", "c")]


def test_networks_that_say_the_same_cannot_be_told_apart():
    (one,) = compare(a=right(300), b=right(300))
    assert (one.difference, one.low, one.high, one.p, one.separable) == (0, 0, 0, 1, False)


def test_fractions_that_cancel_are_no_difference():
    (one,) = compare(units=[0, 0, 0], a=[0.6, 0, 0], b=[0, 0.4, 0.2])
    assert (one.difference, one.low, one.high) == (0, 0, 0)


def test_one_image_separates_nothing():
    (one,) = compare(a=[1], b=[0])
    assert (one.low, one.high, one.p, one.separable) == (0, 1, 1, False)


def test_five_images_of_340_that_agree_are_noise_and_the_interval_says_so():
    (five,) = compare(a=right(305), b=right(300))  # p 0.0625; the bootstrap alone: 0.01
    assert five.p == pytest.approx(2 / 2**5)
    assert (five.low, five.separable) == (0, False)
    (six,) = compare(a=right(306), b=right(300))
    assert six.p == pytest.approx(2 / 2**6)
    assert six.separable
    assert six.low > 0


def test_no_pair_is_separable_whose_interval_holds_0():
    # p is 0.04998, and the interval ends so near 0 that the drawings decide
    fifths = np.repeat(np.arange(-5, 6), [7, 1, 2, 2, 1, 7, 11, 10, 8, 4, 5]) / 5
    tables = {"a": np.maximum(fifths, 0)[None], "b": np.maximum(-fifths, 0)[None]}
    found = [
        find_differences(tables, np.arange(58), score="x", seed=seed, resamples=10)[0]
        for seed in range(60)
    ]
    assert all(0.049 < one.p < 0.05 for one in found)
    assert {(one.separable, one.low > 0) for one in found} == {(True, True), (False, False)}


def test_a_pair_may_be_separable_alone_but_not_among_many():
    alone = compare(a=right(306), b=right(300))[0]
    among = compare(a=right(306), b=right(300), c=right(303))[0]
    assert (alone.separable, among.separable) == (True, False)
    assert among.p == pytest.approx(3 * alone.p)
    assert (among.low, among.high) == (alone.low, alone.high)


def test_neither_more_networks_nor_their_order_move_an_interval():
    rng = np.random.default_rng(2)
    tables = {name: (rng.random((3, 200)) < 0.8).astype(float) for name in "abcd"}
    units = np.arange(200) // 2

    def ends(names):
        found = find_differences(
            {name: tables[name] for name in names}, units, score="accuracy", seed=5
        )
        return {(one.a, one.b): (one.difference, one.low, one.high) for one in found}

    every = ends("abcd")
    assert len(every) == 6
    assert ends("ac") == {("a", "c"): every["a", "c"]}
    assert ends("dcba")["c", "a"] == tuple(-every["a", "c"][k] for k in (0, 2, 1))


def test_the_numbers_and_the_order_of_units_do_not_matter():
    a, b = right(60, 100), right(50, 100, first=5)
    shuffled = np.random.default_rng(3).permutation(100)
    given = compare(units=np.arange(100) // 4, a=a, b=b)
    other = compare(units=7 * (shuffled // 4) - 11, a=a[shuffled], b=b[shuffled])
    assert given == other


def test_another_seed_draws_anew():
    tables = {"a": right(300)[None], "b": right(280)[None]}
    units = np.arange(340)
    first, again, other = (
        find_differences(tables, units, score="accuracy", seed=seed, resamples=200)
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_scores_that_are_no_simple_fractions_are_rounded_without_a_shift():
    rng = np.random.default_rng(4)
    a = rng.random(2_000) / 1_000
    b = a - 1e-5 + rng.standard_normal(2_000) / 10_000
    (one,) = find_differences(
        {"a": a[None], "b": b[None]}, np.arange(2_000), score="x", seed=0, resamples=2_000
    )
    spread = 1.96 * np.std(a - b) / np.sqrt(2_000)
    assert one.difference == pytest.approx((a - b).mean(), rel=1e-9)
    np.testing.assert_allclose(
        [one.low, one.high], one.difference + np.array([-spread, spread]), atol=0.05 * spread
    )


def test_differences_smaller_than_a_step_are_not_lost():
    a = np.full(1_000, 0.0021)
    a[0] = 1.0  # a step is 0.005
    (one,) = compare(a=a, b=np.zeros(1_000))
    assert one.difference == pytest.approx(a.mean())
    assert one.high == pytest.approx(0.0021 + 3 / 1_000, abs=1e-4)  # a[0] is drawn up to 3 times


def test_memory_does_not_grow_with_images_or_drawings(monkeypatch):
    drawn = []
    rng = np.random.default_rng

    class Watched:
        def __init__(self, seed):
            self._rng = rng(seed)

        def multinomial(self, *given, **named):
            found = self._rng.multinomial(*given, **named)
            drawn.append(found.size)
            return found

    values = {name: (rng(k).random((3, 50_000)) < 0.9) * 1.0 for k, name in enumerate("ab")}
    expected = find_differences(values, np.arange(50_000), score="accuracy", seed=0)
    monkeypatch.setattr(np.random, "default_rng", Watched)
    monkeypatch.setattr(differences, "_DRAWN", 5_000)
    found = find_differences(values, np.arange(50_000), score="accuracy", seed=0)
    assert found == expected
    assert max(drawn) <= 5_000
    assert sum(drawn) == 10_000 * 7  # sums of three runs, -3 to 3, not 50,000 images


def test_scores_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"the scores of b have shape \(2, 3\)"):
        find_differences(
            {"b": np.ones((2, 3)), "a": np.ones((1, 3))}, np.arange(3), score="accuracy", seed=0
        )
    with pytest.raises(ValueError, match="each of the 4 units"):
        find_differences({"a": np.ones((1, 3))}, np.arange(4), score="accuracy", seed=0)


def test_one_network_has_no_differences():
    assert compare(a=[1, 0]) == ()


@pytest.mark.parametrize(
    ("a", "b", "sentence"),
    [
        pytest.param(
            right(280),
            right(280, first=2),
            "a is as good as b (95% interval -1.2 to 1.2): not separable",
            id="none",
        ),
        pytest.param(
            right(306),
            right(300),
            "a is 1.8 points better than b (95% interval 0.6 to 3.2): more than noise",
            id="separable",
        ),
        pytest.param(
            right(300),
            right(303),
            "b is 0.9 points better than a (95% interval 0.0 to 2.1): not separable",
            id="the other way round",
        ),
    ],
)
def test_a_difference_is_said_in_a_sentence(a, b, sentence):
    assert str(compare(a=a, b=b)[0]) == sentence


def test_a_sentence_says_where_only_the_number_of_pairs_is_in_the_way():
    one = compare(a=right(306), b=right(300), c=right(303))[0]
    assert str(one).endswith("(95% interval 0.6 to 3.2): not separable among so many pairs")


def test_a_difference_too_small_to_be_printed_is_not_called_none():
    (one,) = compare(a=right(3_000, 4_000), b=right(2_999, 4_000))
    assert str(one).startswith("a is less than 0.1 points better than b")


def test_rows_that_repeat_others_cost_the_rest_nothing():
    a, b = right(60, 100), right(53, 100)
    (alone,) = compare(a=a, b=b)
    assert alone.p == pytest.approx(2 / 2**7)  # seven images, all one way
    found = {(one.a, one.b): one for one in compare(a=a, a2=a, b=b, b2=b, b3=b)}
    assert {found[one, other].p for one in ("a", "a2") for other in ("b", "b2", "b3")} == {alone.p}
    assert found["a", "b"].separable
    assert (found["a", "a2"].p, found["a", "a2"].separable) == (1, False)
    # A third that differs is two tests more.
    third = compare(a=a, b=b, b2=b, c=right(60, 100, first=20))
    assert third[0].p == pytest.approx(3 * alone.p)


def test_all_that_are_equal_have_a_p_of_1():
    assert [one.p for one in compare(a=right(5, 10), b=right(5, 10), c=right(5, 10))] == [1, 1, 1]
