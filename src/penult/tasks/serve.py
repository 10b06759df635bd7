"""A classifier and a gallery, served over HTTP."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from penult.backbones.weights.choice import WeightsChoice
from penult.checking import checked
from penult.classify.classifier import Classifier
from penult.errors import OutputError, SourceError, UsageError
from penult.extractor import EngineOptions
from penult.extras import require_extra
from penult.features.places import rows_address
from penult.images.pixels.decode import MAX_PIXELS
from penult.images.sources.remote.connection import is_url
from penult.inputs import require_existing, require_file
from penult.interface import option
from penult.output_names import refuse_output_name
from penult.progress import ShowProgress, following
from penult.records import Features
from penult.retrieve.index import Index
from penult.retrieve.search.opening import is_table_address

if TYPE_CHECKING:
    from penult.serving.labels.log import LabelLog
    from penult.serving.listening import Listening

__all__ = ["serve"]

_MODULES = ("fastapi", "uvicorn", "httptools", "python_multipart", "prometheus_client")
_TOTAL_BYTES = 500_000_000
_MOST_OF_FILE = 100_000  # characters, from which a token is read


@checked
def serve(
    *,
    classifier: Classifier | str | Path | None = None,
    gallery: Features | Index | str | Path | None = None,
    layer: str | None = None,
    images: str | Path | Sequence[str | Path] | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
    token_file: str | Path | None = None,
    token_env: str | None = None,
    no_auth: bool = False,
    allowed_host: Sequence[str] = (),
    label_log: str | Path | None = None,
    top: int = 5,
    unlike: float | Literal["auto", "off"] = "auto",
    title: str | None = None,
    access_log: bool = False,
    max_bytes: int = 20_000_000,
    max_total_bytes: int | None = None,
    max_pixels: int | None = None,
    max_parts: int = 32,
    queue: int = 256,
    timeout: float = 30.0,
    allow_urls: bool = False,
    weights: str | Path | Sequence[str | Path] | None = None,
    offline: bool = False,
    engine: str = "auto",
    device: str = "auto",
    batch_size: int | None = None,
    workers: int | None = None,
    progress: ShowProgress = None,
    on_ready: Callable[[Listening], None] | None = None,
) -> None:
    """Serve a classifier, a gallery or both over HTTP, until it is told to stop.

    Network, classifier and index are opened once. Photos of all requests share the batches of one
    bounded queue. docs/serve.md describes the requests. SIGTERM and SIGINT end it when what is in
    progress is answered; SIGHUP opens the files anew.

    Parameters
    ----------
    classifier : Classifier or path, optional
        What says of which class photos are: all that `penult.predict` takes.
    gallery : Features, Index, path or address, optional
        What is searched: all that `penult.search` takes, a table of a database included. Without a
        classifier, its nearest rows vote for a class.
    layer : str, optional
        Which set of rows of a feature file is the gallery; the last by default.
    images : path, str or sequence of them, optional
        Where the images of the gallery are now, if they have moved.
    host : str, default="127.0.0.1"
        Where to listen; ``"0.0.0.0"`` for all machines.
    port : int, default=8000
        0 for any that is free.
    token_file : path, optional
        A file with the token that requests have to bear, on its first line.
    token_env : str, optional
        The environment variable that holds it.
    no_auth : bool, default=False
        Answer everybody who reaches the service, although others than this machine may.
    allowed_host : sequence of str, optional
        Names that requests may call the service by, beside those of this machine: the one that a
        proxy is known by, say. ``"*"`` for any.
    label_log : path, optional
        Where labels that people correct are kept; beside the gallery's file or folder of rows by
        default, with ``.labels.jsonl`` at the end of its name, and nowhere where it is a table of a
        database or lies at an address. It is made at the first correction.
    top : int, default=5
        How many classes are listed of a photo where a request does not say.
    unlike : float or {"auto", "off"}, default="auto"
        Photos whose similarity is lower are unlike anything seen, as for `penult.predict`: of the
        classifier, or of the gallery where there is none.
    title : str, optional
        What the page is called; by what is served by default.
    access_log : bool, default=False
        Log each request to the logger ``penult.serving.middleware.access_log``: when it came, from
        where, what it was, how it was answered, and in how many milliseconds; no token.
    max_bytes : int, default=20000000
        The most bytes of a photo, and of a request's body; no more are read.
    max_total_bytes : int, optional
        The most bytes of the bodies of all requests in progress together; further ones are refused
        for a second. 500 million by default, and as many as `max_bytes` at least.
    max_pixels : int, optional
        Refuse larger photos, from their header.
    max_parts : int, default=32
        The most photos of one request.
    queue : int, default=256
        The most photos that wait for the network; further ones are refused at once.
    timeout : float, default=30.0
        Seconds that a client has to send a photo, and that it waits for an answer.
    allow_urls : bool, default=False
        Fetch photos from addresses that clients send, of the public internet alone.
    weights : path or sequence of paths, optional
        Where the backbone's weights file is now, if not where it was; of several, those that
        moved.
    offline : bool, default=False
        Never touch the network to open a backbone.
    engine : str, default="auto"
        What runs the network.
    device : str, default="auto"
        What it runs on.
    batch_size : int, optional
        Photos a call of the engine; chosen from the machine by default.
    workers : int, optional
        Decoding threads; by default the number of cores, and 8 at most for small photos.
    progress : bool or callable, optional
        As for `penult.extract`; of opening.
    on_ready : callable, optional
        Called once it listens, with its ``url`` and what ``stop`` is called to end it, from any
        thread.

    Raises
    ------
    MissingExtraError
        Without the extra ``serve``.
    UsageError
        If there is nothing to serve, an option is wrong, the port cannot be had, or others than
        this machine could ask and there is neither a token nor `no_auth`.
    OutputExistsError, LabelLogError
        If another service writes `label_log`, or it is damaged.
    PenultError
        As `penult.load_classifier` and `penult.search` do.
    """
    require_extra("the service", "serve", *_MODULES)
    from threadpoolctl import threadpool_limits

    from penult.serving.access import access_rules
    from penult.serving.engine_queue import EngineQueue
    from penult.serving.models.opening import open_served
    from penult.serving.models.sources import Sources
    from penult.serving.options import ServiceOptions
    from penult.serving.server import listen, run
    from penult.serving.service import Service

    given = [images] if isinstance(images, str | Path) else images
    sources = Sources(
        classifier=classifier,
        gallery=gallery,
        layer=layer,
        images=None if given is None else tuple(given),
        unlike=unlike,
        weights=WeightsChoice.moved(weights, offline=offline),
        engine=EngineOptions(engine=engine, device=device, batch_size=batch_size),
    )
    options = ServiceOptions(
        max_bytes=max_bytes,
        max_total_bytes=(
            max(_TOTAL_BYTES, max_bytes) if max_total_bytes is None else max_total_bytes
        ),
        top=top,
        title=title,
        access_log=access_log,
        max_pixels=MAX_PIXELS if max_pixels is None else max_pixels,
        max_parts=max_parts,
        queue=queue,
        timeout=timeout,
        allow_urls=allow_urls,
        access=access_rules(
            host,
            token=_token(token_file, token_env),
            no_auth=no_auth,
            allowed_hosts=allowed_host,
        ),
    )
    if not 0 <= port <= 65535:
        raise UsageError(f"{option('port', port)} is no port; give 1 to 65535, or 0 for a free one")
    with listen(host, port) as taken, ExitStack() as opened:
        # Few rows at a time are classified: threads of BLAS would spin on the cores that decode.
        opened.enter_context(threadpool_limits(1))
        log = _label_log(label_log, gallery)
        if log is not None:
            opened.enter_context(log)
        photos = EngineQueue(limit=options.queue, batch_wait=options.batch_wait, workers=workers)
        opened.callback(photos.close)
        with following(progress):
            served = open_served(sources, photos, max_pixels=options.max_pixels, corrections=log)
        service = Service(
            options=options,
            sources=sources,
            served=served,
            queue=photos,
            label_log=log,
            is_ready=False,
        )
        run(service, taken, on_ready=on_ready)


def _label_log(
    given: str | Path | None, gallery: Features | Index | str | Path | None
) -> LabelLog | None:
    from penult.serving.labels.log import LabelLog

    if given is not None:
        refuse_output_name(Path(given), name="label_log")
        if gallery is None:
            raise UsageError(
                f"{option('label_log', given)} keeps the labels of a gallery, and there is none; "
                f"give {option('gallery', 'FILE')} as well, or leave it out"
            )
        return LabelLog(given)
    if not isinstance(gallery, str | Path) or is_table_address(gallery):
        return None
    address = rows_address(gallery)
    if address is not None and is_url(address):
        _warn_of_no_log(f"{address} is no folder of this machine, beside which they would be kept")
        return None
    if address is not None:
        path = require_existing(Path(address), "folder of rows")
    else:
        path = require_file(Path(gallery), "a feature file or an index", [".h5", ".index"])
    try:
        return LabelLog(path.with_name(f"{path.name}.labels.jsonl"))
    except OutputError as error:  # a gallery may lie where nobody may write
        _warn_of_no_log(str(error))
        return None


def _warn_of_no_log(why: str) -> None:
    logging.getLogger("penult").warning(
        "penult: labels cannot be corrected: %s; %s says where else they may be kept",
        why,
        option("label_log", "FILE"),
    )


def _token(file: str | Path | None, variable: str | None) -> str | None:
    if file is not None and variable is not None:
        raise UsageError(
            f"{option('token_file', file)} and {option('token_env', variable)} were given; one of "
            "them has the token"
        )
    if file is not None:
        path = require_file(Path(file), "a file with a token", [], may_be_pipe=True)
        try:
            with path.open(encoding="utf-8-sig") as opened:  # as Windows' editor writes it
                found = opened.read(_MOST_OF_FILE).strip().partition("\n")[0].strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise SourceError(f"{path} cannot be read: {why}") from error
        if not found:
            raise UsageError(f"{path} is empty; make a token with: openssl rand -hex 32")
        return found
    if variable is not None:
        found = os.environ.get(variable, "").strip() if "\0" not in variable else ""
        if not found:
            raise UsageError(
                f"there is no environment variable {variable!r} with a token in it; make one with: "
                "openssl rand -hex 32"
            )
        return found
    return None
