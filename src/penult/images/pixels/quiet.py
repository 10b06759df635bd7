"""Keep what Pillow and the C libraries under it say of damaged files off the terminal.

Each such file has its outcome, with a reason; the same news on stderr would only break the progress
bar. Everything here may be called from any thread, any number of times.
"""

from __future__ import annotations

import ctypes
import logging
import re
import warnings
from functools import cache

from PIL import _imaging

__all__ = ["silence"]

_FILTER = ("ignore", None, Warning, re.compile(r"PIL\."), 0)


def silence() -> None:
    """Silence Pillow's warnings (metadata, and sizes, which penult limits itself) and libtiff."""
    # Not `warnings.catch_warnings`, which is not thread-safe; and looked up every time, because one
    # that someone else leaves takes our filter with it.
    if _FILTER not in warnings.filters:
        warnings.filterwarnings("ignore", module=_FILTER[3].pattern)
    _silence_for_good()


@cache
def _silence_for_good() -> None:
    # A logger with no handler at all prints on stderr.
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    try:
        # Looks in the libraries that Pillow's core is linked to: the very libtiff it uses.
        core = ctypes.CDLL(_imaging.__file__)
        handlers = (core.TIFFSetErrorHandler, core.TIFFSetWarningHandler)
    except (AttributeError, OSError):
        return  # libtiff is built in (Windows) or absent
    for set_handler in handlers:
        set_handler.argtypes = [ctypes.c_void_p]
        set_handler.restype = ctypes.c_void_p
        set_handler(None)
