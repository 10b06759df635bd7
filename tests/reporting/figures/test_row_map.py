import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest
from map_rows import blobs, features_of
from matplotlib.colors import to_hex
from PIL import Image

import penult
from penult.reporting.figures.row_map.draw import draw_map
from penult.reporting.figures.row_map.groups import densest, groups_of
from penult.reporting.figures.row_map.marks import COLORS, NOTHING, SHAPES, choose_marks, ink_of
from penult.reporting.figures.row_map.names import Box, NamedDots, place_names
from penult.reporting.figures.row_map.photos import choose_photos
from penult.reporting.figures.row_map.raster import Raster
from penult.web.map.columns import packed_column
from penult.web.map.palette import CATEGORICAL

FRAME = Box(500, 400, 1000, 800)


def mapped(features, **options):
    return penult.map(features, method="pca", progress=False, **options)


def written(figure):
    """The names on a figure, and its caption."""
    *names, caption = [text.get_text() for text in figure.axes[0].texts]
    return names, caption


def legend_of(figure):
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_a_few_classes_stand_in_a_legend_with_those_without_a_label():
    features = blobs(2, 6)
    features.labels[:3] = -1
    figure, _ = draw_map(mapped(features), color_by="label")
    assert legend_of(figure) == ["blob 0 (4)", "blob 1 (5)", "none (3)"]
    names, caption = written(figure)
    assert names == []
    assert caption.startswith("PCA of 12 rows, layer penultimate, cosine.")
    assert "nearest neighbours kept (chance: " in caption
    assert caption.endswith("Groups that overlap here may be apart in the other dimensions.")
    assert "first principal component" in figure.axes[0].get_xlabel()


def test_many_classes_have_their_names_on_the_map():
    figure, _ = draw_map(mapped(blobs(17, 3, width=20)), color_by="label")
    assert figure.axes[0].get_legend() is None
    names, caption = written(figure)
    left_out = 17 - len(names)
    assert set(names) <= {f"blob {k}" for k in range(17)}
    assert (f"{left_out} name" in caption) == (left_out > 0)


def test_names_of_classes_do_not_overlap_and_those_without_room_are_counted():
    rng = np.random.default_rng(0)
    labels = np.arange(600) % 300
    rows = rng.standard_normal((300, 3))[labels] + 0.01 * rng.standard_normal((600, 3))
    names = [f"a class of quite some length {k}" for k in range(300)]
    figure, _ = draw_map(mapped(features_of(rows, labels, names=names)), color_by="label")
    axes = figure.axes[0]
    boxes = [text.get_window_extent() for text in axes.texts[:-1]]
    assert 100 < len(boxes) < 300
    for k, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[:k])
    assert f"{300 - len(boxes)} names of 300 left out for lack of room" in written(figure)[1]


def test_a_row_of_several_labels_has_a_ring_for_each():
    rows = np.random.default_rng(0).standard_normal((6, 4))
    targets = np.array([[1, 0], [0, 1], [1, 1], [0, 0], [1, 0], [0, 1]], bool)
    found = mapped(features_of(rows, targets=targets, names=["cat", "dog"]))
    assert found.columns["label"][2] == "cat|dog"
    figure, _ = draw_map(found, color_by="label")
    assert legend_of(figure) == ["cat (3)", "dog (3)", "none (1)"]
    dots = figure.axes[0].collections[-1]
    at = [k for k, xy in enumerate(dots.get_offsets()) if np.allclose(xy, found.xy[2])]
    outer, inner = (dots.get_sizes()[k] for k in at)
    assert outer > inner
    assert "a ring around a dot is a further label" in written(figure)[1].lower()


def test_a_bar_in_a_name_of_one_label_parts_nothing():
    found = mapped(features_of(np.eye(4), [0, 0, 1, 1], names=["a|b", "c"]))
    assert [group.name for group in groups_of(found, "label")] == ["a|b", "c"]


def test_parts_stand_in_their_own_order():
    splits = ["test", "validation", "train", "train"]
    found = mapped(features_of(np.eye(4), splits=splits))
    assert [group.name for group in groups_of(found, "split")] == ["train", "validation", "test"]


