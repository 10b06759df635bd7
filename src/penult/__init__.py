"""Turn images into feature vectors with pretrained networks, and use them.

    import penult

    features = penult.extract("photos", "features.h5")
    classifier = penult.train("features.h5")
    classifier.save("flowers.skops")
    penult.load_classifier("flowers.skops").predict("new photos")

All but the errors are imported when first used, so that ``import penult`` is quick and needs no
torch. What is public is in `__all__`, and in docs/api.md; the rest may change without notice.
"""

from __future__ import annotations

import logging
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from penult.errors import (
    BackboneError,
    ClassifierFileError,
    ClusterError,
    DatabaseError,
    EngineError,
    FeatureFileError,
    FileFormatError,
    ImageError,
    IndexFileError,
    LabelLogError,
    MissingExtraError,
    OutputError,
    OutputExistsError,
    PathNotFoundError,
    PenultError,
    RecipeMismatchError,
    ResumeError,
    SearchError,
    ServiceError,
    SourceError,
    TrainingError,
    UndoError,
    UnknownNameError,
    UnreadableFileError,
    UsageError,
    WeightsError,
    WrongFileError,
)
from penult.messages import make_printable

if TYPE_CHECKING:
    from penult.capacity.machine_plan import MachinePlan
    from penult.classify.classifier import Classifier
    from penult.classify.evaluation.result import Evaluation
    from penult.classify.export.export import Exported, export
    from penult.classify.loading import load_classifier
    from penult.classify.prediction.moves import move_back
    from penult.client import AsyncClient, Client
    from penult.combine.join import Joined, join
    from penult.combine.merge import merge
    from penult.combine.reduce import reduce
    from penult.conversion import Converted, convert
    from penult.estimators import FeatureExtractor
    from penult.extraction import extract
    from penult.extractor import Extractor
    from penult.features.read import load
    from penult.finetuning.estimator import FineTuner
    from penult.planning import Plan, plan
    from penult.quantization import Quantization, quantize
    from penult.recipe import Preprocessing, Recipe
    from penult.records import (
        Clustering,
        Comparison,
        Duplicates,
        Failure,
        Features,
        Finetuned,
        FinetuneEpoch,
        Hit,
        Look,
        MovedBack,
        Outlier,
        Outliers,
        Prediction,
        Predictions,
        RowMap,
        Scores,
        SearchResult,
        SearchResults,
        SearchScores,
        Summary,
        Vote,
    )
    from penult.reporting.make import report
    from penult.reporting.report_files import ReportFiles
    from penult.retrieve.index import Index
    from penult.tasks.apply_labels import AppliedLabels, apply_labels
    from penult.tasks.bot import bot
    from penult.tasks.clusters import cluster
    from penult.tasks.compare import compare
    from penult.tasks.duplicates import duplicates
    from penult.tasks.evaluate import evaluate
    from penult.tasks.evaluate_search import evaluate_search
    from penult.tasks.export_rows import ExportedRows, export_rows
    from penult.tasks.fetch import FetchedWeights, fetch
    from penult.tasks.finetuning import finetune
    from penult.tasks.index import index
    from penult.tasks.info import (
        ClassifierInfo,
        ConvertedInfo,
        FeaturesInfo,
        IndexInfo,
        Int8Info,
        info,
    )
    from penult.tasks.layers import LayerInfo, layers
    from penult.tasks.models import models
    from penult.tasks.outliers import outliers
    from penult.tasks.photo_look import look
    from penult.tasks.predict import predict
    from penult.tasks.pull import PulledRows, pull
    from penult.tasks.push import PushedRows, push
    from penult.tasks.row_map import map
    from penult.tasks.row_summary import summarize
    from penult.tasks.sample import WrittenSample, sample
    from penult.tasks.search import search
    from penult.tasks.serve import serve
    from penult.tasks.show_input import ShownInput, show_input
    from penult.tasks.similarity import cka, rsa
    from penult.tasks.train import train
    from penult.verification import Verification, verify

__version__ = "0.1.0"

_log = logging.getLogger("penult")
_log.addFilter(make_printable)
# A library that raises the root logger's level would mute penult's warnings with its own.
if _log.level == logging.NOTSET:
    _log.setLevel(logging.WARNING)

