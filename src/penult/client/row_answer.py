"""Rows as the service sends them, in bytes or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.client.answers.photo_rows import PhotoFailure, PhotoRows
from penult.parsing import read_json

if TYPE_CHECKING:
    import httpx

__all__ = ["read_rows"]


def read_rows(response: httpx.Response, asked: int) -> PhotoRows:
    """Return the rows of an answer.

    Parameters
    ----------
    response : httpx.Response
    asked : int
        How many photos were sent.

    Raises
    ------
    ValueError, TypeError, KeyError
        If it is no such answer.
    """
    if response.headers.get("content-type", "").startswith("application/octet-stream"):
        shape = tuple(map(int, response.headers["x-penult-shape"].split(",")))
        rows = np.frombuffer(response.content, "<f4").astype(np.float32).reshape(shape)
        photos = tuple(range(asked))
        failures: tuple[PhotoFailure, ...] = ()
        recipe = response.headers["x-penult-recipe"]
    else:
        said = read_json(response.content)
        failures = tuple(
            PhotoFailure(int(one["part"]), str(one["detail"])) for one in said.get("failures") or ()
        )
        photos = tuple(number for number, row in enumerate(said["features"]) if row is not None)
        rows = np.array([said["features"][number] for number in photos], np.float32)
        recipe = str(said["recipe_sha256"])
    if rows.ndim != 2 or len(rows) != len(photos) or len(photos) + len(failures) != asked:
        raise ValueError(f"{asked} photos were sent, and its rows are of shape {rows.shape}")
    return PhotoRows(rows, recipe, photos, failures)
