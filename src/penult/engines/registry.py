"""Opening an engine by the name a user types."""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from penult.backbones.base import Backbone
from penult.engines.base import Engine
from penult.errors import EngineError, UnknownNameError, UsageError
from penult.recipe import Recipe

__all__ = ["ENGINES", "open_engine"]

ENGINES = ("auto", "openvino", "torch")

_DEVICE = re.compile(r"auto|cpu|cuda(:\d{1,3})?|mps", re.ASCII)


def open_engine(
    backbone: Backbone,
    recipes: Sequence[Recipe],
    *,
    engine: str = "auto",
    device: str = "auto",
    batch_size: int | None = None,
    streams: int | None = None,
    images: int | None = None,
    fresh: bool = False,
) -> Engine:
    """Make a backbone ready to run.

    Parameters
    ----------
    engine : ``"auto"`` is OpenVINO on a CPU, and torch on anything else or where OpenVINO cannot
        run the network; which and why is then logged in one line
    device : ``"auto"`` is a CUDA GPU where there is one, else the CPU
    batch_size : images a call; what suits the device by default
    streams : images that OpenVINO works on at the same time; the number of cores by default
    images : how many there are, where that is known: no batch is prepared that never comes
    fresh : convert the network anew, for this engine alone, trusting nothing that is kept

    Raises
    ------
    UnknownNameError, UsageError, EngineError
    """
    if engine not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES)
    if not _DEVICE.fullmatch(device):
        raise UsageError(
            f"unknown device {device!r}; allowed: auto, cpu, cuda, cuda:N (the GPU of that number, "
            f"from 0), mps"
        )
    if backbone.engine is not None:
        if engine not in ("auto", backbone.engine):
            raise UsageError(
                f"{backbone.name} runs with the engine {backbone.engine} alone; leave out --engine "
                f"{engine}"
            )
        engine = backbone.engine
    if engine == "openvino" and device not in ("auto", "cpu"):
        raise UsageError(f"the engine openvino runs on the CPU; leave out --device {device}")
    on_cpu = engine == "openvino" or _is_cpu(device)
    precision = recipes[0].precision
    if (on_cpu or device == "mps") and precision != "float32":
        place = "the CPU" if on_cpu else device
        raise UsageError(
            f"precision {precision} is autocast on a CUDA GPU, and this would run on {place}; "
            f"leave out --precision {precision}"
        )
    if on_cpu and engine != "torch":
        # Imported here: it knows nothing of torch until a network has to be converted.
        from penult.engines.openvino.engine import OpenVinoEngine

        try:
            return OpenVinoEngine(
                backbone,
                recipes,
                streams=streams,
                batch_size=batch_size,
                images=images,
                fresh=fresh,
            )
        except EngineError as error:
            if engine == "openvino":
                raise
            logging.getLogger("penult").warning(
                "penult: running %s with torch, which is slower: %s", backbone.described, error
            )
    if streams is not None:
        raise UsageError(f"streams are the engine openvino's; leave out --streams {streams}")
    from penult.engines.torch import TorchEngine

    return TorchEngine(backbone, recipes, device=device, batch_size=batch_size, images=images)


def _is_cpu(device: str) -> bool:
    return device == "cpu" or (device == "auto" and not _has_cuda())


def _has_cuda() -> bool:
    """Whether torch can use a GPU; torch is imported only where a driver could be there to use."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return False
    if not Path("/dev/nvidiactl").exists() and shutil.which("nvidia-smi") is None:
        return False
    import torch

    return torch.cuda.is_available()
