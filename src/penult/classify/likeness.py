"""The place where pickles of older versions look for what `penult.likeness` holds."""

from penult.likeness import Likeness
from penult.likeness.threshold import Usual

__all__ = ["Likeness", "Usual"]

_Usual = Usual
"""The name that still older pickles have for it."""
