"""The sections of the page of clusters, in its order."""

from __future__ import annotations

from penult.reporting.cluster_sections.choice import CHOICE
from penult.reporting.cluster_sections.clusters import CLUSTERS
from penult.reporting.cluster_sections.content import ClustersContent
from penult.reporting.cluster_sections.making import MAKING

__all__ = ["CLUSTER_SECTIONS", "ClustersContent"]

CLUSTER_SECTIONS = (CLUSTERS, CHOICE, MAKING)
