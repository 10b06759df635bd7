import logging
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import combinations
from math import nan

import comparisons
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from PIL import Image

from penult.errors import OutputError
from penult.records import ModelCost, RunScores
from penult.reporting.comparison_figures import comparison_figures, write_figures
from penult.reporting.figures.cost_scatter import COSTS, cost_scatter
from penult.reporting.figures.export import to_svg
from penult.reporting.figures.model_names import model_names
from penult.reporting.figures.score_bars import _beside_whisker
from penult.reporting.figures.similarity_map import similarity_map
from penult.written import COMPARISON_FIGURES, PICTURES, SIGNATURE

SCATTERED = ["parameters", "flops", "speed"]


@pytest.fixture(scope="module")
def flowers():
    """The figures of six networks; do not change them."""
    return comparison_figures(comparisons.flowers())


@pytest.fixture(scope="module")
def pair():
    """The figures of two networks, which are drawn as SVG once; do not change them."""
    return comparison_figures(comparisons.two_models())


def bars_of(found):
    """The bars alone, which are quickly drawn."""
    rows = tuple(replace(row, cost=ModelCost()) for row in found.rows)
    return comparison_figures(replace(found, rows=rows, cka=None, rsa=None))


def heat_map_of(rows, matrix):
    """What is drawn of networks of which nothing else is known than how alike they are."""
    cka = replace(comparisons.similarity("cka", rows), matrix=matrix)
    alone = tuple(replace(row, scores={}, cost=ModelCost()) for row in rows)
    figures = comparison_figures(comparisons.flowers(rows=alone, cka=cka, rsa=None))
    assert list(figures) == ["cka"]
    return figures["cka"].axes


def alike(number):
    """Networks with one score and one cost, all of them."""
    rows = comparisons.many_models(number).rows
    return tuple(replace(row, scores=rows[0].scores, cost=rows[0].cost) for row in rows)


def said(axes):
    return [text.get_text() for text in axes.texts]


def covers(one, other, apart=0.0):
    return (
        one.x0 < other.x1 - apart
        and other.x0 < one.x1 - apart
        and one.y0 < other.y1 - apart
        and other.y0 < one.y1 - apart
    )


def test_all_figures_are_there_in_the_order_in_which_they_are_shown(flowers):
    assert tuple(flowers) == COMPARISON_FIGURES


def test_what_cannot_be_drawn_is_left_out():
    bars = ["accuracy", "precision"]
    assert list(comparison_figures(comparisons.without_costs())) == [*bars, "cka", "rsa"]
    assert list(comparison_figures(comparisons.one_model())) == bars
    assert list(comparison_figures(comparisons.two_models(cka=None))) == [*bars, *SCATTERED, "rsa"]
    assert comparison_figures(comparisons.flowers(rows=(), cka=None, rsa=None)) == {}
    first, *others = comparisons.flowers().rows
    rows = (replace(first, cost=ModelCost(parameters=10_000_000)), *others)
    names = model_names([row.name for row in rows], None)
    assert len(said(cost_scatter(rows, names, ["accuracy"], COSTS["flops"]).axes[0])) == 5
    assert len(said(cost_scatter(rows, names, ["accuracy"], COSTS["parameters"]).axes[0])) == 6


def test_bars_begin_at_0_and_are_as_long_as_the_means_with_the_numbers_on_them(flowers):
    found = comparisons.flowers()
    axes = flowers["accuracy"].axes
    assert [one.get_title(loc="left") for one in axes] == ["accuracy", "hit@1", "hit@5"]
    assert axes[0].get_xlim() == (0, 100)
    means = next(bars for bars in axes[0].containers if bars.get_label() == "mean")
    widths = [100 * row.scores["accuracy"].mean for row in found.rows]
    assert [bar.get_width() for bar in means] == pytest.approx(widths)
    assert widths == sorted(widths, reverse=True)
    assert "94.6 ± 0.5" in said(axes[0])
    assert "3. efficientnet_lite1 (recommended)" in said(axes[0])


def test_of_one_run_there_is_no_standard_deviation():
    found = comparisons.one_run()
    figure = bars_of(found)["accuracy"]
    texts = said(figure.axes[0])
    assert "94.6" in texts
    assert not any("±" in text for text in texts)
    assert not figure.texts
    names = model_names([row.name for row in found.rows], None)
    scatter = cost_scatter(found.rows, names, ["accuracy"], COSTS["speed"])
    legend = scatter.axes[0].get_legend()
    assert not any("±" in text.get_text() for text in legend.get_texts())


