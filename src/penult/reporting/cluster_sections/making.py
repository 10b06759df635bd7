"""How clusters were made, what their scores mean, and how to have them again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.interface import as_argument, shell_quote
from penult.reporting.cluster_sections.content import ClustersContent
from penult.web.section import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["MAKING"]


def _content(shown: ClustersContent, thumbnails: Thumbnails) -> Mapping[str, Any]:
    found = shown.clustering
    words = ["penult", "cluster", as_argument(shown.file), "--layer", found.layer]
    if found.method != "kmeans":
        words += ["--method", found.method]
    if found.method == "hdbscan":
        words += ["--min-cluster-size", str(found.params["min_cluster_size"])]
    elif found.k:
        words += ["-k", str(found.k)]
    if found.metric != "cosine":
        words += ["--metric", found.metric]
    if found.params.get("seed"):
        words += ["--seed", str(found.params["seed"])]
    again = " ".join(map(shell_quote, words))
    return {
        "again": [f"{again} -o clusters.csv --overwrite", f"{again} --sort-into sorted"],
        "clustering": found,
    }


MAKING = Section[ClustersContent](name="making", title="How it was made", content=_content)
