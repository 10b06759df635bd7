"""``penult bot``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from penult.chat.telegram.settings import API_URL
from penult.cli import options as o
from penult.cli.console import note, say_json


def run(
    telegram: Annotated[
        bool, typer.Option("--telegram", help="Answer in Telegram, the one messenger so far.")
    ] = False,
    token_env: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Variable of the environment that has the bot's token, from @BotFather.",
        ),
    ] = "BOT_TOKEN",
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File with that token, in place of the environment."),
    ] = None,
    service: Annotated[
        str, typer.Option(metavar="URL", help="Address of the service that looks at photos.")
    ] = "http://127.0.0.1:8000",
    service_token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File with the token of the service, if it has one."),
    ] = None,
    k: Annotated[
        int, typer.Option("-k", "--k", help="How many of the nearest pictures to show, 1 to 10.")
    ] = 5,
    per_minute: Annotated[
        int, typer.Option(help="How much one user may send in a minute: photos, texts, presses.")
    ] = 20,
    relabel: Annotated[
        bool,
        typer.Option(
            "--relabel/--no-relabel",
            help="Let users put labels of the gallery right, in the service's label log.",
        ),
    ] = True,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NUMBER",
            help="Answer this user alone, by their number; may be given several times.",
            show_default=False,
        ),
    ] = None,
    webhook: Annotated[
        str | None,
        o.telegram_option(
            metavar="URL",
            help="Address that Telegram is to call, instead of being asked.",
            show_default=False,
        ),
    ] = None,
    listen: Annotated[
        str | None,
        o.telegram_option(
            metavar="HOST:PORT",
            help="Where those calls arrive on this machine.",
            show_default="127.0.0.1:8443",
        ),
    ] = None,
    api_url: Annotated[
        str,
        o.telegram_option(metavar="URL", help="A Bot API server of one's own."),
    ] = API_URL,
    quiet: o.Quiet = False,
    as_json: o.AsJson = False,
    debug: o.Debug = False,
) -> None:
    """Answer photos in a messenger with their classes and the nearest pictures.

    A thin client of `penult serve`, which has to run: the bot keeps no photo. Runs until it is
    stopped, by Ctrl-C or SIGTERM; what was begun is answered then.

    Examples
    --------
    # The token that @BotFather gave is in the environment.
    penult bot --telegram --service http://127.0.0.1:8000
    """
    from penult.tasks.bot import bot

    def ready(name: str) -> None:
        if as_json:
            say_json({"bot": name})
        elif not quiet:
            note(f"penult: @{name} answers")
        sys.stdout.flush()  # whoever waits for the name may read it from a pipe

    bot(
        telegram=telegram,
        token_env=token_env,
        token_file=token_file,
        service=service,
        service_token_file=service_token_file,
        k=k,
        per_minute=per_minute,
        relabel=relabel,
        allow=allow,
        webhook=webhook,
        listen=listen,
        api_url=api_url,
        on_ready=ready,
    )
