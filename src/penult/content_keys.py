"""Images known by the digests of their bytes, whatever their names: 8 bytes each."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["NETWORK_TRAINED_ON", "TRAINED_ON", "is_among", "keys_of", "keys_to_bytes", "parse_keys"]

TRAINED_ON = "trained_on.bin"
"""Where a classifier's file keeps the keys of the images that trained it."""

NETWORK_TRAINED_ON = "network_trained_on.bin"
"""Where that of a fine-tuned network's head keeps those of the network, if they are others."""


def keys_of(digests: Iterable[str]) -> NDArray[np.uint64]:
    """Make a key of each digest; two of a million images share theirs once in 10^7 sets.

    Returns
    -------
    uint64 array, shape (n,)
        0 where a digest is empty.
    """
    found = [
        blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest() if text else bytes(8)
        for text in digests
    ]
    return parse_keys(b"".join(found))


def is_among(keys: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Say of each key, (n,), whether it is one of the others; one of 0 is not."""
    import numpy as np

    return np.isin(keys, others) & (keys > 0)


def keys_to_bytes(keys: NDArray[np.uint64]) -> bytes:
    """Write keys, each once, as `parse_keys` reads them."""
    import numpy as np

    return np.unique(keys).astype("<u8").tobytes()


def parse_keys(content: bytes) -> NDArray[np.uint64]:
    """Read keys of 8 bytes each, little-endian.

    Raises
    ------
    ValueError
        If the bytes are no whole number of keys.
    """
    import numpy as np

    return np.frombuffer(content, "<u8").astype(np.uint64)
