"""Folders of rows, written part by part without a network."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from feature_files import recipe, record

from penult.combine.beside import Beside
from penult.features.parts.header import PartsHeader
from penult.features.parts.manifest import PartsManifest
from penult.features.parts.store import PartsStore
from penult.features.parts.write import write_part
from penult.features.read import load
from penult.features.resume.chunk import Outcomes
from penult.features.write import Columns
from penult.records import AugmentedRecord

CREATED = "2026-11-27T10:00:00+00:00"


def header_of(records, *, layers=("penultimate",), recipes=None, **options) -> PartsHeader:
    recipes = recipes or {layer: recipe(layer) for layer in layers}
    given = {"run": "0123abcd", "created": CREATED, "part_images": 2, **options}
    return PartsHeader(recipes=recipes, columns=Columns.of(records), **given)


def outcomes_of(records, rows, failed=(), *, digests=None, start=0) -> Outcomes:
    """Outcomes of images from position `start` on.

    Parameters
    ----------
    rows : one array a set of rows, with a row of every image, of which those of failed are unused
    failed : id to reason
    """
    failed = dict(failed)
    good = [k for k, one in enumerate(records) if one.id not in failed]
    digests = digests or [f"{start + k:032x}" for k in range(len(records))]
    return Outcomes(
        positions=np.arange(start, start + len(records)),
        ids=[one.id for one in records],
        content=["" if one.id in failed else digests[k] for k, one in enumerate(records)],
        reasons=[failed.get(one.id, "") for one in records],
        rows=[block[good] for block in rows] if good else [],
    )


def parts_of(records, part_images):
    """Slices of the records, each photo with its views."""
    photos = [k for k, one in enumerate(records) if not isinstance(one, AugmentedRecord)]
    starts = [*photos[::part_images], len(records)]
    return [slice(*pair) for pair in pairwise(starts)]


def write_parts(store, header, records, rows, failed=()):
    """Write every part, and return the entries."""
    return [
        write_part(
            store,
            header,
            number,
            records[some],
            outcomes_of(records[some], [block[some] for block in rows], failed, start=some.start),
        )
        for number, some in enumerate(parts_of(records, header.part_images), 1)
    ]


def write_folder(place: str | Path, records, rows, *, failed=(), unlisted=(), **options):
    """Write a folder of rows, two images a part; `place` is a path or an address."""
    store = PartsStore.at(place)
    store.create()
    header = header_of(records, **options)
    entries = write_parts(store, header, records, rows, failed)
    PartsManifest.of(header, {}, entries, unlisted).write(store)
    return place


def divided(file: Path, place: str | Path, *, part_images=2, **options):
    """Write the folder of rows that the images of a feature file would have given."""
    first = load(file)
    sets = [load(file, name) for name in first.layers]
    beside = Beside.of(first)
    reasons = {one.id: one.reason for one in first.failures}
    place_of = {str(one): k for k, one in enumerate(first.ids)}
    records, rows, digests, failed = [], [[] for _ in sets], [], {}
    for name in sorted([*place_of, *reasons]):
        row = place_of.get(name)
        if row is None:
            records.append(record(name))
            failed[name] = reasons[name]
            digests.append("")
            for block, one in zip(rows, sets, strict=True):
                block.append(np.zeros_like(one.features[0]))
            continue
        numbers = [] if first.augmented is None else np.flatnonzero(first.augmented.of == row)
        views = [beside.view(row, int(first.augmented.view[k])) for k in numbers]
        records += [beside.record(row), *views]
        digests += [beside.digest(row), *["f" * 32 for _ in views]]
        for block, one in zip(rows, sets, strict=True):
            block.append(one.features[row])
            block += [one.augmented.features[k] for k in numbers]
    store = PartsStore.at(place)
    store.create()
    header = PartsHeader(
        run="0123abcd",
        created=CREATED,
        recipes={one.name: one.recipe for one in sets},
        columns=beside.columns(0 if first.augmented is None else len(first.augmented)),
        dtype=str(first.features.dtype),
        origin=first.origin,
        part_images=part_images,
        augmented=() if first.augmented is None else tuple(one.augmented.recipe for one in sets),
        **options,
    )
    entries = [
        write_part(
            store,
            header,
            number,
            records[some],
            outcomes_of(
                records[some],
                [np.array(block[some]) for block in rows],
                failed,
                digests=digests[some],
                start=some.start,
            ),
        )
        for number, some in enumerate(parts_of(records, part_images), 1)
    ]
    PartsManifest.of(header, {}, entries).write(store)
    return place
