"""Addresses as messages have them."""

from __future__ import annotations

import re
from urllib.parse import unquote

__all__ = ["without_password"]

# Up to the last @ before the host ends: what people paste may have unescaped signs in it.
_USER = re.compile(r"(?<=://)(?P<user>[^:/?#@]*):[^/?#]*@(?=[^@/?#]*(?:[/?#]|$))")
_WILD = re.compile(r"(?<=://)(?P<user>[^:/?#@]*):.*@")
_NO_SLASHES = re.compile(r"^(?P<scheme>[\w+]+:/?)(?!/)(?P<user>[^:/?#@]*):.*@")
_PAIR = re.compile(r"(?<=[?&])(?P<name>[^=&#]*)=[^&#]*")
_SECRET = re.compile(r"password|key|token|secret", re.I)


def without_password(address: str) -> str:
    """Leave out what is secret in an address.

    Examples
    --------
    >>> without_password("postgresql://me:se:c@ret@db/photos?table=a&sslpassword=x")
    'postgresql://me@db/photos?table=a&sslpassword=…'
    """
    shown = _USER.sub(r"\g<user>@", address)
    if shown == address:  # a password with a slash in it
        shown = _WILD.sub(r"\g<user>@", address)
    if shown == address:  # of which one was forgotten before the user's name
        shown = _NO_SLASHES.sub(r"\g<scheme>\g<user>@", address)
    return _PAIR.sub(_shown_pair, shown)


def _shown_pair(pair: re.Match[str]) -> str:
    # Whoever reads the address decodes names as well.
    name = pair["name"]
    return f"{name}=…" if _SECRET.search(unquote(name)) else pair[0]
