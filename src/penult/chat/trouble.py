"""What people are told where the service does not answer as it should."""

from __future__ import annotations

import logging
import math

from penult.errors import PenultError, ServiceError
from penult.wording import count

__all__ = ["spoken"]

_log = logging.getLogger(__name__)

_OF_THE_PHOTO = (400, 413, 415, 422)
_NOT_POSSIBLE = (404, 409)  # what was asked about has changed meanwhile
_OF_THE_OPERATOR = (401, 403)
_UNREACHABLE = (None, 502, 504)  # of a proxy before it
_BROKEN = "Something went wrong in the service that looks at photos. Please try again later."


def spoken(error: PenultError) -> str:
    """Say in a sentence what went wrong, to who has sent a photo or pressed a button.

    Parameters
    ----------
    error : PenultError
        What the client raised.
    """
    if not isinstance(error, ServiceError):
        _log.error("the service could not be asked (%s)", type(error).__name__)
        return _BROKEN
    status = error.status
    said = str(error).rstrip(".")
    # An answer of a proxy before the service names its address, which is no user's business.
    if status in _OF_THE_PHOTO:
        return "I cannot use that photo." if "://" in said else f"I cannot use that: {said}."
    if status in _NOT_POSSIBLE and "://" not in said:
        return f"That cannot be done: {said}."
    if status in _OF_THE_OPERATOR:
        _log.error("the service refuses the bot (%s); it needs the service's token", status)
        return "The service does not let me in. Whoever runs this bot has to see to that."
    if status in (429, 503):
        _log.warning("the service is full or not ready (%s)", status)
        return "The service has too much to do just now. Please try again in a minute."
    if status in _UNREACHABLE:
        _log.warning("the service cannot be reached")
        return "I cannot reach the service that looks at photos. Please try again in a few minutes."
    _log.error("the service answered with status %s", status)
    return _BROKEN


def asked_to_wait(seconds: float) -> str:
    """Say how long somebody has to wait who has sent too much."""
    return f"That is more than I can look at. Please wait {count(math.ceil(seconds), 'second')}."
