"""A chat bot, until it is stopped."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from penult.chat.options import ChatOptions
from penult.chat.telegram.settings import API_URL, TelegramSettings
from penult.checking import checked
from penult.errors import PenultError, UsageError
from penult.extras import require_extra
from penult.inputs import require_existing
from penult.interface import command, option
from penult.representation import what_given

if TYPE_CHECKING:
    from penult.client import AsyncClient

__all__ = ["bot"]

_log = logging.getLogger(__name__)

_MOST_SHOWN = 10  # pictures of an album of Telegram's
_LARGEST_SECRET = 4096


@checked
def bot(
    *,
    telegram: bool = False,
    token_env: str = "BOT_TOKEN",
    token_file: str | Path | None = None,
    service: str = "http://127.0.0.1:8000",
    service_token_file: str | Path | None = None,
    k: int = 5,
    per_minute: int = 20,
    relabel: bool = True,
    allow: str | Sequence[str] | None = None,
    webhook: str | None = None,
    listen: str | None = None,
    api_url: str = API_URL,
    on_ready: Callable[[str], object] | None = None,
) -> None:
    """Answer photos in a messenger by what a service says of them, until it is stopped.

    Blocks until SIGINT or SIGTERM. The service is started by `penult serve`; the bot asks it for
    the class of each photo and the nearest pictures of its gallery, and keeps no photo itself.

    Parameters
    ----------
    telegram : bool
        Answer in Telegram, which is the one messenger so far.
    token_env : str, default="BOT_TOKEN"
        The variable of the environment that has the bot's token, which @BotFather gives.
    token_file : path, optional
        A file that has it, in place of the environment.
    service : str, default="http://127.0.0.1:8000"
        The address of the service.
    service_token_file : path, optional
        The file with the token of the service, as it was given to it.
    k : int, default=5
        How many of the nearest pictures are shown at once, from 1 to 10.
    per_minute : int, default=20
        How many photos, texts and presses of buttons one user may send in a minute.
    relabel : bool, default=True
        Let users put labels of the gallery right, in the service's label log.
    allow : str or sequence of str, optional
        Numbers of the only users that are answered; without it, all are.
    webhook : str, optional
        The https address to which Telegram sends what people write. Without it, the bot asks
        Telegram, which needs no address of its own.
    listen : str, optional
        HOST:PORT at which that arrives on this machine, 127.0.0.1:8443 by default; a reverse proxy
        sends it there.
    api_url : str, default="https://api.telegram.org"
        The address of the Bot API, for a Bot API server of one's own.
    on_ready : callable, optional
        Called with the bot's name once it answers.

    Raises
    ------
    UsageError
        If an option is out of range, there is no token, or Telegram does not know it.
    PathNotFoundError
        If a token's file does not exist.
    MissingExtraError
        If the extra ``bot`` is not installed.
    ServiceError
        If Telegram cannot be reached. A service that cannot be is waited for: users are told.
    """
    if not telegram:
        raise UsageError(f"which messenger? give {option('telegram', True)}, the one there is")
    for name, value, most in (("k", k, _MOST_SHOWN), ("per_minute", per_minute, 100_000)):
        if not 1 <= value <= most:
            raise UsageError(f"{option(name, value)}; give 1 to {most:,}")
    users = [allow] if isinstance(allow, str) else allow or ()
    for user in users:
        if not (user.isascii() and user.isdecimal()):
            example = option("allow", "123456789")
            raise UsageError(
                f"{what_given(user)} is no number of a user of Telegram; for example {example}"
            )
    require_extra(command("bot"), "bot", "telegram", "tornado", "httpx")

    from penult.client.connection import require_address

    require_address(service, name="service")
    settings = TelegramSettings(
        token=_bot_token(token_env, token_file), api_url=api_url, webhook=webhook, listen=listen
    )
    options = ChatOptions(k=k, per_minute=per_minute, relabel=relabel, allow=frozenset(users))

    from penult.client import AsyncClient

    secret = None if service_token_file is None else _secret(service_token_file)
    client = AsyncClient(service, token=secret)
    asyncio.run(_run(client, options, settings, on_ready))


async def _run(
    client: AsyncClient,
    options: ChatOptions,
    settings: TelegramSettings,
    on_ready: Callable[[str], object] | None,
) -> None:
    from penult.chat.conversation import Conversation
    from penult.chat.stopping import set_by_signals
    from penult.chat.telegram.limits import TELEGRAM
    from penult.chat.telegram.run import run

    stop = asyncio.Event()
    with set_by_signals(stop):
        async with client:
            conversation = Conversation(client, TELEGRAM, options)
            looking = asyncio.create_task(_look_for(client))
            try:
                await run(conversation, settings, stop, on_ready)
            finally:
                looking.cancel()


async def _look_for(client: AsyncClient) -> None:
    """Say in the log, for who starts the bot, that the service is not there yet."""
    try:
        await client.healthz()
    except PenultError as error:
        _log.warning("%s; until it is there, users are told so", error)


def _bot_token(token_env: str, token_file: str | Path | None) -> str:
    if token_file is not None:
        token, where = _secret(token_file), str(token_file)
    else:
        token, where = os.environ.get(token_env, "").strip(), token_env
        if not token:
            raise UsageError(
                f"the variable {token_env} of the environment is not set; put the bot's token "
                f"there, or give {option('token_file', 'FILE')}"
            )
    if re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]+", token) is None:
        raise UsageError(
            f"what {where} has is no token of a bot; one has a number, a colon and letters, as "
            "@BotFather gives it"
        )
    return token


def _secret(path: str | Path) -> str:
    require_existing(Path(path), "token file")
    try:
        with Path(path).open("rb") as file:
            secret = file.read(_LARGEST_SECRET + 1)
        text = secret.decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"{path}: the token cannot be read: {why}") from None
    if not text or len(secret) > _LARGEST_SECRET:
        raise UsageError(f"{path}: there is no token in it" if not text else f"{path}: too long")
    return text
