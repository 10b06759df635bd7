"""Opening an engine by the name a user types."""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from penult.backbones.backbone import Backbone
from penult.engines.base import Engine, EngineSettings
from penult.errors import EngineError, UnknownNameError, UsageError
from penult.extras import has_torch, require_torch
from penult.interface import option
from penult.machine_faults import FREE_MEMORY, is_of_memory
from penult.recipe import BackboneRecipe

__all__ = [
    "ENGINES",
    "EngineEntry",
    "engines_for",
    "engines_tried",
    "few_for_a_gpu",
    "open_engine",
    "require_device",
]


@dataclass(frozen=True)
class EngineEntry:
    """What is known of an engine without importing it.

    Attributes
    ----------
    engine : str or subclass of Engine
        ``"module:Class"`` of the `Engine`, imported when it is first used, or the class itself;
        made by ``Class(backbone, recipes, settings)``.
    devices : tuple of str
        The kinds it runs on, of ``"cpu"``, ``"cuda"`` and ``"mps"``.
    forms : tuple of str
        Of networks, those that it can run: see `penult.backbones.metadata.BackboneMetadata`.
    auto : bool
        Whether ``auto`` may take it.
    needs_torch : bool
        Whether it imports torch, whatever the network's form.
    has_streams : bool
        Whether it works on several images at the same time, by a number of streams.
    half : mapping of str to tuple of str
        Kind of device to what it computes in there besides ``"float32"``.
    """

    engine: str | type[Engine]
    devices: tuple[str, ...]
    forms: tuple[str, ...]
    auto: bool = False
    needs_torch: bool = False
    has_streams: bool = False
    half: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


ENGINES = {
    "openvino": EngineEntry(
        "penult.engines.openvino.engine:OpenVinoEngine",
        devices=("cpu",),
        forms=("openvino", "torch"),
        auto=True,
        has_streams=True,
        half={"cpu": ("bfloat16",)},
    ),
    "torch": EngineEntry(
        "penult.engines.torch:TorchEngine",
        devices=("cpu", "cuda", "mps"),
        forms=("torch",),
        auto=True,
        needs_torch=True,
        half={"cuda": ("float16", "bfloat16")},
    ),
}
"""Name to engine, in the order in which ``auto`` tries them."""

_FEW = 256
"""EfficientNet-Lite0 does a hundred images a second on two cores, and more on what has a GPU."""

_DEVICE = re.compile(r"auto|cpu|cuda(:\d{1,3})?|mps", re.ASCII)
_PLACES = {"cpu": "the CPU", "cuda": "a CUDA GPU", "mps": "an Apple GPU"}


def engines_for(backbone: Backbone) -> tuple[str, ...]:
    """The names of the engines that can run a backbone's network in one of its forms."""
    forms = set(backbone.metadata.forms)
    return tuple(name for name, entry in ENGINES.items() if forms & set(entry.forms))


def engines_tried(
    backbone: Backbone,
    recipes: Sequence[BackboneRecipe],
    *,
    engine: str = "auto",
    device: str = "auto",
) -> list[str]:
    """List the engines that `open_engine` tries, the first one first; nothing is opened.

    Raises
    ------
    UnknownNameError, UsageError, MissingExtraError, EngineError
        As `open_engine` does.
    """
    if engine not in ("auto", *ENGINES):
        raise UnknownNameError("engine", engine, ("auto", *ENGINES))
    require_device(device)
    able = engines_for(backbone)
    if not able:
        forms = " or ".join(backbone.metadata.forms)
        raise EngineError(f"{backbone.described} is of a form ({forms}) that no engine runs")
    if engine != "auto" and engine not in able:
        raise UsageError(
            f"{backbone.described} runs with the engine {' or '.join(able)} alone; leave out "
            f"{option('engine', engine)}"
        )
    candidates = [engine]
    if engine == "auto":
        candidates = [name for name in able if ENGINES[name].auto] or list(able)
    kind = device.partition(":")[0]
    if kind == "auto":
        kind = _best_device({kind for name in candidates for kind in ENGINES[name].devices})
    on_device = [name for name in candidates if kind in ENGINES[name].devices]
    if not on_device:
        places = " or ".join(_PLACES[kind] for kind in ENGINES[candidates[0]].devices)
        raise UsageError(
            f"the engine {candidates[0]} runs on {places}; leave out {option('device', device)}"
        )
    on_device = _without_torch(on_device, backbone, engine, device)
    precision = recipes[0].precision
    if backbone.metadata.quantized and precision != "float32":
        # EfficientNet-Lite0: as fast as bfloat16 without integers, and off by more than either.
        raise UsageError(
            f"{backbone.described} computes in 8-bit integers, so it cannot be in {precision}; "
            f"extract with {option('precision', 'float32')}, or with what it was made from"
        )
    return _computing_in(precision, on_device, kind)


def few_for_a_gpu(backbone: Backbone, recipes: Sequence[BackboneRecipe], images: int) -> bool:
    """Say whether the CPU is done with so many images before torch and a GPU are ready.

    That takes five to ten seconds; nothing is imported to find out.

    Parameters
    ----------
    backbone : Backbone
    recipes : sequence of BackboneRecipe
        Of this backbone.
    images : int
        How many there are.

    Returns
    -------
    bool
        False where there is no GPU, where the network cannot run on one or needs torch anyway, and
        in half precision, in which a CPU's rows differ from a GPU's.
    """
    return (
        images <= _FEW
        and set(backbone.metadata.forms) > {"torch"}
        and recipes[0].precision == "float32"
        and _may_have_cuda()
    )


