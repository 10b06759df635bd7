"""Addresses as messages have them."""

from __future__ import annotations

import re
from urllib.parse import unquote

__all__ = ["without_password", "without_passwords"]

# Up to the last @ before the host ends: what people paste may have unescaped signs in it. A path
# has one slash of the two.
_USER = re.compile(r"(?<=:/)(?P<user>/?[^:/?#@]*):[^/?#]*@(?=[^@/?#]*(?:[/?#]|$))")
_WILD = re.compile(r"(?<=:/)(?P<user>/?[^:/?#@]*):.*@")
_NO_SLASHES = re.compile(r"^(?P<scheme>[\w+]+:/?)(?!/)(?P<user>[^:/?#@]*):.*@")
# A sentence may go on behind an address, and have another @ in it; a file's name may have one.
_USER_IN_TEXT = re.compile(
    r"(?<![A-Za-z0-9+.-])(?P<before>[A-Za-z][A-Za-z0-9+.-]+://?[^\s:/?#@'\"]*):[^\s/?#]*@"
)
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


def without_passwords(text: str) -> str:
    """Leave the passwords of all addresses out of a sentence.

    Examples
    --------
    >>> without_passwords("no such file: postgresql:/me:secret@db/photos; ask me@db")
    'no such file: postgresql:/me@db/photos; ask me@db'
    """
    return _USER_IN_TEXT.sub(r"\g<before>@", text)


def _shown_pair(pair: re.Match[str]) -> str:
    # Whoever reads the address decodes names as well.
    name = pair["name"]
    return f"{name}=…" if _SECRET.search(unquote(name)) else pair[0]
