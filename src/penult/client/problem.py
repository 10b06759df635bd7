"""What the service says is wrong, as an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from penult.errors import ServiceError
from penult.interface import command
from penult.parsing import read_json

if TYPE_CHECKING:
    import httpx

__all__ = ["answer_of_another", "failure_of", "unreachable"]

_STANDARD = ("type", "title", "status", "detail", "instance")  # of RFC 9457


def failure_of(response: httpx.Response) -> ServiceError:
    """Return the error of a response that is none of success: the sentence of its problem."""
    status = response.status_code
    try:
        problem = read_json(response.content)
    except ValueError:
        problem = None
    if isinstance(problem, Mapping) and isinstance(said := problem.get("detail"), str) and said:
        more = {name: value for name, value in problem.items() if name not in _STANDARD}
        return ServiceError(said, status, more)
    reason = f"{status} {response.reason_phrase}".strip()
    if response.has_redirect_location:
        return ServiceError(
            f"{_place(response)} leads to {response.headers['location']} ({reason}); give that "
            "address",
            status,
        )
    return ServiceError(f"{_place(response)} answered {reason}", status)


def answer_of_another(response: httpx.Response, error: Exception) -> ServiceError:
    """Return the error of a response of success that cannot be read."""
    return ServiceError(
        f"{_place(response)} gave an answer that cannot be read: {error}; is it penult's service, "
        "and of this version?",
        response.status_code,
    )


def unreachable(url: str, error: httpx.RequestError) -> ServiceError:
    """Return the error of a service that gave no answer."""
    import httpx

    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        why = str(error) or "no answer"
        return ServiceError(f"no service at {url} ({why}); start one with {command('serve')}")
    if isinstance(error, httpx.TimeoutException):
        return ServiceError(f"{url} did not answer in time")
    why = str(error) or type(error).__name__
    return ServiceError(f"the connection to {url} broke off ({why})")


def _place(response: httpx.Response) -> str:
    return str(response.request.url.copy_with(query=None))
