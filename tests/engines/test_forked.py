"""A process that was forked from one that had run a network ends: with rows, or with one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from penult.backbones.registry import open_backbone
from penult.engines.registry import open_engine
from penult.errors import EngineError

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

# Each child is waited for by a program of its own, which a test can end.
BEGINNING = f"""
import gc, logging, os, sys, traceback
sys.path.insert(0, {str(Path(__file__).parent.parent)!r})
from pathlib import Path
import numpy as np, torch
from PIL import Image
import penult
from penult.backbones.registry import open_backbone, register
from penult.engines.registry import open_engine
from penult.errors import EngineError
from toys import MeanColour, TinyNetwork
register(MeanColour())
register(TinyNetwork())
photos, feature_file = sys.argv[1:]

def rows(**options):
    return penult.extract(photos, model="toy:mean-colour", **options).features[:]

def in_child(work):
    gc.freeze()  # or each child, to end, goes through all that torch has made
    child = os.fork()
    if not child:
        try:
            work()
        except Exception:
            traceback.print_exc()
            os._exit(1)
        sys.exit()  # not os._exit: what frees the parent's engines must not wait either
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""

AFTER_OPENVINO = """
expected = rows(engine="openvino")
penult.extract(photos, feature_file, model="toy:mean-colour", engine="openvino")
penult.train(feature_file)
extractor = penult.FeatureExtractor("toy:mean-colour", engine="auto", device="cpu").fit()
backbone = open_backbone("toy:mean-colour")
engine = open_engine(backbone, [backbone.recipe()], engine="openvino")
said = []
class Heard(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())
logging.getLogger("penult").addHandler(Heard())

def extracts_with_torch():
    np.testing.assert_allclose(rows(device="cpu"), expected, rtol=1e-4)
    assert "with torch, which is slower: this process was forked" in said[0], said
    assert "get_context('spawn')" in said[0]
    image = np.full((8, 8, 3), 255, np.uint8)
    np.testing.assert_allclose(extractor.transform([image]), [[1, 1, 1]], rtol=1e-5)

def is_refused():
    for run in (
        lambda: rows(engine="openvino"),
        lambda: engine.run(np.zeros((1, 8, 8, 3), np.uint8)),
        lambda: penult.verify(feature_file, engine="openvino"),
    ):
        try:
            run()
        except EngineError as error:
            assert "this process was forked" in str(error)
        else:
            raise AssertionError("it ran")

def reads_and_trains():
    features = penult.load(feature_file)
    assert len(features) == 36
    penult.train(feature_file)

def does_all_of_it():
    extracts_with_torch()
    is_refused()
    reads_and_trains()

in_child(does_all_of_it)
in_child(lambda: in_child(is_refused))
assert np.array_equal(rows(engine="openvino"), expected)
"""

AFTER_TORCH = """
torch.set_num_threads(3)
import penult.engines.torch
penult.engines.torch.cores = lambda: 3  # of which this machine may have fewer
backbone = open_backbone("tiny:network")
engine = open_engine(backbone, [backbone.recipe()], engine="torch", device="cpu")
images = np.random.default_rng(0).integers(0, 256, (64, 32, 32, 3), np.uint8)
(expected,) = engine.run(images)
torch.ones(1000, 1000).exp().sum()  # OpenMP has threads now
from penult import openvino as core
from penult.extractor import opened
from penult.images import in_memory

def opens_and_runs():
    backbone = open_backbone("tiny:network")
    assert backbone.layers
    own = open_engine(backbone, [backbone.recipe()], engine="torch", device="cpu")
    for engine_here in (own, engine):
        np.testing.assert_allclose(engine_here.run(images)[0], expected, rtol=1e-4, atol=1e-5)
    assert torch.get_num_threads() == 1

def opens_with_openvino():
    picture = Image.open(next(Path(photos).rglob("*.jpg")))
    extractor = penult.FeatureExtractor("tiny:network", engine="openvino")
    assert extractor.fit_transform([picture]).shape == (1, 16)

extractor = penult.Extractor("tiny:network", engine="torch", device="cpu")
(row,) = extractor([images[0]])

def goes_on_with_an_extractor():
    np.testing.assert_allclose(extractor([images[0]])[0], row, rtol=1e-4, atol=1e-5)

in_child(opens_and_runs)
with extractor._here()[0].turn:
    in_child(goes_on_with_an_extractor)
# As if another thread were in the middle of it, which the child will not have.
with core._making, opened._opening, in_memory._loading:
    in_child(opens_with_openvino)
assert torch.get_num_threads() == 3
"""


@pytest.mark.slow
@pytest.mark.parametrize("after", [AFTER_OPENVINO, AFTER_TORCH], ids=["openvino", "torch"])
def test_a_forked_child_runs_or_says_what_to_do_and_never_waits(after, photos, tmp_path):
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BEGINNING + after, photos, tmp_path / "f.h5"],
        check=True,
        timeout=300,
        env={**os.environ, "PENULT_CACHE": str(tmp_path / "cache"), "CUDA_VISIBLE_DEVICES": ""},
    )


def test_a_gpu_that_was_used_before_the_fork_is_one_line(toy, monkeypatch):
    def refuse(*_args, **_options):
        raise RuntimeError(
            "Cannot re-initialize CUDA in forked subprocess. To use CUDA with multiprocessing, you "
            "must use the 'spawn' start method"
        )

    backbone = open_backbone(toy)
    monkeypatch.setattr(torch, "zeros", refuse)
    monkeypatch.setattr("penult.engines.torch_device._missing", lambda _device: "")
    for device in ("cuda", "auto"):
        with pytest.raises(EngineError, match=r"forked from .* the GPU.*'spawn'"):
            open_engine(backbone, [backbone.recipe()], engine="torch", device=device)
