"""Small feature files, written without a network."""

from __future__ import annotations

import io
from pathlib import Path

import h5py

from penult.features.write import Columns, FeatureWriter
from penult.recipe import BackboneRecipe, Preprocessing
from penult.records import ImageRecord


def recipe(layer: str = "penultimate", network: str = "toy:net") -> BackboneRecipe:
    return BackboneRecipe(
        architecture=network.replace(":", "/"),
        weights_sha256="00" * 32,
        layer=layer,
        pooling="none",
        preprocessing=Preprocessing(
            resize=4, crop=(4, 4), interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3
        ),
        backbone=network,
    )


def record(name: str, *labels: str, split: str | None = None, group: str | None = None):
    return ImageRecord(name, io.BytesIO, labels, split, group)


def write(
    path: Path | None,
    records,
    rows,
    *,
    layers=("penultimate",),
    recipes=None,
    failures=(),
    blocks=2,
    digests=None,
    **options,
):
    """Write a file of these recipes, or those of `layers`; one array of rows each.

    `digests` are those of the images, by their places by default.
    """
    recipes = recipes or [recipe(x) for x in layers]
    writer = FeatureWriter(path, recipes, Columns.of(records), **options)
    for start in range(0, len(records), blocks):
        part = slice(start, start + blocks)
        named = digests or [f"{k:032x}" for k in range(len(records))]
        writer.append(records[part], named[part], [r[part] for r in rows])
    writer.finish(failures)
    writer.close()
    return path


def without_time(path: Path) -> bytes:
    """The bytes of a feature file, its second of creation blanked: else it is made of its content."""
    with h5py.File(path) as file:
        created = str(file.attrs["created"]).encode()
    return path.read_bytes().replace(created, b"0" * len(created))
