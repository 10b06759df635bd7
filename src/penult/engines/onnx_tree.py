"""From a recipe's tree to one ONNX graph that gives the same rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from penult.engines.agreement import relative_error
from penult.engines.base import TOLERANCE
from penult.engines.onnx_export import IR, OPSET, row_graph, run_graph
from penult.engines.onnx_nodes import OnnxNodes
from penult.errors import EngineError
from penult.messages import first_line
from penult.recipe import (
    CENTER,
    VIEWS,
    AugmentedRecipe,
    AveragedRecipe,
    BackboneRecipe,
    JoinedRecipe,
    Preprocessing,
    ProjectedRecipe,
    Recipe,
    View,
)
from penult.representation import short_repr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.backbone import Backbone
    from penult.engines.onnx_export import RowGraph
    from penult.recipe.views import Place

    LeafRows = Callable[[BackboneRecipe, View], str]
    Network = tuple[Backbone, Sequence[BackboneRecipe]]

__all__ = ["GraphInput", "TreeGraph", "graph_inputs", "tree_graph"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class GraphInput:
    """An input of an ONNX graph: images as some of its networks see them.

    Attributes
    ----------
    name : str
        ``"images"``; of several inputs ``"images_0"``, ``"images_1"`` and so on.
    preprocessing : Preprocessing
        How an image is resized and cropped; mean and standard deviation are applied inside.
    places : tuple of str
        Where the crops of an image are taken, in their order: ``("center",)``, or those of five.
    """

    name: str
    preprocessing: Preprocessing
    places: tuple[Place, ...]

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(None, H, W, 3), or (None, V, H, W, 3) where an image has V > 1 crops."""
        return (None, *self.image_shape)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """The same of one image."""
        crops = (len(self.places),) if len(self.places) > 1 else ()
        return (*crops, *self.preprocessing.input_size, 3)

    @property
    def shape_told(self) -> str:
        """The shape as a person is told, e.g. ``"(N, 240, 240, 3)"``."""
        return f"({', '.join(['N', *map(str, self.image_shape)])})"

    def to_dict(self) -> dict[str, Any]:
        """Give what a caller needs to make it: the preprocessing, and places if there are several.

        Returns
        -------
        dict
            JSON-like.
        """
        places = {"places": list(self.places)} if len(self.places) > 1 else {}
        return {**self.preprocessing.to_dict(), **places}


class TreeGraph(NamedTuple):
    """An ONNX model from `inputs` to rows, float32 (N, D), and how far they were from penult's."""

    model: Any
    inputs: tuple[GraphInput, ...]
    difference: float


def graph_inputs(recipe: Recipe) -> tuple[GraphInput, ...]:
    """The inputs of a recipe's graph: one for each way in which its networks see images.

    A mirrored crop is none of them: the graph mirrors it.
    """
    places: dict[Preprocessing, dict[Place, None]] = {}
    for leaf, view in recipe.needs():
        places.setdefault(leaf.preprocessing, {})[view.place] = None
    several = len(places) > 1
    return tuple(
        GraphInput(
            name=f"images_{number}" if several else "images",
            preprocessing=preprocessing,
            places=tuple(them),
        )
        for number, (preprocessing, them) in enumerate(places.items())
    )


def tree_graph(recipe: Recipe, networks: Sequence[Network]) -> TreeGraph:
    """Write what makes a recipe's rows of pixels as an ONNX model, and try it out.

    Parameters
    ----------
    recipe : Recipe
        Of any kind.
    networks : sequence of (Backbone, sequence of BackboneRecipe)
        Each network, and those of the recipe's leaves that are its rows.

    Raises
    ------
    MissingExtraError, EngineError
        As `row_graph`, and if the rows of the whole are not penult's.
    """
    inputs = graph_inputs(recipe)
    nodes = OnnxNodes("recipe/")
    there: dict[tuple[BackboneRecipe, View], str] = {}
    graphs = []
    for number, (backbone, leaves) in enumerate(networks):
        (given,) = [one for one in inputs if one.preprocessing == leaves[0].preprocessing]
        views = _views(recipe, leaves)
        prefix = "backbone/" if len(networks) == 1 else f"backbone_{number}/"
        images = _batch(nodes, given, views)
        graph = row_graph(backbone, leaves, images=images, prefix=prefix)
        graphs.append(graph)
        nodes.nodes += graph.model.graph.node
        for leaf, output in zip(leaves, graph.model.graph.output, strict=True):
            rows = [output.name]
            if len(views) > 1:
                rows = nodes.add_several("Split", len(views), output.name, axis=0)
            there.update(zip([(leaf, view) for view in views], rows, strict=True))
    rows_name = _emit(recipe, nodes, lambda leaf, view: there[leaf, view], CENTER)
    model = _model(nodes, graphs, inputs, rows_name)
    return TreeGraph(model, inputs, _tried(model, recipe, inputs, networks, graphs))


def _views(recipe: Recipe, leaves: Sequence[BackboneRecipe]) -> tuple[View, ...]:
    return tuple(dict.fromkeys(view for leaf, view in recipe.needs() if leaf in leaves))


