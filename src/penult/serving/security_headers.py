"""Headers by which a browser does no more with an answer than it has to."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["security_headers"]

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_DATA = {
    **_ALWAYS,
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
# The page: its own script and style, no inline ones, and pictures that it has made itself.
_PAGE = {
    **_ALWAYS,
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
}


def security_headers(path: str) -> Mapping[str, str]:
    """Return the headers of an answer, which it has unless it states others of the same names.

    Parameters
    ----------
    path : str
        What was asked for: ``/`` and what is below ``/static/`` is the page, anything else data.

    Returns
    -------
    mapping of str to str
    """
    return _PAGE if path == "/" or path.startswith("/static/") else _DATA
