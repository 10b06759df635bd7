import numpy as np
import pytest
from PIL import Image

from penult.errors import OutputExistsError
from penult.records import ClassScore, Scores
from penult.reporting.figures import confusion_matrix
from penult.reporting.figures.confusion_matrix import confusion_matrix_png


def scores_of(confusion, labels=None):
    counts = np.asarray(confusion)
    labels = labels or [f"class {i}" for i in range(len(counts))]
    return Scores(
        accuracy=0.5,  # one for all, and so is the number of images: both are in the title
        classes=tuple(
            ClassScore(label, 1.0, 1.0, 1.0, int(row.sum()))
            for label, row in zip(labels, counts, strict=True)
        ),
        confusion=tuple(map(tuple, counts.tolist())),
        images=100,
        split="a test",
    )


def pixels_of(scores, path, **options):
    confusion_matrix_png(scores, path, **options)
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def runs(flags):
    """Lengths of the runs of True."""
    edges = np.flatnonzero(np.diff(np.r_[0, flags.astype(int), 0]))
    return list(edges[1::2] - edges[::2])


@pytest.mark.parametrize("classes", [2, 5, 17, 50, 90])  # of 90, a cell is as small as it gets
def test_the_last_row_is_drawn_whole_however_many_classes(tmp_path, monkeypatch, classes):
    """Two matrices that differ in the last row's two ends differ in two whole cells, no more."""
    monkeypatch.setattr(confusion_matrix, "DPI", 75)  # half of it: a quarter of the pixels
    first, second = np.eye(classes, dtype=int), np.eye(classes, dtype=int)
    second[-1] = np.eye(classes, dtype=int)[0]
    before = pixels_of(scores_of(first), tmp_path / "first.png")
    after = pixels_of(scores_of(second), tmp_path / "second.png")

    changed = (before != after).any(axis=2)
    side = confusion_matrix._cell_inches(classes) * confusion_matrix.DPI
    tolerance = 2  # the grid's lines are drawn over the cells' edges
    (height,) = runs(changed.any(axis=1))
    assert height == pytest.approx(side, abs=tolerance)
    widths = runs(changed.any(axis=0))
    gap = np.flatnonzero(changed.any(axis=0))
    if classes == 2:  # the two cells touch
        assert gap[-1] - gap[0] == pytest.approx(2 * side, abs=tolerance)
    else:
        assert widths == pytest.approx([side, side], abs=tolerance)
        assert gap[-1] - gap[0] == pytest.approx(classes * side, abs=tolerance)


def test_one_mistake_shows_beside_a_thousand_hits(tmp_path):
    hits = np.diag([1000, 1000, 1000])
    mistake = hits.copy()
    mistake[2, 0] = 1
    before = pixels_of(scores_of(hits), tmp_path / "hits.png")
    after = pixels_of(scores_of(mistake), tmp_path / "mistake.png")
    changed = np.abs(before.astype(int) - after).sum(axis=2)
    cell = changed[changed > 0]
    assert len(cell) > 0.8 * (confusion_matrix._cell_inches(3) * confusion_matrix.DPI) ** 2
    assert np.median(cell) > 60  # of 3 × 255: clearly not the white of an empty cell


def test_normalised_rows_of_different_sizes_look_the_same(tmp_path):
    few = pixels_of(scores_of([[1, 1], [0, 2]]), tmp_path / "few.png", normalize=True)
    many = pixels_of(scores_of([[300, 300], [0, 4]]), tmp_path / "many.png", normalize=True)
    assert np.array_equal(few, many)
    counted = pixels_of(scores_of([[300, 300], [0, 4]]), tmp_path / "counts.png")
    assert counted.shape != many.shape or not np.array_equal(counted, many)