def test_of_several_labels_there_is_a_second_bar_where_one_is_enough(flowers):
    found = comparisons.several_labels()
    accuracy, *_ = bars_of(found)["accuracy"].axes
    strict, any_label = (bars for bars in accuracy.containers if bars.get_label() == "mean")
    assert any_label[0].get_width() == pytest.approx(100 * found.rows[0].any_label["accuracy"].mean)
    assert any_label[0].get_width() > strict[0].get_width()
    legend = accuracy.get_legend().get_texts()
    assert [one.get_text() for one in legend] == ["all labels right", "at least one label right"]
    assert flowers["accuracy"].axes[0].get_legend() is None


def test_a_network_for_which_one_label_changes_nothing_has_both_bars_beside_others():
    first, *others = comparisons.several_labels().rows
    alike = replace(first, any_label={**first.any_label, "hit@5": first.scores["hit@5"]})
    column = bars_of(comparisons.several_labels(rows=(alike, *others)))["accuracy"].axes[2]
    strict, any_label = (bars for bars in column.containers if bars.get_label() == "mean")
    assert len(any_label) == len(strict) == len(others) + 1
    assert any_label[0].get_width() == strict[0].get_width()


@pytest.mark.parametrize(
    ("runs", "text"),
    [((0.9, 0.96), "93.0 ± 4.2"), ((0.4, 0.6), "50.0"), ((0.1, 0.2), "15.0 ± 7.1")],
)
def test_no_whisker_crosses_the_number_on_a_bar(runs, text):
    rows = [
        replace(row, scores={**row.scores, "accuracy": RunScores(runs)}, any_label={})
        for row in comparisons.two_models().rows
    ]
    figure = bars_of(comparisons.two_models(rows=tuple(rows)))["accuracy"]
    figure.draw_without_rendering()
    axes = figure.axes[0]
    (written,) = {one.get_text() for one in axes.texts if "fficient" not in one.get_text()}
    assert written == text
    mean, std = 100 * RunScores(runs).mean, 100 * RunScores(runs).std
    whisker = axes.transData.transform([(mean - std, 0), (mean + std, 0)])[:, 0]
    for one in axes.texts:
        if one.get_text() == text:
            box = one.get_window_extent()
            assert box.x1 < whisker[0] or box.x0 > whisker[1]


def test_a_score_that_is_not_known_is_a_dash():
    first, *others = comparisons.flowers().rows
    unknown = {**first.scores, "hit@5": RunScores((nan, nan))}
    found = comparisons.flowers(rows=(replace(first, scores=unknown), *others))
    assert "–" in said(bars_of(found)["accuracy"].axes[2])


def test_the_score_that_ranks_them_is_drawn_large_and_the_others_small():
    found = comparisons.two_models(score="hit@1", cka=None, rsa=None)
    axes = comparison_figures(found)["parameters"].axes
    titles = [one.get_title(loc="left") for one in axes]
    assert titles[:3] == ["hit@1", "accuracy", "k-NN accuracy"]
    assert set(titles[3:]) == {"hit@5", "precision@5", "macro F1", "soft F1"}
    assert said(axes[1]) == ["1", "2"]


def test_the_front_is_named_and_drawn_through_the_points_that_are_on_it(flowers):
    axes = flowers["speed"].axes[0]
    assert axes.get_legend().get_texts()[0].get_text().startswith("Pareto front: no other is both")
    (front,) = (line for line in axes.get_lines() if line.get_label() == "front")
    corners = {tuple(np.round(corner, 4)) for corner in front.get_xydata()}
    on, off = (115.0, 93.5), (61.5, 93.87)  # of lite0, and of lite0 with its mirrored images
    assert on in corners
    assert off not in corners


def test_whiskers_are_in_every_panel_above_the_front_and_no_tick_is_above_100():
    rows = [
        replace(row, scores=dict.fromkeys(row.scores, RunScores((1.0, low))))
        for row, low in zip(comparisons.two_models().rows, (1.0, 0.999), strict=True)
    ]
    found = comparisons.two_models(rows=tuple(rows), cka=None, rsa=None)
    figure = comparison_figures(found)["speed"]
    assert len(figure.axes) > 2
    for axes in figure.axes:
        assert max(axes.get_yticks()) <= 100
        (front,) = (line for line in axes.get_lines() if line.get_label() == "front")
        lines = [one for one in axes.collections if isinstance(one, LineCollection)]
        whiskers = [one for one in lines if len(one.get_paths()) == len(rows)]
        assert whiskers
        assert all(one.get_zorder() > front.get_zorder() for one in whiskers)


