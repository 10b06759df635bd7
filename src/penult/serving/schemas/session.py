"""Requests for sessions, and their answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["SessionAnswer", "Token"]


class Token(BaseModel):
    """What a session is opened with."""

    model_config = ConfigDict(extra="forbid", strict=True)

    token: Annotated[str, Field(max_length=1000)]


class SessionAnswer(BaseModel):
    """Whether a token is needed, and whether this client has shown it."""

    token_needed: bool
    open: bool
