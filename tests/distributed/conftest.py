"""A cluster on this machine, and a toy whose workers start fast."""

from __future__ import annotations

import io
import logging
from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image
from toys import ChannelMeans, DeadlyMeans, LightMeanColour, SlowMeans

from penult.backbones.registry import register, unregister
from penult.engines.registry import ENGINES, EngineEntry

IMAGES = 96


@pytest.fixture
def light(monkeypatch):
    """Options of `penult.extract` for `light:mean-colour`."""
    for engine in (ChannelMeans, DeadlyMeans, SlowMeans):
        monkeypatch.setitem(
            ENGINES, engine.name, EngineEntry(engine, devices=("cpu",), forms=("openvino",))
        )
    register(LightMeanColour())
    yield {"model": "light:mean-colour", "engine": "means"}
    unregister("light")


@cache
def _tiles() -> list[bytes]:
    """The tiles' files: made once, and written anew for each test."""
    rng, made = np.random.default_rng(0), []
    for _ in range(IMAGES):
        image = Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8))
        image.save(file := io.BytesIO(), "PNG")
        made.append(file.getvalue())
    made[50] = b"no image"
    return made


@pytest.fixture
def tiles(tmp_path):
    """`tiles/0/000.png` … `tiles/2/095.png`: 8 × 8 pixels; number 50 is no image."""
    for k, data in enumerate(_tiles()):
        path = tmp_path / f"tiles/{k % 3}/{k:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "tiles"


@pytest.fixture(scope="module")
def cluster():
    """A running cluster of two cores that this process is connected to; the module ``ray``.

    It ends with the only module that asks for it: its processes take time when nothing is asked too.
    """
    if find_spec("ray") is None:
        pytest.skip("needs Ray")
    from penult.distributed.quiet import hushed, own_signals, prepare

    prepare()
    import ray

    with own_signals(), hushed():
        ray.init(
            num_cpus=2,
            include_dashboard=False,
            log_to_driver=False,
            configure_logging=False,
            logging_level=logging.ERROR,
            object_store_memory=128 << 20,
        )
    yield ray
    with own_signals(), hushed():
        ray.shutdown()
