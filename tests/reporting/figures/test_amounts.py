import pytest
from matplotlib.figure import Figure

from penult.reporting.figures.amounts import amount, amount_axis


def ticks(values, *, giga=1.0, most=7):
    figure = Figure()
    axes = figure.add_subplot()
    amount_axis(axes, values, most=most, giga=giga)
    figure.draw_without_rendering()
    low, high = axes.get_xlim()
    shown = [
        tick.get_text()
        for place, tick in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
        if low <= place <= high
    ]
    return axes.get_xscale(), shown


@pytest.mark.parametrize(
    ("value", "giga", "text"),
    [
        (950, 1, "950"),
        (20_000, 1, "20 k"),
        (500_000, 1, "0.5 M"),
        (300_000_000, 1, "300 M"),
        (300_000_000, 0.1, "0.3 G"),
        (2_500_000_000, 1, "2.5 G"),
        (1e12, 1, "1 T"),
    ],
)
def test_an_amount_has_the_letter_that_people_tell_it_in(value, giga, text):
    assert amount(value, giga) == text


def test_what_differs_much_is_on_a_logarithmic_axis_with_round_numbers():
    assert ticks([4e6, 90e6]) == ("log", ["5 M", "10 M", "20 M", "50 M", "100 M"])
    assert ticks([0.6e6, 250e6]) == ("log", ["1 M", "3 M", "10 M", "30 M", "100 M", "300 M"])
    scale, shown = ticks([1, 1e12], giga=None, most=4)
    assert scale == "log"
    assert len(shown) <= 4


def test_what_differs_little_or_not_at_all_is_on_a_linear_axis():
    assert ticks([4e6, 9e6])[0] == "linear"
    scale, shown = ticks([5e6, 5e6])
    assert scale == "linear"
    assert "5 M" in shown
    assert ticks([0, 0])[0] == "linear"
