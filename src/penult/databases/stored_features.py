"""Rows of a table as features in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.content_keys import keys_of
from penult.databases.rows import StoredRows
from penult.databases.table_info import TableInfo
from penult.records import Features

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["features_of_rows"]


def features_of_rows(info: TableInfo, blocks: Sequence[StoredRows]) -> Features:
    """Put rows of a table together as features.

    Parameters
    ----------
    info : TableInfo
        What the table says of all its rows; labels that it does not know are added.
    blocks : sequence of StoredRows
        In their order, as `VectorTable.scan` and `take` give them; there may be none.

    Returns
    -------
    Features
        In memory, of the type and shape that the rows had in their file.
    """
    labels = [own for block in blocks for own in block.labels]
    names = tuple(sorted({*info.label_names, *(one for own in labels for one in own)}))
    numbers = {name: place for place, name in enumerate(names)}
    targets = np.zeros((len(labels), len(names)), bool)
    for place, own in enumerate(labels):
        targets[place, [numbers[one] for one in own]] = True
    several = info.several or bool((targets.sum(axis=1) > 1).any())
    alone = targets.sum(axis=1) == 1
    first = targets.argmax(axis=1) if names else np.zeros(len(labels), np.int64)
    content = [str(one) for block in blocks for one in block.content]
    trained = None
    if info.trained_on is not None:
        trained = np.isin(keys_of(content), info.trained_on)
    rows = [np.asarray(block.rows, info.dtype) for block in blocks]
    flat = np.concatenate([np.zeros((0, info.width), info.dtype), *rows])
    return Features(
        features=flat.reshape(len(flat), *info.shape),
        ids=[str(one) for block in blocks for one in block.ids],
        labels=np.where(alone, first, -1).astype(np.int64),
        label_names=names,
        recipe=info.recipe,
        targets=targets if several else None,
        splits=[str(one) for block in blocks for one in block.splits] if info.splits else None,
        groups=[str(one) for block in blocks for one in block.groups] if info.groups else None,
        content=content if any(content) else None,
        failures=tuple(info.failures),
        layers=(info.name,),
        origin=info.origin,
        name=info.name,
        trained_network=trained,
    )