def test_the_densest_place_is_that_of_the_heap_and_not_the_mean():
    heap = np.random.default_rng(0).normal(5, 0.01, (20, 2))
    points = np.concatenate([heap, [[0, 0]], [[-90, 3]]])
    assert densest(points) == pytest.approx([5, 5], abs=0.05)
    assert densest(points[:1]) == pytest.approx(points[0])


def test_two_near_duplicates_are_no_dense_place():
    twins = np.array([[90.0, 90.0], [90.0, 90.001]], np.float32)
    heap = np.random.default_rng(0).normal(5, 1, (18, 2)).astype(np.float32)
    assert densest(np.concatenate([twins, heap])) == pytest.approx([5, 5], abs=1)
    assert densest(np.concatenate([twins, heap[:3]])) == pytest.approx([5, 5], abs=2)


def test_up_to_eight_classes_have_a_colour_each():
    marks = choose_marks(np.zeros((8, 2)))
    assert [mark.color for mark in marks] == list(COLORS[:8])
    assert {mark.shape for mark in marks} == {"o"}


def test_of_many_classes_those_that_look_the_same_are_far_apart():
    line = np.stack([np.arange(200.0), np.zeros(200)], axis=1)
    marks = choose_marks(line)
    assert len(set(marks[: len(COLORS) * len(SHAPES)])) == len(COLORS) * len(SHAPES)
    for k in range(199):
        assert marks[k].shape != marks[k + 1].shape


def test_seventeen_classes_have_the_colours_that_they_have_on_a_page():
    made = mapped(blobs(17, 3, width=20))
    figure, _ = draw_map(made, color_by="label")
    page = packed_column("label", made.columns["label"], len(made))
    colors = {name: CATEGORICAL[k] for k, name in enumerate(page["values"])}
    drawn = {}
    for dots in figure.axes[0].collections:
        for place, color in zip(dots.get_offsets(), dots.get_facecolors(), strict=True):
            row = np.abs(made.xy - place).sum(axis=1).argmin()
            drawn[made.columns["label"][row]] = to_hex(color)
    assert drawn == colors


def test_numbers_have_a_scale_and_rows_without_one_are_grey():
    made = mapped(blobs(2, 6))
    scores = [None, *(k / 10 for k in range(11))]
    made = replace(made, columns={**made.columns, "score": scores})
    figure, _ = draw_map(made, color_by="score")
    axes, scale = figure.axes[0], figure.axes[0].child_axes[0]
    assert axes.get_legend() is None
    assert scale.get_title(loc="left") == "score"
    dots = axes.collections[-1]
    assert dots.get_array().tolist() == sorted(scores[1:])  # the largest lie above the others
    colors = [to_hex(color) for color in dots.to_rgba(dots.get_array())]
    assert colors[0] == "#440154"
    assert len(set(colors)) == 11
    assert "grey: 1 row without a score" in written(figure)[1].lower()


def test_noise_lies_below_all_clusters_and_has_no_name_on_the_map():
    made = mapped(blobs(4, 12))
    clusters = [k % 12 - 1 for k in range(48)]
    figure, _ = draw_map(replace(made, columns={"cluster": clusters}), color_by="cluster")
    names, caption = written(figure)
    assert "noise" not in names
    assert "grey: 4 rows of noise" in caption.lower()
    first = figure.axes[0].collections[0]
    assert [to_hex(color) for color in first.get_facecolors()[:4]] == [NOTHING] * 4


def test_what_is_true_lies_above_what_is_not():
    made = mapped(blobs(2, 6))
    mistakes = {"mistake": [k in (0, 7) for k in range(12)]}
    figure, _ = draw_map(replace(made, columns=mistakes), color_by="mistake")
    colors = [to_hex(color) for color in figure.axes[0].collections[-1].get_facecolors()]
    assert colors == ["#7fa8d6"] * 10 + ["#d4480b"] * 2


def test_noise_and_no_and_yes_have_colours_of_their_own():
    made = mapped(blobs(2, 6))
    clusters, mistakes = [k % 3 - 1 for k in range(12)], [k == 0 for k in range(12)]
    made = replace(made, columns={"cluster": clusters, "mistake": mistakes})
    found = {}
    for column in made.columns:
        legend = draw_map(made, color_by=column)[0].axes[0].get_legend()
        texts = [one.get_text() for one in legend.get_texts()]
        colors = [one.get_color() for one in legend.legend_handles]
        found[column] = dict(zip(texts, colors, strict=True))
    assert found == {
        "cluster": {"0 (4)": COLORS[0], "1 (4)": COLORS[1], "noise (4)": NOTHING},
        "mistake": {"no (11)": "#7fa8d6", "yes (1)": "#d4480b"},
    }


