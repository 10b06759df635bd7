"""Machines, hours and storage for a large extraction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from penult.backbones.registry import DEFAULT_MODEL
from penult.backbones.weights.choice import WeightsChoice
from penult.capacity.machine_plan import MachinePlan, plan_of
from penult.capacity.request import Request, as_bytes, as_images, as_seconds
from penult.checking import checked
from penult.errors import EngineError, UsageError
from penult.extractor import EngineOptions, ExtractorSpec, ModelRows, as_names
from penult.interface import option
from penult.machine import cores as cores_here
from penult.progress import ShowProgress

if TYPE_CHECKING:
    from penult.images.listing import Images

__all__ = ["plan_machines"]

_LEAST_SECONDS, _MOST_SECONDS = 0.5, 3600.0


@checked
def plan_machines(
    images: float | str,
    *,
    sample: Images | None = None,
    model: str | Sequence[str] = DEFAULT_MODEL,
    layer: str | Sequence[str] = "penultimate",
    weights: str | Path | None = None,
    offline: bool = False,
    machines: int | None = None,
    cores: int | None = None,
    gpus: int = 0,
    memory: str | None = None,
    deadline: str | None = None,
    price_per_hour: float | None = None,
    seconds: float = 20.0,
    progress: ShowProgress = None,
) -> MachinePlan:
    """Plan a large extraction: hours, machines, storage and memory, from rates measured here.

    Decoding, resizing and the network are measured on this machine, on photos of a sample, with
    each option that makes them faster, and then all cores together, which are not quite as fast as
    each alone. The rest is arithmetic: docs/plan.md has it.

    Parameters
    ----------
    images : int, float or str
        How many there will be, e.g. ``1_000_000_000`` or ``"1e9"``.
    sample : path, address, list of them, or DataFrame, optional
        Some of the photos, as `penult.extract` takes images: their sizes and formats decide what
        they cost. Without it, photos of 500 × 375 pixels are made up.
    model : str or sequence of str, default="efficientnet_lite0"
        Backbone, as listed by ``penult models``, or several, whose rows are joined.
    layer : str or sequence of str, default="penultimate"
        One name, or several names and globs.
    weights : path or "random", optional
        A file to use in place of the pretrained weights.
    offline : bool, default=False
        Never touch the network.
    machines : int, optional
        How many there are; by default as many as the deadline needs, or one.
    cores : int, optional
        Of each machine; by default as many as here.
    gpus : int, default=0
        CUDA GPUs of each machine. They are measured, so that one has to be here.
    memory : str, optional
        Of each machine: ``"64GB"``, ``"0.5TB"``, of a thousand megabytes each. The plan says if the
        run needs more.
    deadline : str, optional
        When it has to be done: ``"24h"``, ``"90m"``, ``"3d"`` from its start.
    price_per_hour : float, optional
        Of one machine, in any currency.
    seconds : float, default=20
        To measure for, 0.5 to 3600; opening networks comes on top of it.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    MachinePlan
        What each way takes, which is recommended, what to type, and what has to hold for it.

    Raises
    ------
    UsageError
        If a number is out of its range, or the deadline cannot be met; says what could.
    UnknownNameError
        If there is no such model; suggests close names.
    SourceError
        If the sample has no image that can be read.
    BackboneError, EngineError
        If the network cannot be had, or not be run here.
    """
    # Here alone, for `penult plan --help`.
    from penult.capacity.measure import measure_rates
    from penult.capacity.sample import open_photos

    request = Request(
        images=as_images(images),
        machines=machines,
        cores=cores_here() if cores is None else cores,
        gpus=gpus,
        memory=as_bytes(memory),
        deadline=as_seconds(deadline),
        price_per_hour=price_per_hour,
    )
    if not _LEAST_SECONDS <= seconds <= _MOST_SECONDS:
        raise UsageError(
            f"{option('seconds', seconds)} was given; measure for 0.5 to 3600 seconds, of which 20 "
            "are enough"
        )
    rows = ModelRows(models=as_names(model), layers=as_names(layer))
    spec = ExtractorSpec(
        rows=rows,
        weights=WeightsChoice.of(weights, offline=offline),
        engine=EngineOptions(device="cuda" if gpus else "cpu"),
    )
    photos = open_photos(sample, offline=offline)
    try:
        rates = measure_rates(spec, photos, seconds=seconds, progress=progress)
    except EngineError as error:
        if gpus and "cannot be used" in str(error):
            raise EngineError(
                f"{option('gpus', gpus)} was given, and GPUs are measured, so that one which torch "
                f"can use has to be here; plan on such a machine, or without {option('gpus')}"
            ) from error
        raise
    return plan_of(request, rates, models=rows.models, layers=rows.layers)
