"""How the bot is connected to Telegram."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from penult.errors import UsageError
from penult.interface import option
from penult.representation import what_given

__all__ = ["API_URL", "TelegramSettings"]

API_URL = "https://api.telegram.org"
_LISTEN = "127.0.0.1:8443"


@dataclass(frozen=True, kw_only=True)
class TelegramSettings:
    """How the bot is connected to Telegram.

    Attributes
    ----------
    token : str
        Of the bot, as @BotFather gives it.
    api_url : str
        Where the Bot API is.
    webhook : str or None
        The address to which Telegram sends what people write; None where it is asked for.
    listen : str or None
        HOST:PORT at which that arrives here.

    Raises
    ------
    UsageError
        If an address is none.
    """

    token: str = field(repr=False)
    api_url: str = API_URL
    webhook: str | None = None
    listen: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "api_url", self.api_url.rstrip("/"))
        if not _is_address(self.api_url):
            given = what_given(self.api_url)
            example = option("api_url", API_URL)
            raise UsageError(f"{given} is no address of a Bot API; for example {example}")
        if self.webhook is None:
            if self.listen is not None:
                raise UsageError(f"{option('listen')} is for {option('webhook', 'URL')}")
            return
        # A server of one's own also takes plain HTTP.
        secure = self.webhook.startswith("https://") or self.api_url != API_URL
        if not _is_address(self.webhook) or not secure:
            example = option("webhook", "https://bot.example.org/telegram")
            given = what_given(self.webhook)
            raise UsageError(f"{given}: Telegram calls an https address; for example {example}")
        _ = self.address

    @property
    def path(self) -> str:
        """The path of the webhook's address."""
        return urlsplit(self.webhook or "").path.lstrip("/")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen at."""
        given = self.listen or _LISTEN
        host, _, port = given.rpartition(":")
        if not host or not port.isdecimal() or not port.isascii() or not 0 < int(port) < 65536:
            example = option("listen", _LISTEN)
            raise UsageError(f"{what_given(given)} is no HOST:PORT; for example {example}")
        return host.strip("[]"), int(port)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable()