def contrast_with_white(color):
    rgb = np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05)


@pytest.mark.parametrize("color", COLORS)
def test_names_can_be_read_on_white(color):
    assert contrast_with_white(ink_of(color)) >= 4.5


def named(dots, width=80, height=10):
    dots = np.asarray(dots, float).reshape(-1, 2)
    return NamedDots(dots, dots.mean(axis=0), width, height)


def placed(*groups, **more):
    dots = np.concatenate([one.dots for one in groups])
    return place_names(groups, FRAME, dots=dots, radius=4, **more)


def test_a_name_lies_beside_its_dots_and_hides_none():
    block = np.stack(np.meshgrid(np.arange(440, 561, 8), np.arange(360, 441, 8)), axis=-1)
    [box] = placed(named(block))
    away, _ = box.nearest(block.reshape(-1, 2).astype(float))
    assert 4 < away < 25  # the radius of a dot; two heights
    assert abs(box.x - 500) < 20  # above or below the middle


def test_a_name_is_not_written_among_the_dots_of_others():
    own = [(500, 400)]
    # Between its dot and those of others there is room, but it would be taken for theirs.
    for side in (-1, 1):
        others = [(500 + dx, 400 + 34 * side) for dx in (-60, -30, 0, 30, 60)]
        box, _ = placed(named(own), named(others, width=5))
        assert side * (box.y - 400) < 8


def test_in_a_crowd_a_name_lies_on_its_own_dots():
    crowd = np.stack(np.meshgrid(np.arange(0, 1001, 5), np.arange(0, 801, 5)), axis=-1)
    crowd = crowd.reshape(-1, 2).astype(float)
    own = crowd[np.abs(crowd - (500, 400)).max(axis=1) < 100]
    [box] = place_names([named(own)], FRAME, dots=crowd, radius=4)
    assert abs(box.x - 500) < 60
    assert abs(box.y - 400) < 95


def test_names_of_groups_at_one_place_and_photos_are_kept_clear():
    first, second = placed(named([(500, 400)]), named([(500, 400)]))
    assert not first.overlaps(second)
    photo = Box(500, 380, 100, 30)
    [box] = placed(named([(500, 400)]), pictures=[photo])
    assert not box.overlaps(photo)


def test_a_name_at_the_edge_lies_in_the_frame_and_one_too_long_is_left_out():
    inside, none = placed(named([(0, 0)]), named([(500, 400)], width=2000))
    assert inside.x - 40 >= 0
    assert inside.y - 5 >= 0
    assert none is None


def test_sums_over_rectangles_are_those_counted_one_by_one():
    rng = np.random.default_rng(0)
    dots = rng.uniform(0, 100, (200, 2))
    raster = Raster.around(50, 50, 100, 100).of_dots(dots)
    middles = rng.integers(5, 20, (50, 2)) * 4.0
    size = np.array([24.0, 16.0])
    slow = [(np.abs(dots - one) < size / 2).all(axis=1).sum() for one in middles]
    assert raster.sums().inside(middles, size).tolist() == slow


def test_a_dot_marks_the_cells_that_it_lies_on():
    empty = Raster.around(50, 50, 100, 100)  # of cells of 4 pixels: 48 to 52 is one
    for radius, cells in ((1.9, 1), (2.1, 5), (3.0, 9)):
        marked = np.argwhere(empty.of_dots(np.array([[50.0, 50.0]]), radius).cells)
        assert len(marked) == cells, radius
        assert marked.mean(axis=0).tolist() == [12, 12]


def test_photos_do_not_overlap_and_none_that_has_room_is_left_out():
    xy = np.random.default_rng(0).normal(0, 3, (300, 2))
    chosen = choose_photos(xy, 1.0)
    away = np.abs(xy[chosen][:, None] - xy[chosen]).max(axis=2)
    np.fill_diagonal(away, 1)
    assert away.min() >= 1
    others = np.setdiff1d(np.arange(300), chosen)
    assert (np.abs(xy[others][:, None] - xy[chosen]).max(axis=2).min(axis=1) < 1).all()


