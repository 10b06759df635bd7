"""How alike the rows of each two networks are: worked out once, and kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from math import isfinite, isnan, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from penult.combine.matching import match_rows
from penult.errors import FileFormatError
from penult.inputs import refuse_unread
from penult.output import atomic_text
from penult.parsing import read_json, to_record
from penult.records import Features, Progress, SimilarityMatrix
from penult.similarity import null, rsa
from penult.similarity.cka import LEAST_ROWS, debiased_cka, within
from penult.similarity.rows import MEMORY, CenteredRows, RowBlocks, draw_pair
from penult.texts import composed

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PairSimilarity", "find_similarities"]

_FORMAT = 1
# Of what a kept value depends on besides the rows. Whoever changes a formula, or how images are
# drawn, counts it up, and all is worked out anew.
_METHOD = 1


@dataclass(frozen=True, kw_only=True)
class PairSimilarity:
    """How alike the rows of two networks are, as it is kept in a file.

    Attributes
    ----------
    names : tuple of str, length 2
        Of the networks, sorted.
    of : str
        A digest of all that the values depend on.
    n, rsa_n, null_n : int
        Of how many images CKA is, RSA, and the null of both.
    cka, rsa : float or None
        The values; None where there is none.
    cka_p, rsa_p, cka_high, rsa_high : float or None
        Of the null: the p-value, and the 95% quantile.
    cka_alone, rsa_alone : tuple of bool, length 2
        Whether either network is like itself: not where all of its rows are the same.
    """

    names: tuple[str, str]
    of: str
    n: int
    rsa_n: int
    null_n: int
    cka: float | None = None
    cka_p: float | None = None
    cka_high: float | None = None
    cka_alone: tuple[bool, bool] = (False, False)
    rsa: float | None = None
    rsa_p: float | None = None
    rsa_high: float | None = None
    rsa_alone: tuple[bool, bool] = (False, False)


def find_similarities(
    rows: Mapping[str, Features],
    *,
    kept: Path | None,
    seed: int,
    tell: Callable[[Progress], None],
) -> tuple[SimilarityMatrix, SimilarityMatrix]:
    """Compare the representations of each two networks.

    The images of a pair are those that both have rows of, matched by id and digest, whichever other
    networks there are: so a pair stays as it is when networks are added, and is not worked out
    again. Where some networks lack images, pairs are of different images then; the matrices tell
    the fewest that any pair is of. RSA of more than `rsa.SAMPLE` images, and the null of more than
    `null.SAMPLE`, are of so many that `seed` draws from the ids of the pair.

    Parameters
    ----------
    rows : mapping of str to Features
        Each network's rows, by its name; in memory, or read where they are needed.
    kept : Path or None
        JSON file of the pairs that are finished. It is written after each, so that what is killed
        loses one pair at the most. A value is taken from it if nothing has changed: names, recipes,
        ids, the images' digests, `seed`, and penult's own way of computing it.
    seed : int
        Of the images that are drawn, and of the permutations.
    tell : callable
        Told of each pair.

    Returns
    -------
    cka, rsa : SimilarityMatrix
        The networks in the order of `rows`. NaN for a pair of fewer than 4 images, or where a
        network has no value with itself.

    Raises
    ------
    SourceError
        If two networks have no image in common.
    UsageError
        If rows hold a NaN or an infinity.
    FileFormatError
        If the file is damaged.
    """
    found = {} if kept is None else _read(kept)
    of = {name: _digest_of_rows(features) for name, features in rows.items()}
    measured = _Measured(rows, seed)
    digests: dict[tuple[str, ...], str] = {
        (first, second): _digest(
            [_METHOD, seed, null.PERMUTATIONS, rsa.SAMPLE, null.SAMPLE, of[first], of[second]]
        )
        for first, second in (sorted(pair) for pair in combinations(rows, 2))
    }
    pairs = {
        names: known
        for names, digest in digests.items()
        if (known := found.get(names)) is not None and known.of == digest
    }
    taken = len(pairs)
    for names, digest in digests.items():
        if names in pairs:
            continue
        pairs[names] = found[names] = measured.pair(names[0], names[1], digest)
        if kept is not None:
            _write(kept, found.values())
        tell(Progress(len(pairs), len(digests), 0, kept=taken, stage="similarity", unit="pairs"))
    return _matrix("cka", tuple(rows), pairs), _matrix("rsa", tuple(rows), pairs)


class _Measured:
    """Networks that are compared; what is known of one alone serves all of its pairs."""

    def __init__(self, rows: Mapping[str, Features], seed: int) -> None:
        self._rows, self._seed = rows, seed
        self._alone: dict[_Key, tuple[CenteredRows, float]] = {}
        self._ranks: dict[_Key, NDArray[np.float64]] = {}

    def pair(self, first: str, second: str, of: str) -> PairSimilarity:
        features = [self._rows[first], self._rows[second]]
        places = match_rows(features).places
        n = len(places[0])
        a, b = (
            RowBlocks(one.features, name, at, [composed(str(one.ids[k])) for k in at])
            for name, one, at in zip((first, second), features, places, strict=True)
        )
        some = draw_pair(a, b, rsa.SAMPLE, self._seed)
        few = draw_pair(a, b, null.SAMPLE, self._seed)
        nothing = PairSimilarity(
            names=(first, second), of=of, n=n, rsa_n=len(some[0]), null_n=len(few[0])
        )
        if n < LEAST_ROWS:
            return nothing
        (centered_a, own_a), (centered_b, own_b) = self._centered(a), self._centered(b)
        ranks = [self._ranked(*both) for both in zip((a, b), some, strict=True)]
        cka_null = null.cka_null(*few, seed=self._seed)
        rsa_null = null.rsa_null(*few, seed=self._seed)
        return replace(
            nothing,
            cka=_known(debiased_cka(centered_a, centered_b, own=(own_a, own_b))),
            cka_p=_known(cka_null.p),
            cka_high=_known(cka_null.high),
            cka_alone=(not isnan(own_a), not isnan(own_b)),
            rsa=_known(rsa.correlate(*ranks)),
            rsa_p=_known(rsa_null.p),
            rsa_high=_known(rsa_null.high),
            rsa_alone=(_is_like_itself(ranks[0]), _is_like_itself(ranks[1])),
        )

    def _centered(self, rows: RowBlocks) -> tuple[CenteredRows, float]:
        key = _key(rows)
        if key not in self._alone:
            centered = CenteredRows(rows)
            self._alone[key] = (centered, within(centered))
        return self._alone[key]

    def _ranked(self, rows: RowBlocks, some: RowBlocks) -> NDArray[np.float64]:
        """How unlike each two of some rows are, which are drawn of all by what these are."""
        key = _key(rows)
        if key in self._ranks:
            return self._ranks[key]
        ranks = rsa.ranks(rsa.dissimilarities(some))
        if ranks.nbytes + sum(one.nbytes for one in self._ranks.values()) <= MEMORY:
            self._ranks[key] = ranks
        return ranks


_Key = tuple[str, bytes]


def _key(rows: RowBlocks) -> _Key:
    """Which rows of which network."""
    assert rows.places is not None
    return rows.name, hashlib.blake2b(rows.places.tobytes()).digest()


def _is_like_itself(ranks: NDArray[np.float64]) -> bool:
    return not isnan(rsa.correlate(ranks, ranks))


def _digest_of_rows(features: Features) -> str:
    """What says which rows these are, without reading them."""
    rows, content = features.features, features.content
    return _digest(
        [
            features.recipe.to_json(),
            [list(rows.shape), str(rows.dtype)],
            [composed(str(one)) for one in features.ids],
            [str(one) for one in (() if content is None else content)],
        ]
    )


def _digest(of: list[Any]) -> str:
    return hashlib.blake2b(json.dumps(of).encode(), digest_size=16).hexdigest()


def _matrix(
    measure: Literal["cka", "rsa"],
    names: tuple[str, ...],
    pairs: Mapping[tuple[str, ...], PairSimilarity],
) -> SimilarityMatrix:
    matrix, p = np.eye(len(names)), np.full((len(names),) * 2, nan)
    for i, j in combinations(range(len(names)), 2):
        pair = pairs[tuple(sorted((names[i], names[j])))]
        matrix[i, j] = matrix[j, i] = _number(getattr(pair, measure))
        p[i, j] = p[j, i] = _number(getattr(pair, f"{measure}_p"))
        for k in (i, j):
            if not getattr(pair, f"{measure}_alone")[pair.names.index(names[k])]:
                matrix[k, k] = nan
    n = "n" if measure == "cka" else "rsa_n"
    highs = [_number(getattr(pair, f"{measure}_high")) for pair in pairs.values()]
    return SimilarityMatrix(
        measure=measure,
        names=names,
        matrix=tuple(map(tuple, matrix.tolist())),
        p=tuple(map(tuple, p.tolist())),
        n=min((getattr(pair, n) for pair in pairs.values()), default=0),
        null_n=min((pair.null_n for pair in pairs.values()), default=0),
        null_high=max((high for high in highs if isfinite(high)), default=nan),
        permutations=null.PERMUTATIONS,
    )


def _known(value: float) -> float | None:
    return value if isfinite(value) else None


def _number(value: float | None) -> float:
    return nan if value is None else value


def _read(path: Path) -> dict[tuple[str, ...], PairSimilarity]:
    if not path.is_file():
        return {}
    try:
        data = read_json(path.read_bytes())
        if data["format"] != _FORMAT:
            return {}  # of another penult; it is written anew
        found = [_pair(one) for one in data["pairs"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        refuse_unread(path, error)
        raise FileFormatError(
            f"{path} is damaged, and is not what penult wrote ({error}); remove it, and it is made "
            "anew"
        ) from error
    return {one.names: one for one in found}


def _pair(data: Any) -> PairSimilarity:
    pair = to_record(PairSimilarity, data)
    if not all(isfinite(value) for value in asdict(pair).values() if isinstance(value, float)):
        raise FileFormatError(f"a value of {' and '.join(pair.names)} is no number")
    return pair


def _write(path: Path, pairs: Iterable[PairSimilarity]) -> None:
    with atomic_text(path, overwrite=True) as file:
        json.dump({"format": _FORMAT, "pairs": [asdict(one) for one in pairs]}, file, indent=1)
        file.write("\n")