@pytest.mark.parametrize(
    "rows",
    [
        comparisons.flowers().rows,
        comparisons.many_models(15).rows,
        comparisons.many_models(30).rows,
        alike(15),
        comparisons.two_models().rows,
    ],
    ids=["6", "15", "30", "15 at one place", "2"],
)
def test_all_names_are_there_and_none_covers_another_or_a_point(rows):
    names = model_names([row.name for row in rows], rows[1].name)
    for name in SCATTERED:
        figure = cost_scatter(rows, names, ["accuracy"], COSTS[name])
        axes = figure.axes[0]
        figure.draw_without_rendering()
        texts = said(axes)
        assert len(set(texts)) == len(texts) == len(rows)
        boxes = [text.get_window_extent() for text in axes.texts]
        assert not any(covers(a, b) for a, b in combinations(boxes, 2))
        (points,) = (one for one in axes.collections if one.get_offsets().any())
        at = axes.transData.transform(points.get_offsets())
        assert len(at) == len(rows)
        for x, y in at:
            assert not any(b.x0 < x < b.x1 and b.y0 < y < b.y1 for b in boxes)


def test_the_heat_map_has_the_values_the_number_of_images_and_what_chance_reaches(flowers):
    figure = flowers["rsa"]
    (axes,) = figure.axes
    similarity = comparisons.flowers().rsa
    shown = np.array(said(axes)).reshape(6, 6)
    assert shown[0, 0] == "1"
    assert shown[1, 0] == f"{similarity.matrix[1][0]:.2f}".removeprefix("0")
    below = [text.get_text() for text in figure.texts]
    assert "n = 1,360 images; the more alike, the stronger the colour" in below
    assert "what chance reaches: 0.01 (95% of 199 permutations of 1,000 images)" in below


def test_of_many_networks_the_heat_map_has_the_colours_alone():
    rows = [replace(comparisons.one_model().rows[0], name=f"m{k}") for k in range(51)]
    names = model_names([row.name for row in rows], None)
    (axes,) = similarity_map(comparisons.similarity("cka", rows), names).axes
    assert said(axes) == []
    assert len(axes.collections[0].get_facecolors()) == 51 * 51


def test_the_heat_map_is_in_the_order_of_the_ranks(flowers):
    found = comparisons.without_costs()
    names = found.cka.names[::-1]
    matrix = tuple(row[::-1] for row in found.cka.matrix[::-1])
    backwards = replace(found, cka=replace(found.cka, names=names, matrix=matrix))
    drawn = comparison_figures(backwards)["cka"].axes[0]
    assert said(drawn) == said(flowers["cka"].axes[0])


def test_alike_unlike_and_unknown_look_different():
    values = ((1.0, -0.31, nan), (-0.31, 1.0, 0.9999), (nan, 0.9999, 1.0))
    rows = comparisons.flowers().rows[:3]
    (axes,) = heat_map_of(rows, values)
    assert said(axes) == ["1", "−.31", "–", "−.31", "1", ".99", "–", ".99", "1"]
    colours = axes.collections[0].get_facecolors()
    assert tuple(colours[1, :3]) != tuple(colours[5, :3])  # another colour below 0
    assert colours[2, 3] == 0
    # A network with itself is as alike as can be, and looks so.
    assert colours[0, 3] == max(colours[:, 3])


@pytest.mark.parametrize(
    ("values", "shown"), [((0.9912, 0.9948), [".991", ".995"]), ((0.99712, 1.0), [".9971", "1"])]
)
def test_pairs_that_are_all_near_1_have_the_digits_that_tell_them_apart(values, shown):
    one, other = values
    rows = comparisons.flowers().rows[:3]
    matrix = ((1.0, one, other), (one, 1.0, other), (other, other, 1.0))
    (axes,) = heat_map_of(rows, matrix)
    assert said(axes)[1:3] == shown


NAMES = ("<b>$a^2$&amp;\n", "keras:EfficientNetB7/top_dropout, bfloat16, flip " + "x" * 60)


def renamed(found):
    """The first two with other people's names; the rest as they are."""
    new = dict(zip([row.name for row in found.rows], NAMES, strict=False))
    rows = tuple(replace(row, name=new.get(row.name, row.name)) for row in found.rows)
    names = tuple(new.get(name, name) for name in found.cka.names)
    return replace(found, rows=rows, cka=replace(found.cka, names=names), rsa=None)


