"""An engine that breaks a promise is told which; the built-in ones keep theirs."""

from __future__ import annotations

import time

import numpy as np
import pytest
from toys import ChannelMeans, GraphOfMeans

from penult.backbones.registry import open_backbone, register, unregister
from penult.engines.base import EngineSettings
from penult.engines.registry import open_engine
from penult.testing import check_engine


def opened(model, engine, layers=("penultimate",)):
    backbone = open_backbone(model)
    recipes = [backbone.recipe(layer) for layer in layers]
    return open_engine(backbone, recipes, engine=engine, device="cpu")


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_a_built_in_engine_keeps_its_promises(tiny, engine):
    layers = ("maps", "penultimate", "logits")
    check_engine(opened(tiny, engine, layers), opened(tiny, "torch", layers))


def test_a_graph_without_torch_gives_what_the_same_network_in_torch_does(toy):
    register(GraphOfMeans())
    try:
        engine, reference = opened("graph:means", "openvino"), opened(toy, "torch")
    finally:
        unregister("graph")
    reference.recipes = engine.recipes
    check_engine(engine, reference)


class Doubles(ChannelMeans):
    def run(self, images):
        return [super().run(images)[0].astype(np.float64)]


class Sorting(ChannelMeans):
    def run(self, images):
        return [np.sort(super().run(images)[0], axis=0)]


class Whitening(ChannelMeans):
    def run(self, images):
        (rows,) = super().run(images)
        return [rows - rows.mean(0)]


class Reusing(ChannelMeans):
    buffer = np.zeros((5, 3), np.float32)

    def run(self, images):
        rows = self.buffer[: len(images)]
        rows[:] = super().run(images)[0]
        return [rows]


class Inverting(ChannelMeans):
    def run(self, images):
        rows = super().run(images)
        images[:] = 255 - images
        return rows


class Raising(ChannelMeans):
    def run(self, images):
        return {}["rows"]


class Listing(ChannelMeans):
    def run(self, images):
        return [super().run(images)[0].tolist()]


class Forgetful(ChannelMeans):
    def __init__(self, *arguments):
        pass


class OneAtATime(ChannelMeans):
    concurrency = 4

    def run(self, images):
        self.images = images
        time.sleep(0.01)
        return super().run(self.images)


@pytest.mark.parametrize(
    ("engine", "complaint"),
    [
        (Doubles, "rows have to be float32, and are float64"),
        (Sorting, "rows have to be those of the reference"),
        (Whitening, "rows have to be those of the reference"),
        (Reusing, "rows belong to the caller: a later call changed some"),
        (Inverting, "the images that were given have to stay as they are"),
        (Raising, "run\\(\\) has to turn images into rows: KeyError: 'rows'"),
        (Listing, "rows have to be NumPy arrays, and not <class 'list'>"),
        (Forgetful, "recipes have to be those that the engine was opened with: AttributeError"),
        (OneAtATime, "4 threads at once give other rows"),
    ],
)
def test_a_broken_promise_is_named(toy, engine, complaint):
    backbone = open_backbone(toy)
    broken = engine(backbone, [backbone.recipe()], EngineSettings())
    with pytest.raises(AssertionError, match=complaint):
        check_engine(broken, opened(toy, "torch"))


def test_rows_within_the_tolerance_are_the_same_and_others_are_not(toy):
    class Off(ChannelMeans):
        def run(self, images):
            return [rows * np.float32(1.01) for rows in super().run(images)]

    backbone = open_backbone(toy)
    off = Off(backbone, [backbone.recipe()], EngineSettings())
    check_engine(off, opened(toy, "torch"), tolerance=0.011)
    with pytest.raises(AssertionError, match=r"image 0 is off by 1\.0e-02"):
        check_engine(off, opened(toy, "torch"), tolerance=0.009)