def test_a_class_without_images_is_a_row_without_colour(tmp_path):
    pixels_of(scores_of([[3, 0], [0, 0]]), tmp_path / "counts.png")
    pixels_of(scores_of([[3, 0], [0, 0]]), tmp_path / "shares.png", normalize=True)
    pixels_of(scores_of([[0, 0], [0, 0]]), tmp_path / "nothing.png")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The same matrix with names of one letter."""
    folder = tmp_path_factory.mktemp("plain")
    return pixels_of(scores_of([[3, 1], [0, 4]], ["a", "b"]), folder / "plain.png")


@pytest.mark.parametrize(
    "label",
    [
        pytest.param("花", id="script that the font may lack"),
        pytest.param("тюльпан", id="script that the font has"),
        pytest.param("$x^{2", id="looks like mathematics"),
        pytest.param("two\nlines\tand \x07", id="control characters"),
        pytest.param("broken \udcff name", id="not valid UTF-8"),
        pytest.param("", id="empty"),
        pytest.param("<b>&amp;", id="markup"),
    ],
)
def test_any_name_can_be_drawn(tmp_path, plain, label):
    named = pixels_of(scores_of([[3, 1], [0, 4]], ["a", label]), tmp_path / "named.png")
    assert plain.shape != named.shape or not np.array_equal(plain, named)


def labels_of(scores, monkeypatch, path):
    """The names down the left side."""
    drawn = []
    draw = confusion_matrix._draw
    monkeypatch.setattr(
        confusion_matrix, "_draw", lambda *a, **o: drawn.append(draw(*a, **o)) or drawn[-1]
    )
    confusion_matrix_png(scores, path)
    return [label.get_text() for label in drawn[0].axes[0].get_yticklabels()]


def test_a_long_name_keeps_both_its_ends_and_the_figure_its_proportions(tmp_path, monkeypatch):
    name = "photographs of tulips " * 20 + "variety 7"
    scores = scores_of([[3, 1], [0, 4]], ["a", name])
    height, width, _ = pixels_of(scores, tmp_path / "a.png").shape
    assert max(height, width) < 3 * min(height, width)
    _, shown = labels_of(scores, monkeypatch, tmp_path / "b.png")
    assert shown.startswith("photographs")
    assert shown.endswith("variety 7")
    assert len(shown) <= confusion_matrix.LONGEST_LABEL


def test_long_names_that_differ_in_their_middle_stay_apart(tmp_path, monkeypatch):
    names = [f"photographs of the meadow in {m}, with the old camera" for m in ("May", "June")]
    shown = labels_of(scores_of([[3, 1], [0, 4]], names), monkeypatch, tmp_path / "a.png")
    assert "May" in shown[0]
    assert "June" in shown[1]


def test_a_name_that_no_font_has_is_a_number_and_one_line_says_what_to_install(
    tmp_path, monkeypatch, caplog
):
    scores = scores_of([[3, 1], [0, 4]], ["rose", "\U000130bb lily"])  # an Egyptian hieroglyph
    assert labels_of(scores, monkeypatch, tmp_path / "a.png") == ["rose", "#2 lily"]
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("penult: a.png has numbers in place of 1 name (\U000130bb lily)")
    assert line.endswith("install the font Noto Sans Egyptian")
    caplog.clear()
    confusion_matrix_png(scores_of([[3, 1], [0, 4]], ["rose", "тюльпан"]), tmp_path / "b.png")
    assert caplog.records == []


def test_percentages_never_round_a_mistake_away(tmp_path, monkeypatch):
    written = []
    draw = confusion_matrix._draw

    def spy(*given, **options):
        figure = draw(*given, **options)
        written.extend(text.get_text() for text in figure.axes[0].texts)
        return figure

    monkeypatch.setattr(confusion_matrix, "_draw", spy)
    confusion_matrix_png(scores_of([[999, 1], [0, 5]]), tmp_path / "a.png", normalize=True)
    assert written == ["99", "1", "100"]


def test_an_existing_file_is_kept_unless_overwriting(tmp_path):
    path = tmp_path / "a.png"
    path.write_text("mine")
    with pytest.raises(OutputExistsError):
        confusion_matrix_png(scores_of([[1, 0], [0, 1]]), path)
    assert path.read_text() == "mine"
    confusion_matrix_png(scores_of([[1, 0], [0, 1]]), path, overwrite=True)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_number_that_would_be_too_small_to_read_is_left_out(tmp_path, monkeypatch):
    from matplotlib.axes import Axes

    written, write = [], Axes.text

    def noted(axes, x, y, text, **style):
        written.append(text)
        return write(axes, x, y, text, **style)

    monkeypatch.setattr(Axes, "text", noted)
    counts = np.eye(40, dtype=int)
    counts[0, 1] = 1_234_567
    confusion_matrix_png(scores_of(counts), tmp_path / "many.png")
    assert "1" in written
    assert "1234567" not in written
