"""Small feature files, written without a network."""

from __future__ import annotations

import io
from pathlib import Path

from penult.features.write import Columns, FeatureWriter
from penult.recipe import Preprocessing, Recipe
from penult.records import ImageRecord


def recipe(layer: str = "penultimate") -> Recipe:
    return Recipe(
        architecture="toy/net",
        weights_sha256="00" * 32,
        layer=layer,
        pooling="none",
        preprocessing=Preprocessing(
            resize=4, crop=(4, 4), interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3
        ),
        backbone="toy:net",
    )


def record(name: str, *labels: str, split: str | None = None, group: str | None = None):
    return ImageRecord(name, io.BytesIO, labels, split, group)


def write(path: Path, records, rows, *, layers=("penultimate",), failures=(), blocks=2, **options):
    writer = FeatureWriter(path, [recipe(x) for x in layers], Columns.of(records), **options)
    for start in range(0, len(records), blocks):
        part = slice(start, start + blocks)
        writer.append(
            records[part], [f"{k:032x}" for k in range(len(records[part]))], [r[part] for r in rows]
        )
    writer.finish(failures)
    writer.close()
    return path
