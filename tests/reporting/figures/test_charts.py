import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from penult.classify.diagnosis.learning_curve import CurvePoint
from penult.classify.settings import LayerResult
from penult.errors import OutputExistsError
from penult.reporting.figures.charts import curve_chart, layers_chart
from penult.reporting.figures.colors import VARIABLES
from penult.reporting.figures.export import to_html_picture, to_png, to_svg


def layers_of(*accuracies, names=None):
    names = names or [f"block{k}" for k in range(len(accuracies))]
    return [
        LayerResult(name, 8, accuracy - 0.1, accuracy, (accuracy - 0.05, accuracy + 0.05))
        for name, accuracy in zip(names, accuracies, strict=True)
    ]


CURVE = [CurvePoint(1, 3, (0.4, 0.6)), CurvePoint(2, 6, (0.7, 0.8)), CurvePoint(30, 90, (0.9,))]


def texts(figure):
    """What a chart says, by where it says it."""
    axes = figure.axes[0]
    return [t.get_text() for t in axes.get_xticklabels()], [t.get_text() for t in axes.texts]


def test_each_layer_is_a_point_in_order_and_the_chosen_one_is_marked():
    figure = layers_chart(layers_of(0.4, 0.9, 0.8), "block1")
    cross_validated, held_out = figure.axes[0].get_lines()
    assert held_out.get_ydata() == pytest.approx([40, 90, 80])
    assert cross_validated.get_ydata() == pytest.approx([30, 80, 70])
    assert texts(figure) == (["block0", "block1", "block2"], ["chosen: 90.0%"])


def test_many_layers_with_long_names_make_a_wider_chart():
    names = [f"stages.{k}.blocks.0.convolution.depthwise" for k in range(60)]
    wide = layers_chart(layers_of(*np.linspace(0.2, 0.9, 60), names=names))
    assert wide.get_figwidth() > 2 * layers_chart(layers_of(0.2, 0.9)).get_figwidth()
    shown = texts(wide)[0]
    assert len(set(shown)) == 60  # though the ends of these names are the same
    assert max(map(len, shown)) <= 28


def test_the_curve_is_the_mean_of_the_draws_and_the_band_their_range():
    figure = curve_chart(CURVE)
    (line,) = figure.axes[0].get_lines()
    assert line.get_xdata() == pytest.approx([1, 2, 30])
    assert line.get_ydata() == pytest.approx([50, 75, 90])
    (band,) = figure.axes[0].collections
    corners = band.get_paths()[0].vertices
    assert corners[:, 1].min() == pytest.approx(40)
    assert texts(figure) == (["1", "2", "30"], ["90.0%"])


def test_sizes_close_to_the_last_do_not_write_over_it():
    points = [*CURVE, CurvePoint(32, 96, (0.91,))]
    assert texts(curve_chart(points))[0] == ["1", "2", "", "32"]


@pytest.mark.parametrize("accuracy", [0.0, 1.0])
def test_no_accuracy_is_above_all_or_below_none(accuracy):
    for figure in (
        curve_chart([CurvePoint(1, 3, (accuracy,)), CurvePoint(2, 6, (accuracy,))]),
        curve_chart([CurvePoint(1, 3, (accuracy,))]),
    ):
        low, high = figure.axes[0].get_ylim()
        assert -2 < low < high < 102


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.said = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "text":
            self.said.append(data)


def test_svg_is_one_element_in_the_pages_own_colours_and_font():
    name = "a<b>&\"'"
    svg = to_svg(layers_chart(layers_of(0.4, 0.9, names=[name, "b"]), "b"))
    assert svg.startswith("<svg")
    assert svg.endswith("</svg>")
    assert name in Tags(svg).said
    colours = set(re.findall(r"#[0-9a-f]{6}\b", svg))
    assert not colours & set(VARIABLES)
    assert {"var(--accent)", "var(--soft)"} <= set(re.findall(r"var\(--\w+\)", svg))
    assert "font-family" not in svg
    assert "DejaVu" not in svg
    assert re.search(r"<svg[^>]* (height|width)=", svg) is None


def test_the_same_chart_is_the_same_svg_again():
    assert to_svg(curve_chart(CURVE)) == to_svg(curve_chart(CURVE))


def test_a_png_is_whole_and_replaces_nothing_unasked(tmp_path):
    path = tmp_path / "curve.png"
    to_png(curve_chart(CURVE), path)
    with Image.open(path) as picture:
        picture.load()
    with pytest.raises(OutputExistsError):
        to_png(curve_chart(CURVE), path)


def test_a_chart_is_an_element_of_a_notebook_whose_words_are_no_tags():
    page = to_html_picture(curve_chart(CURVE), '<a "map">')
    said, _, data = page.partition("data:image/png;base64,")
    assert '<img alt="&lt;a &#34;map&#34;&gt;"' in said or "&lt;a &quot;map&quot;&gt;" in said
    with Image.open(io.BytesIO(base64.b64decode(data.partition('"')[0]))) as picture:
        assert picture.format == "PNG"
