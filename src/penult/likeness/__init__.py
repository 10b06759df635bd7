"""Whether a row is like any that were seen: those that trained a classifier, or a gallery's."""

from penult.likeness.likeness import Likeness

__all__ = ["Likeness"]