_HOMES = {
    "AppliedLabels": "penult.tasks.apply_labels",
    "AsyncClient": "penult.client",
    "Classifier": "penult.classify.classifier",
    "ClassifierInfo": "penult.tasks.info",
    "Client": "penult.client",
    "Comparison": "penult.records",
    "Converted": "penult.conversion",
    "ConvertedInfo": "penult.tasks.info",
    "Clustering": "penult.records",
    "Duplicates": "penult.records",
    "Evaluation": "penult.classify.evaluation.result",
    "Exported": "penult.classify.export.export",
    "ExportedRows": "penult.tasks.export_rows",
    "Extractor": "penult.extractor",
    "Failure": "penult.records",
    "FeatureExtractor": "penult.estimators",
    "Features": "penult.records",
    "FineTuner": "penult.finetuning.estimator",
    "FinetuneEpoch": "penult.records",
    "Finetuned": "penult.records",
    "FeaturesInfo": "penult.tasks.info",
    "FetchedWeights": "penult.tasks.fetch",
    "Hit": "penult.records",
    "Index": "penult.retrieve.index",
    "IndexInfo": "penult.tasks.info",
    "Int8Info": "penult.tasks.info",
    "Joined": "penult.combine.join",
    "LayerInfo": "penult.tasks.layers",
    "Plan": "penult.planning",
    "Look": "penult.records",
    "MachinePlan": "penult.capacity.machine_plan",
    "MovedBack": "penult.records",
    "Outlier": "penult.records",
    "Outliers": "penult.records",
    "Prediction": "penult.records",
    "Predictions": "penult.records",
    "Preprocessing": "penult.recipe",
    "PulledRows": "penult.tasks.pull",
    "PushedRows": "penult.tasks.push",
    "Quantization": "penult.quantization",
    "Recipe": "penult.recipe",
    "ReportFiles": "penult.reporting.report_files",
    "RowMap": "penult.records",
    "Scores": "penult.records",
    "SearchResult": "penult.records",
    "SearchResults": "penult.records",
    "SearchScores": "penult.records",
    "ShownInput": "penult.tasks.show_input",
    "Summary": "penult.records",
    "Verification": "penult.verification",
    "Vote": "penult.records",
    "WrittenSample": "penult.tasks.sample",
    "apply_labels": "penult.tasks.apply_labels",
    "bot": "penult.tasks.bot",
    "cka": "penult.tasks.similarity",
    "compare": "penult.tasks.compare",
    "cluster": "penult.tasks.clusters",
    "convert": "penult.conversion",
    "duplicates": "penult.tasks.duplicates",
    "evaluate": "penult.tasks.evaluate",
    "evaluate_search": "penult.tasks.evaluate_search",
    "export": "penult.classify.export.export",
    "export_rows": "penult.tasks.export_rows",
    "extract": "penult.extraction",
    "fetch": "penult.tasks.fetch",
    "finetune": "penult.tasks.finetuning",
    "index": "penult.tasks.index",
    "info": "penult.tasks.info",
    "join": "penult.combine.join",
    "layers": "penult.tasks.layers",
    "load": "penult.features.read",
    "load_classifier": "penult.classify.loading",
    "look": "penult.tasks.photo_look",
    "map": "penult.tasks.row_map",
    "models": "penult.tasks.models",
    "outliers": "penult.tasks.outliers",
    "merge": "penult.combine.merge",
    "move_back": "penult.classify.prediction.moves",
    "plan": "penult.planning",
    "plan_machines": "penult.tasks.plan_machines",
    "predict": "penult.tasks.predict",
    "pull": "penult.tasks.pull",
    "push": "penult.tasks.push",
    "quantize": "penult.quantization",
    "reduce": "penult.combine.reduce",
    "report": "penult.reporting.make",
    "rsa": "penult.tasks.similarity",
    "sample": "penult.tasks.sample",
    "search": "penult.tasks.search",
    "serve": "penult.tasks.serve",
    "show_input": "penult.tasks.show_input",
    "summarize": "penult.tasks.row_summary",
    "train": "penult.tasks.train",
    "verify": "penult.verification",
}

_OLD_NAMES = {"export_classifier": "export"}

__all__ = [
    "AppliedLabels",
    "AsyncClient",
    "BackboneError",
    "Classifier",
    "ClassifierFileError",
    "ClassifierInfo",
    "Client",
    "ClusterError",
    "Clustering",
    "Comparison",
    "Converted",
    "ConvertedInfo",
    "DatabaseError",
    "Duplicates",
    "EngineError",
    "Evaluation",
    "Exported",
    "ExportedRows",
    "Extractor",
    "Failure",
    "FeatureExtractor",
    "FeatureFileError",
    "Features",
    "FeaturesInfo",
    "FetchedWeights",
    "FileFormatError",
    "FineTuner",
    "FinetuneEpoch",
    "Finetuned",
    "Hit",
    "ImageError",
    "Index",
    "IndexFileError",
    "IndexInfo",
    "Int8Info",
    "Joined",
    "LabelLogError",
    "LayerInfo",
    "Look",
    "MachinePlan",
    "MissingExtraError",
    "MovedBack",
    "Outlier",
    "Outliers",
    "OutputError",
    "OutputExistsError",
    "PathNotFoundError",
    "PenultError",
    "Plan",
    "Prediction",
    "Predictions",
    "Preprocessing",
    "PulledRows",
    "PushedRows",
    "Quantization",
    "Recipe",
    "RecipeMismatchError",
    "ReportFiles",
    "ResumeError",
    "RowMap",
    "Scores",
    "SearchError",
    "SearchResult",
    "SearchResults",
    "SearchScores",
    "ServiceError",
    "ShownInput",
    "SourceError",
    "Summary",
    "TrainingError",
    "UndoError",
    "UnknownNameError",
    "UnreadableFileError",
    "UsageError",
    "Verification",
    "Vote",
    "WeightsError",
    "WrittenSample",
    "WrongFileError",
    "__version__",
    "apply_labels",
    "bot",
    "cka",
    "cluster",
    "compare",
    "convert",
    "duplicates",
    "evaluate",
    "evaluate_search",
    "export",
    "export_rows",
    "extract",
    "fetch",
    "finetune",
    "index",
    "info",
    "join",
    "layers",
    "load",
    "load_classifier",
    "look",
    "map",
    "merge",
    "models",
    "move_back",
    "outliers",
    "plan",
    "plan_machines",
    "predict",
    "pull",
    "push",
    "quantize",
    "reduce",
    "report",
    "rsa",
    "sample",
    "search",
    "serve",
    "show_input",
    "summarize",
    "train",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _OLD_NAMES:
        new = _OLD_NAMES[name]
        warnings.warn(f"penult.{name} is now called penult.{new}", FutureWarning, stacklevel=2)
        return getattr(import_module("penult"), new)
    if name not in _HOMES:
        raise AttributeError(f"module 'penult' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
