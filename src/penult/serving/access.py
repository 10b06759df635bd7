"""Who may ask the service for what: tokens, sessions, hosts and the origins of writes."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

from penult.errors import UsageError
from penult.interface import option
from penult.serving.wrong_tokens import WrongTokens

__all__ = ["SESSION_COOKIE", "AccessRules", "Refusal", "access_rules", "is_loopback"]

SESSION_COOKIE = "penult_session"
"""What keeps a browser in that has shown the token once: an image cannot send a header."""

SHORTEST_TOKEN, LONGEST_TOKEN = 16, 4096

_SAFE = frozenset(["GET", "HEAD", "OPTIONS"])
_OPEN = re.compile(r"/|/static/.*|(/v1)?/(healthz|readyz)|/v1/session|/favicon\.ico")


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused.

    Attributes
    ----------
    status : int
        Of HTTP: 400, 401, 403 or 429.
    detail : str
        A sentence.
    seconds : int
        When to try again; 0 where that is of no use.
    """

    status: int
    detail: str
    seconds: int = 0

    @property
    def headers(self) -> dict[str, str]:
        """Those that the answer has to have."""
        if self.status == 401:
            return {"WWW-Authenticate": "Bearer"}
        return {"Retry-After": str(self.seconds)} if self.seconds else {}


@dataclass(frozen=True)
class AccessRules:
    """What a request has to show before it is answered.

    Attributes
    ----------
    token : str or None
        What `Authorization: Bearer` has to carry, or what a session was opened with; None where
        everybody may ask.
    allowed_hosts : frozenset of str
        Names, in lower case, that requests may call the service by beside those that are always
        allowed; ``*`` for any.
    loopback : bool
        Whether only this machine can reach the service.
    wrong_tokens : WrongTokens
        Those that came, of which each address may send a few.
    """

    token: str | None = field(default=None, repr=False)
    allowed_hosts: frozenset[str] = frozenset()
    loopback: bool = True
    wrong_tokens: WrongTokens = field(default_factory=WrongTokens, repr=False, compare=False)

    def refusal(
        self, method: str, path: str, headers: Mapping[str, str], address: str | None = None
    ) -> Refusal | None:
        """Find out why a request is to be refused.

        Parameters
        ----------
        method, path : str
            As HTTP has them.
        headers : mapping of str to str
            Names are in lower case.
        address : str, optional
            Of who asks.

        Returns
        -------
        Refusal or None
            None where it is to be answered.
        """
        refused = self._wrong_host(headers.get("host", ""))
        if refused is None and method not in _SAFE:
            refused = self._other_origin(headers)
        if refused is None and not _OPEN.fullmatch(path):
            refused = self._without_token(headers, address)
        return refused

    def wrong_token(self, token: str, address: str | None = None) -> Refusal | None:
        """Refuse a token that is not the right one, in a time that does not tell how much of it is.

        Once several wrong ones have come from an address, none from there is looked at for a while.
        """
        if self.token is None:
            return None
        if seconds := self.wrong_tokens.seconds(address):
            return Refusal(
                429,
                f"too many wrong tokens came from this address; try again in {seconds} s",
                seconds,
            )
        if _same(token, self.token):
            return None
        self.wrong_tokens.note(address)
        return Refusal(401, "the token is wrong")

    @property
    def session(self) -> str:
        """What the cookie of a session holds: it proves that the token was known, and is not it."""
        key = (self.token or "").encode()
        return hmac.new(key, b"penult session 1", hashlib.sha256).hexdigest()

    def _wrong_host(self, host: str) -> Refusal | None:
        # A page from elsewhere may have its own name lead to this machine (DNS rebinding); then its
        # requests are of one origin with ours. They still call the service by that page's name.
        name = _hostname(host)
        if name is None:
            return Refusal(400, f"the header Host is {host[:80]!r}, which names no host")
        if name in self.allowed_hosts or "*" in self.allowed_hosts:
            return None
        if self.loopback:
            allowed = is_loopback(name)
        else:
            # An address, and a name without a dot, cannot be had by a page of somebody else's.
            allowed = (
                _is_address(name) or "." not in name or name.endswith((".local", ".localhost"))
            )
        if allowed or (self.token is not None and not self.allowed_hosts):
            return None
        return Refusal(
            403,
            f"the service does not go by the name {name[:80]!r}; where that is right, start it "
            f"with {option('allowed_host', name[:80])}",
        )

    def _other_origin(self, headers: Mapping[str, str]) -> Refusal | None:
        # A browser says of which site a page is that has something changed; others say nothing.
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None:
            is_own = site in ("same-origin", "none")
        elif origin is not None:
            called = origin.lower().partition("://")[2]
            is_own = called == headers.get("host", "").lower() or _hostname(called) in (
                self.allowed_hosts
            )
        else:
            is_own = True
        if is_own:
            return None
        return Refusal(403, "a page of another site may not change or ask for anything here")

    def _without_token(self, headers: Mapping[str, str], address: str | None) -> Refusal | None:
        if self.token is None:
            return None
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.wrong_token(given.strip(), address)
        if any(_same(one, self.session) for one in _sessions(headers.get("cookie", ""))):
            return None
        return Refusal(401, "a token is needed: send it as Authorization: Bearer TOKEN")


