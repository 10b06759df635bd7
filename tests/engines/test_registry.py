"""An engine is a class and a line of the table."""

import numpy as np
import pytest

import penult
from penult.backbones.registry import open_backbone
from penult.engines.registry import (
    ENGINES,
    EngineEntry,
    _best_device,
    engines_for,
    open_engine,
)
from penult.errors import EngineError, UnknownNameError, UsageError


@pytest.fixture
def means(monkeypatch):
    """The engine of tests/toys.py, in the table."""
    entry = EngineEntry("toys:ChannelMeans", devices=("cpu",), forms=("torch",))
    monkeypatch.setitem(ENGINES, "means", entry)
    return "means"


def test_an_engine_in_the_table_runs_by_its_name(toy, means, photos):
    ours = penult.extract(photos, model=toy, engine=means)
    theirs = penult.extract(photos, model=toy, engine="torch")
    assert ours.ids == theirs.ids
    np.testing.assert_allclose(ours.features[:], theirs.features[:], atol=1e-6)


def test_it_is_told_how_to_run(toy, means):
    backbone = open_backbone(toy)
    engine = open_engine(backbone, [backbone.recipe()], engine=means, batch_size=3, images=7)
    assert (engine.settings.batch_size, engine.settings.images) == (3, 7)
    assert (engine.settings.device, engine.settings.fresh) == ("auto", False)


def test_what_the_table_says_it_cannot_do_is_refused(toy, means):
    backbone = open_backbone(toy)
    recipes = [backbone.recipe()]
    with pytest.raises(UsageError, match="engine means runs on the CPU; leave out device='cuda:1'"):
        open_engine(backbone, recipes, engine=means, device="cuda:1")
    with pytest.raises(UsageError, match="streams are the engine openvino's; leave out streams=2"):
        open_engine(backbone, recipes, engine=means, streams=2)
    half = [recipe.with_options(decode="exact", precision="float16") for recipe in recipes]
    with pytest.raises(
        UsageError, match=r"this would run on the CPU \(engine means\); extract with precision"
    ):
        open_engine(backbone, half, engine=means)
    graph = backbone.replace(forms=("openvino",))
    with pytest.raises(UsageError, match="engine openvino alone; leave out engine='means'"):
        open_engine(graph, recipes, engine=means)
    with pytest.raises(UnknownNameError, match="allowed: auto, openvino, torch, means"):
        open_engine(backbone, recipes, engine="tensorrt")


def test_auto_takes_it_only_where_the_table_says_so(toy, means):
    backbone = open_backbone(toy)
    assert engines_for(backbone) == ("openvino", "torch", "means")
    assert open_engine(backbone, [backbone.recipe()], device="cpu").name == "openvino"


def test_auto_goes_on_to_the_next_engine_and_says_so(toy, monkeypatch, caplog):
    entry = EngineEntry("toys:NoEngine", devices=("cpu",), forms=("torch",), auto=True)
    table = {"none": entry, "torch": ENGINES["torch"]}
    monkeypatch.setattr("penult.engines.registry.ENGINES", table)
    backbone = open_backbone(toy)
    assert open_engine(backbone, [backbone.recipe()], device="cpu").name == "torch"
    assert caplog.messages == [
        "penult: running toy:mean-colour with torch, which is slower: it is a toy"
    ]
    with pytest.raises(EngineError, match="it is a toy"):
        open_engine(backbone, [backbone.recipe()], engine="none")


@pytest.mark.parametrize(
    ("said", "cause"),
    [("it cannot run: std::bad_alloc", None), ("it cannot run: see below", MemoryError())],
)
def test_auto_does_not_go_on_to_an_engine_that_takes_more_where_memory_is_short(
    toy, monkeypatch, caplog, said, cause
):
    def fails(*_):
        raise EngineError(said) from cause

    entry = EngineEntry(fails, devices=("cpu",), forms=("torch",), auto=True)
    table = {"none": entry, "torch": ENGINES["torch"]}
    monkeypatch.setattr("penult.engines.registry.ENGINES", table)
    backbone = open_backbone(toy)
    with pytest.raises(EngineError, match=f"^{said}; give a smaller batch_size, close other"):
        open_engine(backbone, [backbone.recipe()], device="cpu")
    assert not caplog.messages


def test_auto_is_a_gpu_where_torch_can_use_one(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("penult.engines.registry.shutil.which", lambda name: f"/usr/bin/{name}")
    for here, kind in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr("torch.cuda.is_available", lambda here=here: here)
        assert _best_device({"cpu", "cuda"}) == kind
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert _best_device({"cpu"}) == "cpu"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert _best_device({"cpu", "cuda"}) == "cpu"


def test_a_network_in_a_form_that_no_engine_runs_is_one_line(toy):
    backbone = open_backbone(toy).replace(forms=("abacus",))
    with pytest.raises(EngineError, match=r"is of a form \(abacus\) that no engine runs"):
        open_engine(backbone, [backbone.recipe()])
