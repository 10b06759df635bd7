"""What a service allows, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass

from penult.arguments import require_whole
from penult.errors import UsageError
from penult.images.pixels.decode import MAX_PIXELS
from penult.interface import option
from penult.serving.access import AccessRules
from penult.wording import count

__all__ = ["ServiceOptions"]

_THIS_MACHINE = AccessRules()
_WHOLE = (
    "max_bytes",
    "max_total_bytes",
    "max_pixels",
    "max_parts",
    "max_requests",
    "max_k",
    "queue",
    "top",
)


@dataclass(frozen=True, kw_only=True)
class ServiceOptions:
    """Limits of a service, each checked once.

    Attributes
    ----------
    max_bytes : int
        The most bytes of a request's body; no more are read.
    max_total_bytes : int
        The most bytes that the bodies of all requests in progress have together; further ones are
        refused at once.
    max_pixels : int
        Larger photos are refused, from their header.
    max_parts : int
        The most photos of one request.
    max_requests : int
        The most requests at once; further ones are refused at once.
    max_k : int
        The most hits of one search, and rows of one page.
    timeout : float
        Seconds that a client has to send a photo, and that it waits for an answer.
    queue : int
        The most photos that wait for the network; further ones are refused at once.
    batch_wait : float
        Seconds that a photo waits at most for others to share its batch.
    top : int
        How many classes `/v1/classify` lists where the request does not say.
    allow_urls : bool
        Whether photos are fetched from addresses that clients send.
    access : AccessRules
        What requests have to show; see `access_rules`.
    access_log : bool
        Whether each request is logged.
    title : str or None
        What the page is called; what is served by default.
    """

    max_bytes: int = 20_000_000
    max_total_bytes: int = 500_000_000
    max_pixels: int = MAX_PIXELS
    max_parts: int = 32
    max_requests: int = 512
    max_k: int = 1000
    timeout: float = 30.0
    queue: int = 256
    batch_wait: float = 0.003
    top: int = 5
    allow_urls: bool = False
    access: AccessRules = _THIS_MACHINE
    access_log: bool = False
    title: str | None = None

    def __post_init__(self) -> None:
        for name in _WHOLE:
            value = getattr(self, name)
            require_whole(name, value)
            if value < 1:
                raise UsageError(f"{name} of {value} was given; it must be 1 or more")
        if self.max_total_bytes < self.max_bytes:
            raise UsageError(
                f"{option('max_total_bytes', self.max_total_bytes)} leaves no room for one body of "
                f"{count(self.max_bytes, 'byte')}; give {option('max_total_bytes', self.max_bytes)}"
                " or more"
            )
        if self.max_parts > self.queue:
            raise UsageError(
                f"requests of {self.max_parts} photos do not fit into a queue of {self.queue}; "
                f"give {option('queue', self.max_parts)} or more"
            )
        for name in ("timeout", "batch_wait"):
            if not 0 <= getattr(self, name) <= 3600:
                raise UsageError(
                    f"{name} of {getattr(self, name)} was given; allowed: seconds from 0 to 3600"
                )