def open_engine(
    backbone: Backbone,
    recipes: Sequence[BackboneRecipe],
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
    backbone : Backbone
        What is to run.
    recipes : sequence of BackboneRecipe
        Of this backbone; one array of rows each.
    engine : str
        ``"auto"`` is OpenVINO on a CPU, and torch on anything else or where OpenVINO cannot run
        the network; which and why is then logged in one line.
    device : str
        ``"auto"`` is a CUDA GPU where there is one, else the CPU.
    batch_size, streams, images : int, optional
        See `EngineSettings`.
    fresh : bool
        See `EngineSettings`.

    Returns
    -------
    Engine
        Opened on these recipes.

    Raises
    ------
    UnknownNameError, UsageError
        If there is no such engine, or it does not run this network on this device.
    MissingExtraError
        If that needs torch, which is not installed.
    EngineError
        If the network cannot be run here.
    """
    names = engines_tried(backbone, recipes, engine=engine, device=device)
    settings = EngineSettings(
        device=device, batch_size=batch_size, streams=streams, images=images, fresh=fresh
    )
    *preferred, last = names
    for name, next_name in zip(preferred, names[1:], strict=True):
        try:
            return _told(_open(name, backbone, recipes, settings), backbone, recipes)
        except EngineError as error:
            if is_of_memory(error) or is_of_memory(error.__cause__ or error):
                raise EngineError(
                    f"{error}; give a smaller {option('batch_size')}, {FREE_MEMORY}"
                ) from error  # the next engine takes more
            logging.getLogger("penult").warning(
                "penult: running %s with %s, which is slower: %s",
                backbone.described,
                next_name,
                error,
            )
    return _told(_open(last, backbone, recipes, settings), backbone, recipes)


def _told(engine: Engine, backbone: Backbone, recipes: Sequence[BackboneRecipe]) -> Engine:
    in_what = "8-bit integers" if backbone.metadata.quantized else recipes[0].precision
    logging.getLogger("penult").info(
        "penult: %s runs with the engine %s, device %s, in %s",
        *(backbone.described, engine.name, engine.device, in_what),
    )
    return engine


def _computing_in(precision: str, names: list[str], kind: str) -> list[str]:
    """Those of some engines that compute in a precision on a kind of device."""

    def has(name: str, kind: str) -> bool:
        return precision == "float32" or precision in ENGINES[name].half.get(kind, ())

    able = [name for name in names if has(name, kind)]
    if not able:
        elsewhere = [
            f"{place} (engine {name})"
            for name in ENGINES
            for kind, place in _PLACES.items()
            if has(name, kind)
        ]
        raise UsageError(
            f"precision {precision} is for {' or '.join(elsewhere)}, and this would run on "
            f"{_PLACES[kind]} (engine {' or '.join(names)}); extract with "
            f"{_precisions(names, kind)}"
        )
    return able


def _precisions(names: list[str], kind: str) -> str:
    """What to give in place of a precision: half the numbers too, where the processor has them."""
    single = option("precision", "float32")
    if kind != "cpu" or "openvino" not in names:
        return single
    from penult.engines.openvino.precision import capabilities
    from penult.openvino import import_openvino

    if "BF16" not in capabilities(import_openvino()):
        return single
    return f"{option('precision', 'bfloat16')}, which this one has, or {single}"


def _open(
    name: str, backbone: Backbone, recipes: Sequence[BackboneRecipe], settings: EngineSettings
) -> Engine:
    entry = ENGINES[name]
    if settings.streams is not None and not entry.has_streams:
        others = " or ".join(name for name, other in ENGINES.items() if other.has_streams)
        raise UsageError(
            f"streams are the engine {others}'s; leave out {option('streams', settings.streams)}"
        )
    engine: Any = entry.engine
    if isinstance(engine, str):
        module, _, class_name = engine.partition(":")
        engine = getattr(import_module(module), class_name)
    opened: Engine = engine(backbone, recipes, settings)
    return opened


def require_device(name: str) -> None:
    """Refuse what is no device's name, whether or not that device is here.

    Raises
    ------
    UsageError
        With the names there are.
    """
    if not _DEVICE.fullmatch(name):
        raise UsageError(
            f"unknown device {name!r}; allowed: auto, cpu, cuda, cuda:N (the GPU of that number, "
            f"from 0), mps"
        )


def _without_torch(names: list[str], backbone: Backbone, engine: str, device: str) -> list[str]:
    """All of these engines; where torch is not installed, those that do without it."""
    if has_torch():
        return names
    if set(backbone.metadata.forms) == {"torch"}:
        require_torch(backbone.described)
    able = [name for name in names if not ENGINES[name].needs_torch]
    if not able:
        require_torch(f"the engine {engine}" if engine != "auto" else f"the device {device}")
    return able


def _best_device(kinds: set[str]) -> str:
    """Of these, the kind that ``auto`` means on this machine."""
    return "cuda" if "cuda" in kinds and _has_cuda() else "cpu"


def _has_cuda() -> bool:
    """Whether torch can use a GPU; torch is imported only where a driver could be there to use."""
    if not _may_have_cuda():
        return False
    if not has_torch():
        _say_that_a_gpu_is_idle()
        return False
    import torch

    return torch.cuda.is_available()


def _may_have_cuda() -> bool:
    """Whether a driver could be there to use."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return False
    return Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi") is not None


@cache
def _say_that_a_gpu_is_idle() -> None:
    logging.getLogger("penult").warning(
        "penult: running on the CPU; the GPU needs the extra 'torch': pip install 'penult[torch]'; "
        "%s is silent about it",
        option("device", "cpu"),
    )