def _batch(nodes: OnnxNodes, given: GraphInput, views: Sequence[View]) -> str:
    """Put all views of all images into one batch, (V · N, H, W, 3), one view after the other."""
    seen = []
    for view in views:
        crop = given.name
        if len(given.places) > 1:
            place = given.places.index(view.place)
            crop = nodes.add("Gather", crop, np.array(place), axis=1)
        if view.flipped:
            last, first, axis, back = (np.array([n]) for n in (-1, np.iinfo(np.int64).min, 2, -1))
            crop = nodes.add("Slice", crop, last, first, axis, back)
        seen.append(crop)
    return seen[0] if len(seen) == 1 else nodes.add("Concat", *seen, axis=0)


@singledispatch
def _emit(recipe: Recipe, nodes: OnnxNodes, leaf_rows: LeafRows, view: View) -> str:
    """Write the nodes of one kind of recipe, as its `rows` computes; the name of what they give."""
    raise EngineError(f"the rows of {recipe.outline} cannot be written as ONNX")


@_emit.register(BackboneRecipe)
def _leaf(recipe: BackboneRecipe, nodes: OnnxNodes, leaf_rows: LeafRows, view: View) -> str:
    return leaf_rows(recipe, view)


@_emit.register(AugmentedRecipe)
def _augmented(recipe: AugmentedRecipe, nodes: OnnxNodes, leaf_rows: LeafRows, view: View) -> str:
    return _emit(recipe.part, nodes, leaf_rows, view)


@_emit.register(AveragedRecipe)
def _averaged(recipe: AveragedRecipe, nodes: OnnxNodes, leaf_rows: LeafRows, view: View) -> str:
    seen = [_emit(recipe.part, nodes, leaf_rows, own) for own in VIEWS[recipe.views]]
    return nodes.add("Mean", *seen)


@_emit.register(JoinedRecipe)
def _joined(recipe: JoinedRecipe, nodes: OnnxNodes, leaf_rows: LeafRows, view: View) -> str:
    scaled = []
    for part, weight in zip(recipe.parts, recipe.weights, strict=True):
        rows = nodes.unit(_emit(part, nodes, leaf_rows, view))
        if weight != 1:
            rows = nodes.add("Mul", rows, np.array(weight, np.float32))
        scaled.append(rows)
    return nodes.add("Concat", *scaled, axis=1)


@_emit.register(ProjectedRecipe)
def _projected(recipe: ProjectedRecipe, nodes: OnnxNodes, leaf_rows: LeafRows, view: View) -> str:
    projection = recipe.projections[recipe.sha256]
    rows = _emit(recipe.part, nodes, leaf_rows, view)
    rows = nodes.add("MatMul", nodes.add("Sub", rows, projection.mean), projection.components.T)
    return nodes.add("Div", rows, projection.scale) if projection.whiten else rows


def _model(
    nodes: OnnxNodes, graphs: Sequence[RowGraph], inputs: Sequence[GraphInput], rows: str
) -> Any:
    from onnx import TensorProto, helper

    opsets = {"": OPSET} | {
        one.domain: one.version for graph in graphs for one in graph.model.opset_import
    }
    graph = helper.make_graph(
        nodes.nodes,
        "rows",
        [
            helper.make_tensor_value_info(one.name, TensorProto.UINT8, ["N", *one.image_shape])
            for one in inputs
        ],
        [helper.make_tensor_value_info(rows, TensorProto.FLOAT, ["N", None])],
        [one for graph in graphs for one in graph.model.graph.initializer]
        + list(nodes.initializers()),
    )
    imports = [helper.make_opsetid(*one) for one in opsets.items()]
    return helper.make_model(graph, opset_imports=imports, ir_version=IR)


def _tried(
    model: Any,
    recipe: Recipe,
    inputs: Sequence[GraphInput],
    networks: Sequence[Network],
    graphs: Sequence[RowGraph],
) -> float:
    """Compare the rows of the whole graph with those that penult makes; how far they are apart."""
    rng = np.random.default_rng(1)
    pixels: dict[Preprocessing, NDArray[np.uint8]] = {
        one.preprocessing: rng.integers(0, 256, (3, *one.image_shape), dtype=np.uint8)
        for one in inputs
    }
    own: dict[tuple[BackboneRecipe, View], NDArray[np.float32]] = {}
    places = {one.preprocessing: one.places for one in inputs}
    for (_, leaves), graph in zip(networks, graphs, strict=True):
        preprocessing = leaves[0].preprocessing
        for view in _views(recipe, leaves):
            seen = _seen(pixels[preprocessing], places[preprocessing], view)
            own |= {(leaf, view): r for leaf, r in zip(leaves, graph.own_rows(seen), strict=True)}
    expected = recipe.rows(lambda leaf, view: own[leaf, view])
    try:
        (rows,) = run_graph(model.SerializeToString(), *pixels.values())
    except ValueError:  # of more than protobuf holds, for which the caller has a message
        raise
    except Exception as error:
        reason = first_line(error)
        raise EngineError(
            f"the rows of {recipe.outline} cannot be written as ONNX: {reason}"
        ) from error
    relative = relative_error(rows, expected)
    if not relative <= TOLERANCE:
        raise EngineError(
            f"{recipe.outline} as ONNX gives rows that differ from penult's by {relative:.1e}, "
            f"more than {TOLERANCE:.0e}"
        )
    return max(relative, *(graph.difference for graph in graphs))


def _seen(pixels: NDArray[np.uint8], places: Sequence[Place], view: View) -> NDArray[np.uint8]:
    crop = pixels if len(places) == 1 else pixels[:, places.index(view.place)]
    return np.ascontiguousarray(crop[:, :, ::-1] if view.flipped else crop)
