"""Addresses as messages have them."""

from __future__ import annotations

import re

__all__ = ["without_password"]

# Up to the last @ before the host ends: what people paste may have unescaped signs in it.
_USER = re.compile(r"(?<=://)(?P<user>[^:/?#@]*):[^/?#]*@(?=[^@/?#]*(?:[/?#]|$))")
_WILD = re.compile(r"(?<=://)(?P<user>[^:/?#@]*):.*@")
_QUERY = re.compile(r"(?<=[?&])(?P<name>[^=&#]*(?:password|key|token|secret)[^=&#]*)=[^&#]*", re.I)


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
    return _QUERY.sub(r"\g<name>=…", shown)
