"""The layout of a feature file, format 2: names, and how rows are chunked.

    /features      (N, D), (N, C, H, W) or (N, T, D), float32 or float16, chunked by rows
    /ids           (N,) UTF-8: path relative to the source, POSIX separators
    /labels        (N,) int64, -1 where there is no one label     /label_names (K,) UTF-8
    /targets       (N, K) bool, only when some image has several labels
    /splits        (N,) UTF-8, only when the source names them (train, validation, test)
    /groups        (N,) UTF-8, only when rows belong together
    /trained/NAME  (N,) bool: whose image trained the network of these rows, or one of them; only
                   of networks that know this, as those that penult fine-tuned do
    /content       (N,) UTF-8, hex BLAKE2b-128 digest of the image's bytes
    /failures      (F,) of (id, reason), the images that have no row
    /layers/NAME   one dataset a set of rows when there are several; /features is a link to the last
    /augmented     only when images were augmented: M rows that are none of the N
        of         (M,) int64: the row that each belongs to     view (M,) int64, from 1
        rows/NAME  (M, D), …, one dataset a set of rows
    /projections/SHA256/{mean, components, explained_variance}
                   (D,), (k, D), (k,) float32; attributes total_variance, whiten
    attributes     format, penult, recipe (JSON), origin (JSON), created (ISO 8601, UTC)

Each rows dataset carries its own recipe as an attribute, for they differ in it, and its name as
another. NAME in a path is that name with what HDF5 cannot have in one escaped.

In format 1, the recipe's layer is the name, and there is neither augmentation nor projection. What
needs no more than that is written so, and older penults read it.
"""

from __future__ import annotations

import re

FORMAT = 2
FIRST_FORMAT = 1

FEATURES = "features"
IDS = "ids"
LABELS = "labels"
LABEL_NAMES = "label_names"
TARGETS = "targets"
SPLITS = "splits"
GROUPS = "groups"
CONTENT = "content"
TRAINED = "trained"
FAILURES = "failures"
LAYERS = "layers"
AUGMENTED = "augmented"
OF = "of"
VIEW = "view"
ROWS = "rows"
PROJECTIONS = "projections"

_CHUNK_BYTES = 1 << 18


def rows_a_chunk(row_bytes: int) -> int:
    """How many rows a chunk holds: about 256 KiB, so that a slice reads little beyond itself."""
    return max(1, _CHUNK_BYTES // max(1, row_bytes))


def link_name(layer: str) -> str:
    """Name a layer's dataset in ``/layers``, where a slash would begin a group."""
    escaped = re.sub(r"[%/\0]", lambda sign: f"%{ord(sign[0]):02X}", layer)
    return {"": "%", ".": "%2E"}.get(escaped, escaped)
