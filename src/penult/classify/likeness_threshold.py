"""The place where pickles of older versions look for what `penult.likeness.threshold` holds."""

from penult.likeness.threshold import Usual

__all__ = ["Usual"]
