"""A recipe's tree as one ONNX graph gives the rows that are worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from onnx import TensorProto, helper

from penult import Extractor
from penult.backbones.registry import open_backbone
from penult.engines.onnx_export import IR, OPSET, run_graph
from penult.engines.onnx_nodes import OnnxNodes
from penult.engines.onnx_rows import _normalize
from penult.engines.onnx_tree import _emit, graph_inputs, tree_graph
from penult.errors import EngineError
from penult.extractor import by_network
from penult.recipe import (
    AugmentedRecipe,
    AveragedRecipe,
    JoinedRecipe,
    Preprocessing,
    ProjectedRecipe,
    Projection,
)

# Left half red, right half half as green as red.
HALVES = np.zeros((8, 8, 3), np.uint8)
HALVES[:, :4, 0], HALVES[:, 4:, 1] = 255, 51


def rows_of(recipe, *images):
    """Run the graph on arrays of pixels, one an input."""
    networks = [(open_backbone(own[0].backbone), own) for own in by_network([recipe])]
    graph = tree_graph(recipe, networks)
    assert graph.difference <= 1e-5
    (rows,) = run_graph(graph.model.SerializeToString(), *images)
    return rows


def leaf(model, layer="penultimate", **options):
    (recipe,) = Extractor(model, layer=layer, **options).recipes
    return recipe


def test_a_mirrored_view_is_made_inside(toy):
    recipe = AveragedRecipe(leaf(toy, "pixels", pooling="none"), "flip")
    (images,) = graph_inputs(recipe)
    assert (images.name, images.shape, images.places) == ("images", (None, 8, 8, 3), ("center",))
    rows = rows_of(recipe, np.stack([HALVES, 0 * HALVES])).reshape(2, 3, 8, 8)
    assert rows[0, 0] == pytest.approx(np.full((8, 8), 0.5))
    assert rows[0, 1] == pytest.approx(np.full((8, 8), 0.1))
    assert not rows[1].any()


def test_crops_are_averaged_and_their_mirror_images_too(margins):
    shades = np.arange(0, 250, 51, dtype=np.uint8)  # 0 to 0.8 of white, a crop each
    crops = np.broadcast_to(shades[None, :, None, None, None], (2, 5, 8, 8, 3)).copy()
    for views in ("five-crop", "ten-crop"):
        recipe = AveragedRecipe(leaf(margins), views)
        (images,) = graph_inputs(recipe)
        assert images.shape == (None, 5, 8, 8, 3)
        assert images.places == (
            "top left",
            "top right",
            "bottom left",
            "bottom right",
            "center",
        )
        assert rows_of(recipe, crops) == pytest.approx(np.full((2, 3), 0.4))
    # Of the second crop, only the left half is white: averaged, each pixel is 1/10.
    crops[:] = 0
    crops[:, 1, :, :4] = 255
    recipe = AveragedRecipe(leaf(margins, "pixels", pooling="none"), "ten-crop")
    assert rows_of(recipe, crops) == pytest.approx(np.full((2, 3 * 64), 0.1))


def test_parts_are_scaled_to_length_one_weighted_and_joined(toy):
    mean, logits = leaf(toy), leaf(toy, "logits")
    rows = rows_of(JoinedRecipe((mean, logits), (1, 0.5)), np.stack([HALVES, 0 * HALVES]))
    first = np.array([0.5, 0.1, 0]) / np.hypot(0.5, 0.1)
    second = 0.5 * np.array([0.6, 0.5]) / np.hypot(0.6, 0.5)
    assert rows[0] == pytest.approx(np.concatenate([first, second]))
    assert not rows[1].any()  # a row of zeros stays one


@pytest.mark.parametrize(("whiten", "expected"), [(False, [1, 2]), (True, [0.5, 2])])
def test_rows_are_projected(toy, whiten, expected):
    projection = Projection(
        mean=[0.5, 0.1, 0],
        components=[[10, 0, 0], [0, 0, 10]],
        explained_variance=[4, 1],
        total_variance=6,
        whiten=whiten,
    )
    pixels = np.empty((1, 8, 8, 3), np.uint8)
    pixels[:] = 153, 200, 51  # 0.6, …, 0.2
    assert rows_of(ProjectedRecipe.of(leaf(toy), projection), pixels)[0] == pytest.approx(expected)


def test_each_way_of_seeing_is_an_input(toy, tiny, margins):
    """And networks that see images alike share one: the middle crop of three."""
    recipe = JoinedRecipe(
        (
            AveragedRecipe(leaf(margins), "five-crop"),
            JoinedRecipe((AveragedRecipe(leaf(tiny), "flip"), leaf(margins, "logits"))),
            AugmentedRecipe(leaf(toy), "light", 0),
        )
    )
    inputs = graph_inputs(recipe)
    assert [(one.name, one.shape[1:]) for one in inputs] == [
        ("images_0", (5, 8, 8, 3)),
        ("images_1", (32, 32, 3)),
        ("images_2", (8, 8, 3)),
    ]
    rng = np.random.default_rng(0)
    pixels = [rng.integers(0, 256, (4, *one.shape[1:]), dtype=np.uint8) for one in inputs]
    rows = rows_of(recipe, *pixels)
    five, large, small = pixels

    def unit(rows):
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def means(pixels):
        return pixels.mean((-3, -2)) / 255

    red, green, blue = means(five[:, 4]).T
    engine = Extractor(leaf(tiny))
    flipped = (engine([*large]) + engine([*large[:, :, ::-1]])) / 2
    expected = [
        unit(means(five).mean(1)),
        unit(np.hstack([unit(flipped), unit(np.stack([red + green + blue, red - blue], 1))])),
        unit(means(small)),
    ]
    np.testing.assert_allclose(rows, np.hstack(expected), atol=1e-5)


def test_a_recipe_of_a_kind_that_is_unknown_here_is_refused():
    with pytest.raises(EngineError, match=r"^the rows of a new kind cannot be written as ONNX$"):
        _emit(SimpleNamespace(outline="a new kind"), OnnxNodes(""), None, None)


def test_a_graph_that_does_not_run_is_refused_in_one_line(toy, monkeypatch):
    def run(model, *arrays):
        raise error

    monkeypatch.setattr("penult.engines.onnx_tree.run_graph", run)
    error = RuntimeError("no kernel\nand a trace")
    with pytest.raises(EngineError, match=r"of toy:mean-colour.* as ONNX: no kernel$"):
        rows_of(leaf(toy), HALVES[None])
    error = ValueError("more than protobuf holds")
    with pytest.raises(ValueError, match="more than protobuf"):
        rows_of(leaf(toy), HALVES[None])


def test_channels_are_turned_as_torch_turns_them():
    bgr = Preprocessing(
        resize=(1, 1), crop=None, interpolation="nearest", mean=(0.0, 0.2, 0.4),
        std=(1.0, 0.5, 0.25), channels="BGR",
    )  # fmt: skip
    nodes = OnnxNodes("")
    given = helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", 1, 1, 3])
    gives = helper.make_tensor_value_info(
        _normalize(nodes, "images", bgr), TensorProto.FLOAT, ["N", 3, 1, 1]
    )
    graph = helper.make_graph(nodes.nodes, "rows", [given], [gives], nodes.initializers())
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR)
    pixels = np.array([[[[51, 102, 255]]]], np.uint8)  # 0.2, 0.4 and 1 of 255
    (found,) = run_graph(model.SerializeToString(), pixels)
    assert found.ravel() == pytest.approx([1, 0.4, -0.8], abs=1e-6)


def test_a_graph_of_other_rows_than_penults_is_refused(toy, monkeypatch):
    join = JoinedRecipe.join
    monkeypatch.setattr(JoinedRecipe, "join", lambda self, rows: 2 * join(self, rows))
    recipe = JoinedRecipe((leaf(toy), leaf(toy, "logits")))
    with pytest.raises(
        EngineError, match=r"as ONNX gives rows that differ from penult's by 5.0e-01"
    ):
        rows_of(recipe, HALVES[None])
