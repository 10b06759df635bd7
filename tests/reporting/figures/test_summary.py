import numpy as np
import pytest
from map_rows import features_of

import penult
from penult.reporting.figures.summary import draw_summary

pytestmark = pytest.mark.light


def drawn(rows, labels=None):
    features = features_of(rows, labels, names="ab")
    return draw_summary(penult.summarize(features, progress=False)).axes


def titles(axes):
    return [one.get_title(loc="left") for one in axes]


def test_the_lines_of_the_spectrum_stand_where_the_numbers_say():
    axes = drawn(np.eye(6), [0, 1] * 3)
    assert titles(axes) == [
        "Effective rank 5 of 5",
        "Norms 1 ± 0",
        "Classes overlap by 50.0% (50% by chance)",
        f"Hubness {penult.summarize(features_of(np.eye(6)), progress=False).hubness.skewness:.2f}",
    ]
    held, *marks = axes[0].lines
    np.testing.assert_allclose(held.get_ydata(), [20, 40, 60, 80, 100])
    assert [line.get_xdata()[0] for line in marks] == pytest.approx([5, 5, 5])
    kinds = [text.get_text() for text in axes[2].get_legend().get_texts()]
    assert kinds == ["same class", "two classes"]


def test_words_stand_above_the_bars():
    rows = np.random.default_rng(0).standard_normal((60, 4)) + 0.01
    axes = drawn(rows, [0, 1] * 30)
    axes[0].figure.draw_without_rendering()
    for one, words in ((axes[2], axes[2].get_legend()), (axes[3], axes[3].texts[0])):
        highest = max(stairs.get_data().values.max() for stairs in one.patches)
        _, top = one.transData.transform((0, highest))
        assert words.get_window_extent().y0 > top


def test_without_labels_all_pairs_are_drawn():
    axes = drawn(np.random.default_rng(0).standard_normal((20, 4)))
    assert axes[2].get_title(loc="left").startswith("Distances ")
    assert axes[2].get_legend() is None


def test_a_chart_without_numbers_says_why():
    axes = drawn(np.ones((5, 3)))
    assert titles(axes) == ["Variance", "Norms 1.73 ± 0", "Distances", "Hubness"]
    said = [text.get_text() for one in axes for text in one.texts]
    assert said == [
        "all rows are the same",
        "fewer than two different rows",
        "fewer than four different rows",
    ]