def access_rules(
    host: str,
    *,
    token: str | None = None,
    no_auth: bool = False,
    allowed_hosts: Iterable[str] = (),
) -> AccessRules:
    """Decide what requests have to show, or refuse to serve others without a token.

    Parameters
    ----------
    host : str
        The address or name that the service listens at.
    token : str, optional
        16 to 4096 visible ASCII characters.
    no_auth : bool
        Serve everybody who reaches the service, although others than this machine may.
    allowed_hosts : iterable of str
        See `AccessRules`.

    Returns
    -------
    AccessRules

    Raises
    ------
    UsageError
        If others may reach the service, and neither `token` nor `no_auth` is given, or both are; if
        the token is too short or too long, or cannot be sent; if a host is no name.
    """
    if token is not None:
        if no_auth:
            raise UsageError(
                f"a token and {option('no_auth', True)} were given; leave one of them out"
            )
        if not re.fullmatch(r"[!-~]*", token):
            raise UsageError(
                "the token has blanks or characters beside ASCII in it, which cannot be sent; make "
                "one with: openssl rand -hex 32"
            )
        if len(token) > LONGEST_TOKEN:
            raise UsageError(
                f"the token has {len(token):,} characters, and a header takes {LONGEST_TOKEN:,} of "
                "it at most; give a shorter one, such as openssl rand -hex 32 makes"
            )
        if len(token) < SHORTEST_TOKEN:
            raise UsageError(
                f"the token has {len(token)} characters; give at least {SHORTEST_TOKEN}, such as "
                "openssl rand -hex 32 makes"
            )
    loopback = is_loopback(host)
    if token is None and not (loopback or no_auth):
        raise UsageError(
            f"others may reach {host}, so that a token is needed; give "
            f"{option('token_file', 'FILE')}, or {option('no_auth', True)} where everybody may ask"
        )
    names = [one.strip().lower() for one in allowed_hosts]
    for name in names:
        if name != "*" and _hostname(name) != name:
            raise UsageError(
                f"{option('allowed_host', name)} is no name of a host; give it without http:// and "
                "without a port"
            )
    return AccessRules(token, frozenset(names), loopback)


def is_loopback(host: str) -> bool:
    """Whether a name or address is that of this machine, as it calls itself.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost")
    (True, True, True)
    >>> is_loopback("0.0.0.0"), is_loopback("localhost.example.com")
    (False, False)
    """
    name = host.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _hostname(host: str) -> str | None:
    """The name in a header Host, without the port; None where it is none."""
    found = re.fullmatch(r"(?:\[([0-9a-f:.]+)\]|([\w.-]+))(?::\d*)?", host.lower(), re.ASCII)
    return (found[1] or found[2]).rstrip(".") if found else None


def _sessions(header: str) -> list[str]:
    """The values of our cookie; other services of this machine may have set one of that name."""
    cookies = (one.strip().partition("=") for one in header.split(";"))
    return [value for name, _, value in cookies if name == SESSION_COOKIE]


def _same(given: str, right: str) -> bool:
    # Digests are of one length, and so their comparison does not tell that of the token.
    one, other = (
        hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in (given, right)
    )
    return hmac.compare_digest(one, other)
