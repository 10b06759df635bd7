"""A network that could not be compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from penult.representation import short_repr

__all__ = ["SkippedModel"]


@short_repr
@dataclass(frozen=True)
class SkippedModel:
    """A network that could not be compared.

    Attributes
    ----------
    model : str
        Its name.
    reason : str
        Why, in one line.
    """

    model: str
    reason: str

    def to_dict(self) -> dict[str, str]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            ``model`` and ``reason``.
        """
        return asdict(self)
