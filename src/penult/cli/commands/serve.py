"""``penult serve``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penult.cli import options as o
from penult.cli.console import note, say, say_json

if TYPE_CHECKING:
    from penult.serving.listening import Listening


_EVERYWHERE = ("0.0.0.0", "::")
_RELOADS = "penult.serving.reloading"  # which a signal asks for without an answer
_REQUESTS = "penult.serving.middleware.access_log"


def run(
    classifier: Annotated[
        Path | None,
        typer.Option(
            "--classifier",
            "-c",
            metavar="FILE",
            help="Classifier file (.skops), or the folder of a fine-tuned network (.ckpt).",
            show_default=False,
        ),
    ] = None,
    gallery: Annotated[
        str | None,
        typer.Option(
            "--gallery",
            "-g",
            metavar="FILE",
            help="Feature file (.h5), folder of rows (.rows), index (.index), or a database's "
            "table that is searched; without a classifier, its nearest photos vote for a class.",
            show_default=False,
        ),
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option(
            "--layer",
            "-l",
            metavar="LAYER",
            help="Which rows of the gallery to search, where it has several sets.",
            show_default="the last",
        ),
    ] = None,
    images: o.MovedImages = None,
    host: Annotated[
        str,
        typer.Option(help="Where to listen; 0.0.0.0 for all machines, which takes a token."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", help="0 for any that is free.")] = 8000,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File with the token that requests have to bear.",
            show_default=False,
        ),
    ] = None,
    token_env: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Environment variable that holds the token.", show_default=False
        ),
    ] = None,
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Answer everybody who reaches it, without a token.")
    ] = False,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A name that requests may call it by, such as a proxy's; * for any. Repeatable.",
            show_default=False,
        ),
    ] = None,
    label_log: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where labels that people correct are kept.",
            show_default="beside the gallery, GALLERY.labels.jsonl",
        ),
    ] = None,
    top: Annotated[
        int,
        typer.Option(min=1, help="How many classes to list where a request does not say."),
    ] = 5,
    unlike: Annotated[
        str,
        typer.Option(
            metavar="LEVEL",
            help="Photos that are less similar than this are unlike anything seen, e.g. 0.4; off "
            "marks none.",
        ),
    ] = "auto",
    title: Annotated[
        str | None,
        typer.Option(help="What the page is called.", show_default="the classifier or the gallery"),
    ] = None,
    access_log: Annotated[
        bool,
        typer.Option(
            "--access-log", help="Print a line for each request, on stderr; no token is in it."
        ),
    ] = False,
    max_bytes: Annotated[
        int, o.reading_option(min=1, help="Refuse larger photos, and read no more of them.")
    ] = 20_000_000,
    max_total_bytes: Annotated[
        int | None,
        o.reading_option(
            min=1,
            help="The most bytes of all requests in progress together.",
            show_default="500000000, and --max-bytes at least",
        ),
    ] = None,
    max_pixels: o.MaxPixels = None,
    max_parts: Annotated[int, o.reading_option(min=1, help="The most photos of one request.")] = 32,
    queue: Annotated[
        int,
        o.speed_option(min=1, help="The most photos that wait; further ones are refused at once."),
    ] = 256,
    timeout: Annotated[
        float,
        o.reading_option(help="Seconds to send a photo in, and to wait for an answer."),
    ] = 30.0,
    allow_urls: Annotated[
        bool,
        o.reading_option(
            "--allow-urls",
            help="Fetch photos from addresses that clients send, of the public internet alone.",
        ),
    ] = False,
    weights: o.MovedWeights = None,
    offline: o.Offline = False,
    engine: o.Engine = "auto",
    device: o.Device = "auto",
    batch_size: o.BatchSize = None,
    workers: o.WorkerThreads = None,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Serve a classifier, a gallery or both over HTTP, until Ctrl-C.

    Photos are sent to it and it answers with their classes, the most similar photos of the gallery,
    or their rows. docs/serve.md describes the requests. SIGHUP has it open its files anew.

    Examples
    --------
    penult serve --classifier flowers.skops --gallery rows.h5
    # For other machines, with a token.
    penult serve --gallery gallery.index --host 0.0.0.0 --token-file token.txt
    # A table that `penult push` filled.
    penult serve --gallery 'postgresql://me@db/photos?table=flowers'
    """
    from penult.tasks.serve import serve

    def tell(listening: Listening) -> None:
        if as_json:
            say_json({"url": listening.url})
        else:
            everywhere = ", and at this machine's other addresses" if host in _EVERYWHERE else ""
            say(f"listening at {listening.url}{everywhere}")
            if not quiet:
                note("Ctrl-C stops it")
        sys.stdout.flush()  # whoever waits for the address may read it from a pipe

    told = [*([] if quiet else [_RELOADS]), *([_REQUESTS] if access_log else [])]
    with _printed(told):
        serve(
            classifier=classifier,
            gallery=gallery,
            layer=layer,
            images=images,
            host=host,
            port=port,
            token_file=token_file,
            token_env=token_env,
            no_auth=no_auth,
            allowed_host=allowed_host or (),
            label_log=label_log,
            top=top,
            unlike=o.level_of(unlike),
            title=title,
            access_log=access_log,
            max_bytes=max_bytes,
            max_total_bytes=max_total_bytes,
            max_pixels=max_pixels,
            max_parts=max_parts,
            queue=queue,
            timeout=timeout,
            allow_urls=allow_urls,
            weights=weights,
            offline=offline,
            engine=engine,
            device=device,
            batch_size=batch_size,
            workers=workers,
            progress=not quiet,
            on_ready=tell,
        )


@contextmanager
def _printed(names: Iterable[str]) -> Iterator[None]:
    """Print what loggers of these names are told."""
    import logging

    class Noted(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            note(record.getMessage())

    handler, logs = Noted(), [logging.getLogger(one) for one in names]
    before = [log.level for log in logs]
    for log in logs:
        log.addHandler(handler)
        log.setLevel(logging.INFO)
    try:
        yield
    finally:
        for log, level in zip(logs, before, strict=True):
            log.removeHandler(handler)
            log.setLevel(level)
