"""Frozen results that travel between the parts, with their shapes stated."""

from penult.records.activation_maps import ActivationMaps
from penult.records.augmented import AugmentedRows
from penult.records.augmented_record import AugmentedRecord, augmented_content
from penult.records.changes import Changes, Relabelled
from penult.records.class_activation import ClassActivation
from penult.records.class_score import Average, ClassScore
from penult.records.cluster import Cluster
from penult.records.cluster_count import ClusterCount
from penult.records.clustering import Clustering
from penult.records.compared_model import ComparedModel
from penult.records.comparison import Comparison
from penult.records.comparison_words import (
    comparison_sentences,
    comparison_tables,
    skipped_lines,
)
from penult.records.copies import Copied, MovedBack
from penult.records.dimension_statistics import DimensionStatistics
from penult.records.distance_statistics import ClassDistances, PairDistances
from penult.records.duplicate_group import DuplicateGroup
from penult.records.duplicate_pair import DuplicatePair
from penult.records.duplicates import Duplicates
from penult.records.failure import Failure
from penult.records.features import Features
from penult.records.finetune_epoch import FinetuneEpoch
from penult.records.finetuned import Finetuned
from penult.records.heat_map import HeatMap
from penult.records.held_out import HeldOut
from penult.records.hit import Hit
from penult.records.hubness import Hubness
from penult.records.image import ImageRecord
from penult.records.intrinsic_dimension import IntrinsicDimension
from penult.records.label_agreement import LabelAgreement
from penult.records.label_search_score import LabelSearchScore
from penult.records.looked import Look
from penult.records.map_quality import MapQuality
from penult.records.model_cost import ModelCost
from penult.records.model_difference import ModelDifference
from penult.records.neighbors import Neighbors
from penult.records.norm_statistics import NormStatistics
from penult.records.outlier import Outlier
from penult.records.outlier_reference import OutlierReference
from penult.records.outlier_words import REASONS
from penult.records.outliers import Outliers
from penult.records.picture_issue import PictureIssue
from penult.records.prediction import Prediction
from penult.records.predictions import Predictions
from penult.records.progress import Progress
from penult.records.region_similarity import RegionSimilarity
from penult.records.repaired_split import RepairedSplit
from penult.records.row_copies import RowCopies
from penult.records.row_map import RowMap
from penult.records.rows import Rows
from penult.records.run_scores import RunScores
from penult.records.score_interval import ScoreInterval
from penult.records.score_words import class_rows, in_words, scores_line
from penult.records.scores import Scores
from penult.records.search_averages import SearchAverages
from penult.records.search_result import SearchResult
from penult.records.search_results import SearchResults
from penult.records.search_score_words import (
    search_label_rows,
    search_score_rows,
    search_sentences,
)
from penult.records.search_scores import SearchScores
from penult.records.similarity_matrix import SimilarityMatrix
from penult.records.skipped_model import SkippedModel
from penult.records.spectrum import Spectrum
from penult.records.split_leaks import SplitLeaks
from penult.records.summary import Summary
from penult.records.threshold_count import ThresholdCount
from penult.records.vote import Vote

__all__ = [
    "REASONS",
    "ActivationMaps",
    "AugmentedRecord",
    "AugmentedRows",
    "Average",
    "Changes",
    "ClassActivation",
    "ClassDistances",
    "ClassScore",
    "Cluster",
    "ClusterCount",
    "Clustering",
    "ComparedModel",
    "Comparison",
    "Copied",
    "DimensionStatistics",
    "DuplicateGroup",
    "DuplicatePair",
    "Duplicates",
    "Failure",
    "Features",
    "FinetuneEpoch",
    "Finetuned",
    "HeatMap",
    "HeldOut",
    "Hit",
    "Hubness",
    "ImageRecord",
    "IntrinsicDimension",
    "LabelAgreement",
    "LabelSearchScore",
    "Look",
    "MapQuality",
    "ModelCost",
    "ModelDifference",
    "MovedBack",
    "Neighbors",
    "NormStatistics",
    "Outlier",
    "OutlierReference",
    "Outliers",
    "PairDistances",
    "PictureIssue",
    "Prediction",
    "Predictions",
    "Progress",
    "RegionSimilarity",
    "Relabelled",
    "RepairedSplit",
    "RowCopies",
    "RowMap",
    "Rows",
    "RunScores",
    "ScoreInterval",
    "Scores",
    "SearchAverages",
    "SearchResult",
    "SearchResults",
    "SearchScores",
    "SimilarityMatrix",
    "SkippedModel",
    "Spectrum",
    "SplitLeaks",
    "Summary",
    "ThresholdCount",
    "Vote",
    "augmented_content",
    "class_rows",
    "comparison_sentences",
    "comparison_tables",
    "in_words",
    "scores_line",
    "search_label_rows",
    "search_score_rows",
    "search_sentences",
    "skipped_lines",
]