def test_names_are_text_and_nothing_else_short_and_distinct():
    for name, figure in comparison_figures(renamed(comparisons.two_models())).items():
        svg = to_svg(figure, name)
        words = "".join(ET.fromstring(svg).itertext())
        assert r"1. <b>$a^2$&amp;\n" in words
        assert "…" in words
        assert "x" * 60 not in words


def test_the_charts_of_a_page_share_no_ids_and_are_the_same_again(pair):
    again = comparison_figures(comparisons.two_models())
    found = [to_svg(figure, name) for name, figure in pair.items()]
    assert found == [to_svg(figure, name) for name, figure in again.items()]
    ids = [one for svg in found for one in set(re.findall(r'\bid="([^"]*)"', svg))]
    assert len(set(ids)) == len(ids)
    for svg in found:
        assert set(re.findall(r'(?:href="|url\()#([\w-]+)', svg)) <= set(
            re.findall(r'\bid="([^"]*)"', svg)
        )


def test_a_figure_that_files_and_a_page_show_is_drawn_as_svg_once(tmp_path, monkeypatch):
    drawn = bars_of(comparisons.two_models())["accuracy"]
    saved = []
    monkeypatch.setattr(
        drawn,
        "savefig",
        lambda *given, save=drawn.savefig, **how: (
            saved.append(how["format"]) or save(*given, **how)
        ),
    )
    write_figures({"accuracy": drawn}, tmp_path)
    inside = ET.fromstring(to_svg(drawn, "accuracy"))
    alone = ET.fromstring((tmp_path / "accuracy.svg").read_bytes())
    assert saved == ["png", "svg"]
    ground, *others = alone
    assert (ground.tag.rpartition("}")[2], ground.get("style")) == ("rect", "fill: #ffffff")
    assert len(others) == len(inside)


def test_files_stand_alone_and_those_of_a_later_call_replace_them(pair, tmp_path):
    folder = tmp_path / "figures"
    written = write_figures(pair, folder)
    assert sorted(written) == sorted(folder.iterdir())
    assert [path.name for path in written[:2]] == ["accuracy.png", "accuracy.svg"]
    for path in written:
        if path.suffix == ".png":
            assert SIGNATURE in path.read_bytes()
            assert path.name in PICTURES
            with Image.open(path) as picture:
                assert picture.convert("RGB").getpixel((2, 2)) == (255, 255, 255)
        else:
            svg = path.read_text(encoding="utf-8")
            ET.fromstring(svg.encode())
            assert "var(--" not in svg
            assert "DOCTYPE" not in svg
            assert "#ffffff" in svg  # the ground
            assert all(one.startswith("#") for one in re.findall(r'href="([^"]*)"', svg))
            assert not re.search(r"url\((?!#)|@import|<image|<script", svg)
            assert "sans-serif" in svg
    mine = folder / "cka.svg"
    mine.write_text("<svg/>")
    (folder / "mine.png").write_bytes(b"")
    left = write_figures(comparison_figures(comparisons.one_model()), folder)
    assert {path.name for path in folder.iterdir()} == {
        *(path.name for path in left),
        "mine.png",
        "cka.svg",  # no longer one that penult wrote
    }
    assert mine.read_text() == "<svg/>"


def test_names_that_no_font_can_draw_are_told_once(caplog):
    (row,) = comparisons.one_model().rows
    found = comparisons.comparison([replace(row, name="\U000e0fff\U000e0ffe")])
    with caplog.at_level(logging.WARNING, "penult"):
        comparison_figures(found)
    (line,) = [record.getMessage() for record in caplog.records]
    assert "numbers in place of 1 name" in line


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"figures cannot be written: Not a directory"):
        write_figures({}, tmp_path / "file/figures")


def test_where_the_whisker_leaves_no_room_the_mean_alone_is_written():
    # A letter takes 4.9 of 100 points here: 11 of them and 8 points 61.9, and 4 of them 27.6.
    assert _beside_whisker("50.0 ± 40.0", 70, 90, 100) == ("50.0 ± 40.0", False)
    assert _beside_whisker("50.0 ± 40.0", 10, 30, 100) == ("50.0 ± 40.0", True)
    assert _beside_whisker("50.0 ± 40.0", 30, 90, 100) == ("50.0", False)
    assert _beside_whisker("50.0 ± 40.0", 5, 80, 100) == ("50.0", True)
    assert _beside_whisker("50.0 ± 40.0", 20, 90, 100) == ("50.0", False)
