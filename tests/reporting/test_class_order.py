"""Large confusion matrices: in which order their classes stand, and what is drawn of them."""

import itertools
import re

import numpy as np
from reports import report_of

from penult.reporting import matrix_drawing
from penult.reporting.class_order import by_similarity
from penult.reporting.matrix_drawing import draw_matrix


def test_classes_that_are_confused_stand_side_by_side():
    confusion = np.diag([8] * 6)
    for a, b in ((0, 3), (1, 5), (2, 4)):
        confusion[a, b], confusion[b, a] = 4, 1
    order = by_similarity(confusion.tolist())
    assert sorted(order) == [0, 1, 2, 3, 4, 5]
    pairs = {frozenset(order[k : k + 2]) for k in (0, 2, 4)}
    assert pairs == {frozenset({0, 3}), frozenset({1, 5}), frozenset({2, 4})}


def test_a_chain_of_classes_is_laid_out_as_a_chain():
    """Each is taken for the next along a chain, whatever their order was."""
    chain = np.random.default_rng(0).permutation(12)
    confusion = 9 * np.eye(12, dtype=int)
    for a, b in itertools.pairwise(chain):
        confusion[a, b] = confusion[b, a] = 2
    order = by_similarity(confusion.tolist())
    beside = {frozenset(pair) for pair in itertools.pairwise(order)}
    linked = {frozenset(map(int, pair)) for pair in itertools.pairwise(chain)}
    assert len(beside & linked) >= 10  # of 11: the tree may be cut in one place


def test_few_classes_and_classes_without_images_have_an_order_too():
    assert by_similarity([[3]]) == [0]
    assert by_similarity([[3, 1], [0, 2]]) == [0, 1]
    assert sorted(by_similarity([[0] * 4] * 4)) == [0, 1, 2, 3]


def _scores(number=6):
    labels = [f"class {k}" for k in range(number)]
    outcomes = [(f"{a}/{k}.jpg", a, a, 0.9) for a in labels for k in range(3)]
    outcomes += [("x.jpg", labels[0], labels[-1], 0.9)]
    return report_of(outcomes, labels).trained.scores


def test_every_cell_with_images_is_drawn_once_where_its_classes_stand():
    scores = _scores()
    drawing = draw_matrix(scores)
    cells = np.reshape(drawing.cells, (-1, 3)).tolist()
    expected = np.asarray(scores.confusion)[np.ix_(drawing.order, drawing.order)]
    assert cells == [[r, c, expected[r, c]] for r, c in np.argwhere(expected).tolist()]
    drawn = [
        (hit, int(row), int(column))
        for hit, _, path in drawing.shapes
        for column, row in re.findall(r"M(\d+) (\d+)h1v1h-1z", path)
    ]
    assert sorted(drawn) == sorted((r == c, r, c) for r, c, _ in cells)
    strengths = {hit: strength for hit, strength, _ in drawing.shapes}
    assert strengths[False] == 0.5  # one image of four: the root of its share


def test_what_is_drawn_is_bounded_and_the_rest_is_counted(monkeypatch):
    monkeypatch.setattr(matrix_drawing, "MOST_CELLS", 6)
    drawing = draw_matrix(_scores())
    assert drawing.left_out == 1
    assert 1 not in drawing.cells[2::3]  # the cell of the fewest images
