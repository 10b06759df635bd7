"""The kind of source that a table in memory is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial

from penult.images.sources.base import ImageSource, SourceKind, SourceLocation, SourceOptions
from penult.images.sources.given_table import GivenTable
from penult.images.sources.manifest import ManifestSource

__all__ = ["TABLE"]


def _open(location: SourceLocation, options: SourceOptions) -> Iterator[ImageSource]:
    table = location.argument
    assert isinstance(table, GivenTable)
    yield ManifestSource(
        table,
        partial(table.rows, options.path_column, options.label_column),
        base=os.curdir,
        prefix=location.prefix,
        unit="row",
        offline=options.offline,
    )


TABLE = SourceKind(lambda argument: isinstance(argument, GivenTable), _open, has_label_column=True)
