"""The page, shown in whatever browser there is."""

from __future__ import annotations

import logging
import webbrowser
from pathlib import Path

__all__ = ["open_page"]


def open_page(page: Path) -> None:
    """Show a page in the browser; where there is none, one line says where the page is."""
    address = page.resolve().as_uri()
    try:
        opened = webbrowser.open(address)
    except webbrowser.Error:
        opened = False
    if not opened:
        logging.getLogger("penult").warning("penult: no browser was found here; open %s", address)
