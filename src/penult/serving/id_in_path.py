"""Ids of images as the end of a path, whatever characters they have."""

from __future__ import annotations

from starlette.convertors import PathConvertor, register_url_convertor

__all__ = ["IMAGE_ID"]

IMAGE_ID = "{image_id:id}"
"""The end of a path that is the argument `image_id`."""


class _IdConvertor(PathConvertor):
    regex = "(?s:.*)"  # that of ``path`` ends at a newline, which a file's name may have


register_url_convertor("id", _IdConvertor())
