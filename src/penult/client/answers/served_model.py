"""What the service answered with."""

from __future__ import annotations

from dataclasses import dataclass

from penult.representation import short_repr

__all__ = ["ServedModel"]


@short_repr
@dataclass(frozen=True)
class ServedModel:
    """The classifier or the gallery that an answer is from.

    Attributes
    ----------
    name : str
        The name of its file.
    kind : str
        ``"classifier"`` or ``"gallery"``.
    recipe_sha256 : str
        The digest of the recipe that photos are made rows by. Rows with equal digests may be
        compared.
    version : str
        Another one when the service has loaded another file.
    """

    name: str
    kind: str
    recipe_sha256: str
    version: str
