"""Recipes that are made of others: what they give can be worked out by hand."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from recipe_trees import leaf, projection, trees

from penult.errors import FileFormatError, RecipeMismatchError
from penult.recipe import (
    CENTER,
    AugmentedRecipe,
    AveragedRecipe,
    JoinedRecipe,
    ProjectedRecipe,
    Projection,
    Recipe,
    View,
    require_equal,
)

pytestmark = pytest.mark.light

A, B = leaf(net="a"), leaf(net="b")
MIRRORED = View(flipped=True)


def of(**rows):
    """Rows of leaves a and b, plain and mirrored."""
    given = {
        (node, view): np.array(rows[name], np.float32)
        for name, node, view in (
            ("a", A, CENTER),
            ("b", B, CENTER),
            ("a_mirrored", A, MIRRORED),
            ("b_mirrored", B, MIRRORED),
        )
        if name in rows
    }
    return lambda node, view: given[node, view]


@settings(max_examples=40, deadline=None)
@given(tree=trees)
def test_json_and_arrays_give_an_equal_tree_back(tree):
    again = Recipe.from_json(tree.to_json(), tree.projections)
    assert again == tree
    assert hash(again) == hash(tree)
    assert again.projections == tree.projections
    assert json.loads(again.to_json()) == json.loads(tree.to_json())
    assert tree.difference(again) == {}
    assert repr(again) == repr(tree)


def test_each_joined_part_has_length_one_first():
    joined = JoinedRecipe((A, B))
    rows = joined.rows(of(a=[[3, 4]], b=[[0, 0, 2]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8, 0, 0, 1]], rtol=1e-6)
    assert rows.dtype == np.float32


def test_a_weight_is_of_the_part_that_was_scaled_and_a_row_of_zeros_stays_one():
    joined = JoinedRecipe((A, B), (1.0, 0.5))
    rows = joined.rows(of(a=[[3, 4], [0, 0]], b=[[0, 0, 2], [0, 8, 0]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8, 0, 0, 0.5], [0, 0, 0, 0.5, 0]], rtol=1e-6)


def test_views_are_averaged():
    averaged = AveragedRecipe(A, "flip")
    assert averaged.needs() == ((A, CENTER), (A, MIRRORED))
    rows = averaged.rows(of(a=[[1, 2]], a_mirrored=[[3, 6]]))
    assert rows.tolist() == [[2, 4]]


def test_views_of_joined_rows_are_other_rows_than_joined_views():
    given = of(a=[[1, 0]], a_mirrored=[[0, 3]], b=[[1]], b_mirrored=[[1]])
    inside = JoinedRecipe((AveragedRecipe(A, "flip"), AveragedRecipe(B, "flip")))
    outside = AveragedRecipe(JoinedRecipe((A, B)), "flip")
    ten = np.sqrt(10)
    np.testing.assert_allclose(inside.rows(given), [[1 / ten, 3 / ten, 1]], rtol=1e-6)
    np.testing.assert_allclose(outside.rows(given), [[0.5, 0.5, 1]], rtol=1e-6)
    assert inside != outside


def test_a_projection_subtracts_the_mean_turns_and_whitens():
    plain = Projection(
        mean=[1, 1], components=[[0.6, 0.8]], explained_variance=[4], total_variance=5
    )
    rows = of(a=[[1, 1], [2, 1], [1, 6]])
    assert ProjectedRecipe.of(A, plain).rows(rows) == pytest.approx(np.array([[0], [0.6], [4]]))
    white = dataclasses.replace(plain, whiten=True)
    assert ProjectedRecipe.of(A, white).rows(rows) == pytest.approx(np.array([[0], [0.3], [2]]))
    assert plain.explained_variance_ratio == pytest.approx(0.8)
    assert plain != white


def test_a_projection_is_scikit_learns():
    from sklearn.decomposition import PCA

    rows = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    for whiten in (False, True):
        pca = PCA(3, whiten=whiten).fit(rows)
        ours = Projection(
            mean=pca.mean_,
            components=pca.components_,
            explained_variance=pca.explained_variance_,
            total_variance=float(rows.var(axis=0, ddof=1).sum()),
            whiten=whiten,
        )
        np.testing.assert_allclose(ours.apply(rows), pca.transform(rows), atol=1e-5)
        assert ours.explained_variance_ratio == pytest.approx(
            pca.explained_variance_ratio_.sum(), abs=1e-6
        )


def test_shapes_are_known_without_rows():
    shapes = {A: (2, 3), B: (4,)}.__getitem__
    assert JoinedRecipe((A, B)).row_shape(shapes) == (10,)
    assert AveragedRecipe(A, "flip").row_shape(shapes) == (2, 3)
    assert ProjectedRecipe.of(B, projection(2, False, 4)).row_shape(shapes) == (2,)


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (
            JoinedRecipe((A, dataclasses.replace(B, layer="logits"))),
            {"part 2: layer": ("penultimate", "logits")},
        ),
        (JoinedRecipe((A, B), (1, 2)), {"weights": ((1.0, 1.0), (1.0, 2.0))}),
        (
            A,
            {
                "recipe": (
                    "[toy:a, penultimate] joined with [toy:b, penultimate]",
                    "toy:a, penultimate",
                )
            },
        ),
        (
            JoinedRecipe((A, AveragedRecipe(B, "flip"))),
            {"part 2: recipe": ("toy:b, penultimate", "flip views of toy:b, penultimate")},
        ),
    ],
)
def test_trees_differ_field_by_field(other, difference):
    joined = JoinedRecipe((A, B))
    assert joined.difference(other) == difference
    with pytest.raises(RecipeMismatchError, match=next(iter(difference))):
        require_equal(joined, other, name="x", other_name="y")


def test_what_was_reduced_is_not_told_to_be_made_again_by_options_of_its_network():
    half = dataclasses.replace(A, precision="bfloat16")
    told = []
    for one, other in ((A, half), [ProjectedRecipe.of(a, projection(2, False)) for a in (A, half)]):
        with pytest.raises(RecipeMismatchError) as caught:
            require_equal(one, other, name="x", other_name="y", made_again=True)
        told.append(str(caught.value).rpartition("'float32' and 'bfloat16'")[2])
    assert told == ["; make y again with precision='float32'", ""]


def test_a_projection_without_its_arrays_is_equal_and_makes_no_rows():
    whole = ProjectedRecipe.of(A, projection(2, False))
    bare = Recipe.from_json(whole.to_json())
    assert bare == whole
    with pytest.raises(FileFormatError, match="arrays of PCA 2 of toy:a, penultimate are not"):
        bare.rows(of(a=[[1] * 5]))


def test_arrays_that_are_others_than_the_recipe_says_are_refused():
    whole = ProjectedRecipe.of(A, projection(2, False))
    with pytest.raises(FileFormatError, match="others than its recipe says"):
        Recipe.from_json(whole.to_json(), {whole.sha256: projection(2, True)})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: JoinedRecipe((A,)), "two parts or more"),
        (lambda: JoinedRecipe((A, B), (1.0,)), "1 weights for 2 parts"),
        (lambda: JoinedRecipe((A, B), (1.0, 0.0)), "from 0.001 to 1,000"),
        (lambda: JoinedRecipe((A, B), (1.0, float("nan"))), "from 0.001 to 1,000"),
        (lambda: JoinedRecipe((A, B), (1.0, 1e39)), "from 0.001 to 1,000"),
        (lambda: AveragedRecipe(AveragedRecipe(A, "flip"), "flip"), "averaged once"),
        (lambda: dataclasses.replace(projection(2, False), mean=[1, 2]), "do not fit together"),
        (lambda: dataclasses.replace(projection(2, False), mean=[np.nan] * 5), "NaN"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(FileFormatError, match=message):
        make()


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "joined", "parts": [], "weights": []},
        {"kind": "averaged", "part": json.loads(A.to_json()), "views": "nine-crop"},
        {"kind": "averaged", "part": 5, "views": "flip"},
        {"kind": "averaged", "views": "flip"},
        {"kind": ["joined"]},
    ],
)
def test_a_damaged_tree_is_refused(change):
    with pytest.raises(FileFormatError, match="not a recipe that this penult can read"):
        Recipe.from_json(json.dumps(change))


def test_words_for_people_name_every_network_once():
    both = JoinedRecipe((AveragedRecipe(A, "flip"), AveragedRecipe(B, "flip")))
    small = AugmentedRecipe(ProjectedRecipe.of(both, projection(2, True)), "light", 3)
    assert small.network == "toy:a + toy:b"
    assert small.layer == "penultimate"
    assert small.leaves == (A, B)
    assert small.outline == (
        "light augmentation, seed 3, of PCA 2, whitened, of ([flip views of toy:a, penultimate] "
        "joined with [flip views of toy:b, penultimate])"
    )


def test_parts_of_one_network_and_layer_are_told_apart_by_what_differs():
    half = dataclasses.replace(A, precision="bfloat16")
    other = dataclasses.replace(A, weights_sha256="cd" * 32)
    told = dict(JoinedRecipe((A, half, B)).facts())
    assert told["part 1"] == "toy:a, penultimate, precision float32"
    assert told["part 2"] == "toy:a, penultimate, precision bfloat16"
    assert told["part 3"] == "toy:b, penultimate"
    told = dict(JoinedRecipe((AveragedRecipe(A, "flip"), AveragedRecipe(other, "flip"))).facts())
    assert told["part 1"].startswith("flip views of toy:a, penultimate, weights_sha256 ababab")
    assert told["part 2"].startswith("flip views of toy:a, penultimate, weights_sha256 cdcdcd")
    assert dict(JoinedRecipe((A, A)).facts())["part 2"] == "toy:a, penultimate"


def test_a_recipe_pickled_when_all_were_leaves_is_one():
    """``Recipe(…)`` is what pickles from then call."""
    fields = {f.name: getattr(A, f.name) for f in dataclasses.fields(A)}
    assert Recipe(**fields) == A
    bare = Recipe.__new__(Recipe)
    bare.__dict__.update(vars(A))
    assert bare == A


def test_a_projection_of_other_rows_than_its_part_makes_is_one_line():
    forged = ProjectedRecipe.of(A, projection(2, False, width=7))
    with pytest.raises(FileFormatError, match="takes rows of 7 numbers, and is given 5; it was"):
        forged.rows(of(a=[[1] * 5]))


def test_rows_are_joined_also_where_their_squares_are_no_float32():
    rows = JoinedRecipe((A, B)).rows(of(a=[[3e30, 4e30], [0, 0]], b=[[1], [0]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8, 1], [0, 0, 0]], rtol=1e-6)
