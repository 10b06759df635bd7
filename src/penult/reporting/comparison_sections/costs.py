"""What each model costs on the machine that compared them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from penult.records import ComparedModel
from penult.reporting.comparison_sections.content import ComparisonContent
from penult.reporting.comparison_sections.cost_column import cost_columns
from penult.web.section import Section
from penult.web.thumbnails import Thumbnails
from penult.wording import count

__all__ = ["COSTS"]


SHOWN = (
    "one_image_seconds",
    "images_per_second",
    "network_images_per_second",
    "peak_memory",
    "parameters",
    "flops",
    "bytes",
)


def _sizes(row: ComparedModel) -> str:
    sizes = dict.fromkeys(f"{width} × {height}" for height, width in row.cost.input_size)
    return ", ".join(sizes)


def _licences(row: ComparedModel) -> str:
    return ", ".join(dict.fromkeys(one or "unknown" for one in row.cost.licence))


STATED: Mapping[str, Callable[[ComparedModel], str]] = {
    "input size": _sizes,
    "layer": lambda row: row.layer,
    "precision": lambda row: row.precision,
    "views": lambda row: row.views or "",
    "engine": lambda row: row.cost.engine,
    "device": lambda row: row.cost.device,
    "processor": lambda row: row.cost.processor,
    "threads": lambda row: count(row.cost.threads) if row.cost.threads else "",
    "licence of the weights": _licences,
}
"""What is a column where the models differ in it, and else said once for all of them."""


def _content(shown: ComparisonContent, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    rows = shown.rows
    known = [row for row in rows if _is_measured(row)]
    if not known:
        return None
    measured = cost_columns(rows, SHOWN)
    stated = {name: [read(row) for row in rows] for name, read in STATED.items()}
    of_known = {name: {read(row) for row in known} for name, read in STATED.items()}
    alike = {name: min(values) for name, values in of_known.items() if len(values) == 1}
    differing = [name for name in STATED if name not in alike]
    return {
        "measured": measured,
        "timed": any(row.cost.images_per_second is not None for row in rows),
        "terms": [(one.title, one.meaning) for one in measured],
        "differing": differing,
        "alike": [(name, value) for name, value in alike.items() if value],
        "rows": [
            (
                k + 1,
                row.name,
                [one.text(row) for one in measured],
                [stated[name][k] or "–" for name in differing],
            )
            for k, row in enumerate(rows)
        ],
    }


def _is_measured(row: ComparedModel) -> bool:
    cost = row.cost
    return any(
        one is not None
        for one in (cost.parameters, cost.flops, cost.images_per_second, cost.peak_memory)
    )


COSTS = Section[ComparisonContent](
    name="costs", title="Costs in full", content=_content, tab="Costs"
)
