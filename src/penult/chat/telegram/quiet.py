"""The libraries' own log, kept away: it has the addresses that are called, and so the token."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from telegram.warnings import PTBDeprecationWarning

__all__ = ["libraries_muted"]

_LOGGERS = ("apscheduler", "httpcore", "httpx", "telegram", "tornado")


@contextmanager
def libraries_muted() -> Iterator[None]:
    """Log nothing of what the libraries have to say, until the block ends.

    httpx names each address at the level INFO, and an address of the Bot API has the token in it;
    python-telegram-bot logs whole messages at the level DEBUG, and addresses in tracebacks. What
    matters of it, the bot says itself.
    """

    def drop(_record: logging.LogRecord) -> bool:
        return False

    muted = [
        logger
        for name, logger in list(logging.root.manager.loggerDict.items())
        if isinstance(logger, logging.Logger) and name.partition(".")[0] in _LOGGERS
    ]
    muted += [logging.getLogger(name) for name in _LOGGERS]
    for logger in muted:
        logger.addFilter(drop)
    # Those that are made later have no filter; they ask the first of theirs for a level.
    before = [(name, logging.getLogger(name).level) for name in _LOGGERS]
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            # The library tells itself that it will give a timedelta one day.
            warnings.simplefilter("ignore", PTBDeprecationWarning)
            yield
    finally:
        for name, level in before:
            logging.getLogger(name).setLevel(level)
        for logger in muted:
            logger.removeFilter(drop)
