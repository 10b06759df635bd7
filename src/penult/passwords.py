"""Addresses as messages have them: without what is secret in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import PurePath
from urllib.parse import unquote

__all__ = ["remember", "remember_all", "without_password", "without_passwords"]

_MOST = 1000
_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):(?P<slashes>/{0,2})(?!/)", re.A)
# Who asks a web server is a token more often than a name, and a name alone opens nothing.
_WEB = ("http", "https")
# What a host is followed by, and no password begins with.
_PORT = re.compile(r"\d+(?:[/?#\s'\"\],;)]|$)|$")

# An address in a sentence, where it ends is not known. A password with no space and no slash in
# it; one with slashes; one with spaces, behind which the address goes on with a path.
_BEGIN = r"(?<![A-Za-z0-9+.-])(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)(?P<slashes>:/{1,2})"
_USER = r"(?P<user>[^\s:/?#@'\"\[]*)"
_NO_PORT = r"(?P<password>:(?!\d*(?:[/?#\s'\"\],;)]|[:.]\s|$))"
_IN_TEXT = (
    re.compile(rf"{_BEGIN}{_USER}(?P<password>:[^\s/?#]*|[^\s/?#:]*)@"),
    re.compile(rf"{_BEGIN}{_USER}{_NO_PORT}[^\s'\"]*)@"),
    re.compile(rf"{_BEGIN}{_USER}{_NO_PORT}\S[^\n]*?)@(?=[\w.:%,\[\]-]*[/?#])"),
)
_QUERY = re.compile(r"\?[A-Za-z_.%-]+=[^?]*$")
_PAIR = re.compile(r"(?<=[?&])(?P<name>[^=&#\s]*)=[^&#]*")
_PAIR_IN_TEXT = re.compile(r"(?<=[?&])(?P<name>[^=&#\s'\"]*)=[^&#\s'\"]*")
_SECRET = re.compile(r"passw|pwd|key|token|secret|credential|signature|(^|[-_])sig$", re.I)

_remembered: dict[str, str] = {}
"""What to write for the beginnings of addresses that were given, in all the forms they may have."""


def without_password(address: str, *, is_right: bool = False) -> str:
    """Leave out what is secret in an address.

    Of an address on the web, that is who asks as well, which may be a token.

    Parameters
    ----------
    address : str
    is_right : bool
        Whether it has been opened: then its password ends where RFC 3986 says. People paste
        passwords with any signs in them, and rather too much is left out.

    Examples
    --------
    >>> without_password("postgresql://me:se:c@ret@db/photos?table=a&sslpassword=x")
    'postgresql://me@db/photos?table=a&sslpassword=…'
    >>> without_password("https://TOKEN@host/flowers")
    'https://host/flowers'
    """
    shown = address
    if (begin := _beginning(address, is_right=is_right)) is not None:
        shown = _shown(begin) + address[len(begin) :]
    return _PAIR.sub(_shown_pair, shown)


def without_passwords(text: str) -> str:
    """Leave the passwords of all addresses out of a sentence.

    Where a password ends cannot be told if it has spaces in it; of addresses that were given, it is
    known (`remember`).

    Examples
    --------
    >>> without_passwords("no such file: postgresql:/me:secret@db/photos; ask me@db")
    'no such file: postgresql:/me@db/photos; ask me@db'
    """
    for secret, shown in list(_remembered.items()):
        text = text.replace(secret, shown)
    if "@" in text:
        for pattern in _IN_TEXT:
            text = pattern.sub(_shown_in_text, text)
    return _PAIR_IN_TEXT.sub(_shown_pair, text)


def remember(address: str) -> None:
    """Know an address that was given in every message that quotes it; all else is passed over."""
    begin = _beginning(address, is_right=False)
    if begin is None or len(_remembered) >= _MOST:
        return
    shown = _shown(begin)
    if shown == begin:
        return
    for one in (begin, begin.replace("://", ":/", 1), str(PurePath(begin))):  # as paths fold it
        for form in (one, repr(one)[1:-1], shlex.quote(one)[1:-1], unquote(one)):
            if form != shown and "@" in form:
                _remembered[form] = _shown(one)


def remember_all(given: Iterable[object]) -> None:
    """Know all addresses among arguments, also those in lists."""
    for one in given:
        if isinstance(one, str | PurePath):
            text = str(one)
            if "@" in text and ":" in text:
                # As an option and its value are one argument of a command line.
                _, equals, value = text.partition("=") if text.startswith("-") else ("", "", "")
                remember(value if equals else text)
        elif isinstance(one, list | tuple) and len(one) <= _MOST:
            remember_all(one)


def _beginning(address: str, *, is_right: bool) -> str | None:
    """An address up to where its host begins, if it says who asks: ``postgresql://me:secret@``."""
    found = _ADDRESS.match(address)
    if found is None:
        return None
    rest = address[found.end() :]
    place = re.split(r"[/?#]", rest, maxsplit=1)[0]
    name, colon, secret = place.partition(":")
    end = place.rfind("@")
    if "@" in name or (is_right and end >= 0):
        # Without slashes, it may be anything else that has an @ in it.
        return found[0] + rest[: end + 1] if found["slashes"] or colon else None
    if not colon or is_right or name.startswith("["):
        return None
    if end < 0 and _PORT.match(secret + rest[len(place) :]):
        return None
    # Up to the last @ but for those of what is asked for, a table's name for one.
    end = _QUERY.sub("", rest).rfind("@")
    return None if end < 0 else found[0] + rest[: end + 1]


def _shown(begin: str) -> str:
    """What to write for what `_beginning` gives."""
    found = _ADDRESS.match(begin)
    assert found is not None
    name, colon, _ = begin[found.end() : -1].partition(":")
    return f"{found[0]}{_who(found['scheme'], name, has_password=bool(colon))}"


def _who(scheme: str, name: str, *, has_password: bool) -> str:
    if scheme.lower().rpartition("+")[2] in _WEB or (has_password and not name):
        return ""
    return f"{name}@"


def _shown_in_text(found: re.Match[str]) -> str:
    name, password = found["user"], found["password"]
    who = _who(found["scheme"], name, has_password=password.startswith(":"))
    return f"{found['scheme']}{found['slashes']}{who}"


def _shown_pair(pair: re.Match[str]) -> str:
    # Whoever reads the address decodes names as well.
    name = pair["name"]
    return f"{name}=…" if _SECRET.search(unquote(name)) else pair[0]
