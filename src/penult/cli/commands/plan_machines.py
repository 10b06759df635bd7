"""``penult plan``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from penult.cli import options as o
from penult.cli.console import (
    Table,
    next_step,
    say,
    say_json,
    table_width,
    warn_of_random,
)
from penult.progress import shown
from penult.wording import count

if TYPE_CHECKING:
    from penult.capacity.machine_plan import MachinePlan

_WIDE, _FITTING = 90, 5
"""In fewer characters than the first, there is room for so many columns of numbers."""


def run(
    images: Annotated[
        str, typer.Option("--images", metavar="NUMBER", help="How many there will be, e.g. 1e9.")
    ],
    sample: Annotated[
        list[str] | None,
        typer.Option(
            "--sample",
            metavar="IMAGES",
            help="Some of the photos, as penult extract takes them: their sizes decide what they "
            "cost. May be given several times.",
            show_default="made-up photos of 500 × 375 pixels",
        ),
    ] = None,
    model: o.Models = None,
    layer: o.Layers = None,
    weights: o.Weights = None,
    offline: o.Offline = False,
    machines: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="How many there are.",
            show_default="as many as the deadline needs, or 1",
        ),
    ] = None,
    cores: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Cores of each machine.", show_default="as many as this one has"
        ),
    ] = None,
    gpus: Annotated[
        int,
        typer.Option(metavar="N", help="CUDA GPUs of each machine; one of them has to be here."),
    ] = 0,
    memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Memory of each machine, e.g. 64GB; the plan says if the run needs more.",
            show_default=False,
        ),
    ] = None,
    deadline: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="When it has to be done, e.g. 24h, 90m or 3d from its start.",
            show_default=False,
        ),
    ] = None,
    price_per_hour: Annotated[
        float | None,
        typer.Option(
            metavar="PRICE",
            help="Of one machine, in any currency; costs are shown then.",
            show_default=False,
        ),
    ] = None,
    seconds: Annotated[
        float,
        typer.Option(metavar="N", help="How long to measure; networks are opened besides."),
    ] = 20.0,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Plan a large extraction: hours, machines, storage, memory and options.

    Decoding, resizing and the network are measured on this machine, with each option that makes
    them faster, and all cores together. `penult extract --dry-run` looks at the photos themselves.

    Examples
    --------
    # On twenty machines of 16 cores, with photos like those in the folder.
    penult plan --images 1e9 --sample photos --machines 20 --cores 16
    # How many machines are done in a day, and what they cost.
    penult plan --images 1e9 --cores 16 --deadline 24h --price-per-hour 0.4
    # On this machine.
    penult plan --images 100_000 --sample photos --model efficientnet_lite0
    """
    from penult.tasks.plan_machines import plan_machines

    models = model or ["efficientnet_lite0"]
    warn_of_random(weights, *models)
    with shown(not quiet) as tell:
        plan = plan_machines(
            images,
            sample=sample,
            model=models,
            layer=layer or "penultimate",
            weights=weights,
            offline=offline,
            machines=machines,
            cores=cores,
            gpus=gpus,
            memory=memory,
            deadline=deadline,
            price_per_hour=price_per_hour,
            seconds=seconds,
            progress=tell,
        )
    if as_json:
        say_json(plan.to_dict())
        return
    _show(plan)
    next_step(plan.command, quiet=quiet)


def _show(plan: MachinePlan) -> None:
    from penult.capacity.words import duration, large, price, size

    of_each = count(plan.cores, "core") + (f" and {count(plan.gpus, 'GPU')}" if plan.gpus else "")
    alike = all(one.machines == plan.machines for one in plan.ways)
    machines = f"{count(plan.machines, 'machine')} of" if alike else "machines of"
    say(f"{count(plan.images, 'image')}; {machines} {of_each}")
    say("milliseconds an image takes one core; images/s of a machine:")
    columns = {
        "read": [f"{one.reading_ms:,.2f}" for one in plan.ways],
        "network": [f"{one.network_ms:,.2f}" for one in plan.ways],
        "images/s": [large(one.images_per_second) for one in plan.ways],
        "machines": [] if alike else [f"{one.machines:,}" for one in plan.ways],
        "time": [duration(one.seconds) for one in plan.ways],
        "core-hours": [large(one.core_hours) for one in plan.ways],
        "cost": [price(one.cost) for one in plan.ways if one.cost is not None],
    }
    columns = {name: cells for name, cells in columns.items() if cells}
    if table_width() < _WIDE and len(columns) > _FITTING:
        del columns["images/s"]  # which the time says as well
    table = Table(("", *columns), right=tuple(columns), narrow=True)
    for k, one in enumerate(plan.ways):
        name = f"{one.way.short} ◀" if one is plan.recommended else one.way.short
        table.add_row(name, *(cells[k] for cells in columns.values()))
    table.show()
    table = Table(("storage", "a row", "all"), right=("a row", "all"))
    for row in plan.storage:
        table.add_row(row.rows, size(row.row_bytes), size(row.bytes))
    table.show()
    best = plan.recommended
    table = Table(("with what is recommended (◀)", ""))
    if plan.machines > 1:
        table.add_row(
            "parts",
            f"{count(best.parts)} of {count(best.part_images, 'image')}, "
            f"{duration(best.part_seconds)} each",
        )
        table.add_row("workers", f"{count(best.workers)} of {size(plan.worker_bytes)} of memory")
    memory = f"{size(plan.machine_bytes)}, of which the listing takes {size(plan.listing_bytes)}"
    table.add_row("memory of a machine", memory)
    table.add_row("to be read", f"{size(plan.read_bytes)}, {size(plan.read_rate)}/s a machine")
    table.show()
    say("it holds if:")
    for line in plan.assumptions:
        say(f"- {line}")