@pytest.fixture
def flowers(photos, toy, tmp_path):
    penult.extract(photos, tmp_path / "rows.h5", model=toy, progress=False)
    return tmp_path / "rows.h5"


def test_a_photo_lies_where_its_dot_would(flowers, tmp_path):
    found = mapped(penult.load(flowers))
    seen = []

    def photo(name):
        seen.append(name)
        return Image.new("RGB", (8, 8), (170, 20, 40)) if name.startswith("rose") else None

    figure, _ = draw_map(found, color_by="label", photo=photo)
    shown = [name for name in seen if name.startswith("rose")]
    assert shown
    middles = []
    for image in figure.axes[0].images:
        left, right, bottom, top = image.get_extent()
        middles.append([(left + right) / 2, (bottom + top) / 2])
    places = [found.xy[list(found.ids).index(name)] for name in shown]
    np.testing.assert_allclose(middles, places, rtol=1e-4, atol=1e-5)
    assert f"{len(shown)} of 36 photos have room" in written(figure)[1]


def test_pictures_are_written_and_known_for_penults_own(flowers, photos, tmp_path):
    outputs = [photos / "map.png", tmp_path / "map.svg"]
    penult.map(flowers, outputs, method="pca", thumbnails=True, progress=False)
    with Image.open(outputs[0]) as picture:
        assert picture.format == "PNG"
        assert picture.width > 1000
    svg = ElementTree.parse(outputs[1]).getroot()
    texts = "".join(svg.itertext())
    assert "rose (12)" in texts
    assert "daisy (12)" in texts
    again = penult.extract(photos, model="toy:mean-colour", progress=False)
    assert len(again) == 36  # the map is no photo
    first = outputs[1].read_bytes()
    penult.map(flowers, outputs[1], method="pca", thumbnails=True, overwrite=True, progress=False)
    assert outputs[1].read_bytes() == first


def test_photos_that_are_gone_leave_the_dots(flowers, photos, tmp_path, caplog):
    photos.rename(tmp_path / "moved")
    penult.map(flowers, tmp_path / "a.png", method="pca", thumbnails=True, progress=False)
    assert "a.png has no pictures" in caplog.text


@pytest.mark.parametrize("column", ["label", "split"])
def test_up_to_eight_classes_have_the_same_colours_as_on_a_page(column):
    parts = ["test", "validation", "train", "test", "validation", "train"]
    made = mapped(blobs(6, 6, splits=parts * 6))
    figure, _ = draw_map(made, color_by=column)
    drawn = {
        handle.get_label().rsplit(" (", 1)[0]: handle.get_color()
        for handle in figure.axes[0].get_legend().legend_handles
    }
    page = packed_column(column, made.columns[column], len(made))
    assert drawn == dict(zip(page["values"], CATEGORICAL, strict=False))
    if column == "split":
        assert page["values"] == ["train", "validation", "test"]


@pytest.mark.parametrize(("scale", "offset"), [(0, 1e8), (0, 0), (1e-20, 0), (1e36, 0)])
def test_points_of_any_size_fill_their_frame_and_those_at_one_place_have_one(scale, offset):
    made = mapped(blobs(2, 6))
    xy = (made.xy.astype(float) * scale + offset).astype(np.float32)
    figure, _ = draw_map(replace(made, xy=xy), color_by=None)
    (low, high), span = figure.axes[0].get_xlim(), np.ptp(xy.astype(float), axis=0).max()
    assert low < xy[:, 0].min() <= xy[:, 0].max() < high
    if scale:
        assert high - low < 2 * span


def test_of_very_many_points_some_say_where_they_are_densest():
    heap = np.random.default_rng(0).normal(5, 0.01, (4_000, 2))
    points = np.concatenate([heap, np.random.default_rng(1).uniform(-90, 0, (1_000, 2))])
    assert densest(points) == pytest.approx([5, 5], abs=0.05)


def test_names_on_photos_have_a_ground_of_their_own_and_are_kept_clear_of_them():
    found = mapped(blobs(17, 2, width=20))
    figure, _ = draw_map(
        found, color_by="label", photo=lambda _name: Image.new("RGB", (8, 8), (170, 20, 40))
    )
    axes = figure.axes[0]
    names = axes.texts[:-1]
    assert names
    assert all(text.get_bbox_patch() is not None for text in names)
    assert axes.images
