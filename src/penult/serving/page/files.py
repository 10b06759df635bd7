"""The files of the page: its HTML, style sheets and scripts, as the service sends them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import PurePath

from penult import __version__
from penult.web.page import page_environment

__all__ = ["INDEX", "PageFile", "page_files"]

INDEX = "index.html"

_TEMPLATES = (INDEX, "style.css", "elements.js", "row_map.js")
"""Files that are put together of what other pages share; all others are sent as they are."""

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}


@dataclass(frozen=True)
class PageFile:
    """One file of the page.

    Attributes
    ----------
    content : bytes
    media_type : str
    etag : str
        By its content, in quotes.
    """

    content: bytes
    media_type: str
    etag: str


@cache
def page_files() -> Mapping[str, PageFile]:
    """Read all files of the page, by their names.

    Returns
    -------
    mapping of str to PageFile
        The page itself is `INDEX`.
    """
    environment = page_environment("penult.serving.page")
    texts = {
        name: environment.get_template(name).render(version=__version__) for name in _TEMPLATES
    }
    for file in (resources.files("penult.serving.page") / "static").iterdir():
        texts[file.name] = file.read_text("utf-8")
    return {name: _page_file(name, text.encode()) for name, text in texts.items()}


def _page_file(name: str, content: bytes) -> PageFile:
    digest = hashlib.sha256(content).hexdigest()[:32]
    return PageFile(content, _TYPES[PurePath(name).suffix], f'"{digest}"')
