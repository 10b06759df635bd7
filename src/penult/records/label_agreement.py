"""How far clusters agree with labels."""

from __future__ import annotations

from dataclasses import dataclass

from penult.representation import short_repr

__all__ = ["LabelAgreement"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class LabelAgreement:
    """Scores of clusters against labels, over the rows that have one label.

    Rows of noise count as one more cluster, so that a method gains nothing by leaving rows out.

    Attributes
    ----------
    nmi : float
        Normalized mutual information, in [0, 1], by the arithmetic mean of both entropies. It rises
        with the number of clusters, even of random ones.
    ari : float
        Adjusted Rand index (Hubert and Arabie, 1985): 0 on average for random clusters, 1 where
        clusters and labels are the same.
    purity : float
        Share of the rows that have the label of most in their cluster; 1 for a cluster a row.
    homogeneity, completeness, v_measure : float
        Of Rosenberg and Hirschberg (2007), in [0, 1]: whether a cluster has one label, whether a
        label has one cluster, and the harmonic mean of the two, which is equal to `nmi`.
    labelled : int
        How many rows there are with one label.
    """

    nmi: float
    ari: float
    purity: float
    homogeneity: float
    completeness: float
    v_measure: float
    labelled: int
