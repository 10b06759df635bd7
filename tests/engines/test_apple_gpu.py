"""Apple's GPUs, on the CPU: only what `find_device` says of the place is made up."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import penult.engines.torch as torch_engine
from penult.backbones.recipe_selection import select
from penult.backbones.registry import open_backbone
from penult.engines.registry import open_engine
from penult.engines.torch_device import Device
from penult.errors import EngineError, UsageError
from penult.testing.engines import check_engine

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)


@pytest.fixture(autouse=True)
def apple_gpu(monkeypatch):
    find = torch_engine.find_device
    mps = Device(torch.device("cpu"), "mps")
    monkeypatch.setattr(
        torch_engine, "find_device", lambda name: mps if name == "mps" else find(name)
    )


def opened(tiny, device="mps", layer="last", **options):
    backbone = open_backbone(tiny)
    recipes = select(backbone, [layer], "avg")
    return open_engine(backbone, recipes, engine="torch", device=device, **options)


def failing(engine, monkeypatch, *, beyond, error):
    """Have the network fail for more than so many images, and note how many came."""
    whole, sizes = engine._network.forward, []

    def forward(pixels):
        sizes.append(len(pixels))
        if len(pixels) > beyond:
            raise error
        return whole(pixels)

    monkeypatch.setattr(engine._network, "forward", forward)
    return sizes


@pytest.mark.parametrize("options", [{}, {"batch_size": 2}, {"images": 3}])
def test_an_apple_gpu_keeps_the_promises_of_an_engine(tiny, options):
    engine = opened(tiny, **options)
    assert (engine.name, engine.device) == ("torch", "mps")
    check_engine(engine, opened(tiny, "cpu"))


def test_the_engine_auto_takes_torch_there(tiny):
    backbone = open_backbone(tiny)
    engine = open_engine(backbone, select(backbone, ["last"], "avg"), device="mps")
    assert (engine.name, engine.device) == ("torch", "mps")


def test_half_precision_is_for_cuda_alone(tiny):
    backbone = open_backbone(tiny)
    recipes = [
        r.with_options(decode="exact", precision="float16")
        for r in select(backbone, ["last"], "avg")
    ]
    with pytest.raises(UsageError, match="this would run on an Apple GPU"):
        open_engine(backbone, recipes, device="mps")


@pytest.mark.parametrize(
    "words",
    [
        "MPS backend out of memory (MPS allocated: 17.00 GB, max allowed: 18.13 GB).",
        "Invalid buffer size: 20.00 GiB",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    ],
)
def test_what_does_not_fit_is_halved_whatever_its_error_and_not_filled_up_again(
    tiny, monkeypatch, caplog, words
):
    engine = opened(tiny, batch_size=8)
    expected = opened(tiny, "cpu").run(IMAGES)[0]
    sizes = failing(engine, monkeypatch, beyond=2, error=RuntimeError(words))
    for _ in range(2):
        np.testing.assert_allclose(engine.run(IMAGES)[0], expected, rtol=1e-4, atol=1e-6)
    assert sizes == [8, 6, 3] + [2] * 6
    assert [record.getMessage() for record in caplog.records] == [
        "penult: 6 images do not fit into the memory of mps; going on with at most 2 at a time"
    ]


def test_a_lack_of_memory_is_said_once_however_often_it_grows(tiny, monkeypatch, caplog):
    engine = opened(tiny, batch_size=8)
    failing(engine, monkeypatch, beyond=4, error=RuntimeError("out of memory"))
    engine.run(IMAGES)
    sizes = failing(engine, monkeypatch, beyond=1, error=RuntimeError("out of memory"))
    engine.run(IMAGES)
    assert sizes[-4:] == [1] * 4
    assert [record.getMessage() for record in caplog.records] == [
        "penult: 6 images do not fit into the memory of mps; going on with at most 3 at a time"
    ]


def test_not_even_one_image_is_one_line_with_one_advice(tiny, monkeypatch):
    refuses(monkeypatch, torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB."))
    with pytest.raises(EngineError, match=r"^not even one image .* it, or give device='cpu'$"):
        opened(tiny)


def test_weights_that_do_not_fit_are_one_line_and_leave_nothing_there(tiny, monkeypatch):
    to, places = torch.nn.Module.to, []

    def full(self, *args, **options):
        places.extend(args)
        if args == (torch.device("cpu"),):  # as the made-up GPU is called
            raise RuntimeError("MPS backend out of memory (MPS allocated: 17.00 GB).")
        return to(self, *args, **options)

    monkeypatch.setattr(torch.nn.Module, "to", full)
    with pytest.raises(
        EngineError, match=r"^the weights of .* memory of mps; close what else .*'$"
    ):
        opened(tiny)
    assert places[-1] == "cpu"


def test_another_error_is_not_taken_for_a_lack_of_memory(tiny, monkeypatch):
    engine = opened(tiny)
    failing(engine, monkeypatch, beyond=0, error=RuntimeError("a kernel failed"))
    with pytest.raises(RuntimeError, match="a kernel failed"):
        engine.run(IMAGES)


def refuses(monkeypatch, error):
    """Have nothing run on the GPU: the way to it alone is left."""

    def run(*_):
        raise error

    monkeypatch.setattr(torch_engine.TorchEngine, "_run_on_mps", run)


@pytest.mark.parametrize(
    "error",
    [
        NotImplementedError("The operator 'aten::_linalg_svd' is not implemented for MPS."),
        TypeError("Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't"),
    ],
)
def test_a_network_that_the_gpu_cannot_run_is_refused_in_one_line(tiny, monkeypatch, error):
    refuses(monkeypatch, error)
    with pytest.raises(EngineError, match=r"cannot run on mps: .*; give device='cpu'$") as told:
        opened(tiny)
    assert str(error) in str(told.value)


def test_rows_that_are_not_the_cpus_are_refused_when_the_network_is_opened(tiny, monkeypatch):
    right = torch_engine.TorchEngine._run_on_mps

    def wrong(self, images, n_rows):
        return [1.001 * rows for rows in right(self, images, n_rows)]

    monkeypatch.setattr(torch_engine.TorchEngine, "_run_on_mps", wrong)
    with pytest.raises(EngineError, match=r"rows of last on mps differ .* by 1\.0e-03, more than"):
        opened(tiny)
