"""Write the API reference to stdout, from the docstrings of what is public."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from typing import Any

from numpydoc.docscrape import NumpyDocString, Parameter

from penult import errors, extending

TITLE = """# Python API

What is listed here is public: it is documented, and changes only with a line in the
[changelog](../CHANGELOG.md). Anything else in the package may change without notice.
[Extending penult](extending.md) shows how what is in `penult.extending` is used.

This page is made from the docstrings, by `make docs`.
"""

# Heading, and the names below it: of `penult` itself, or of one of its modules.
GROUPS = {
    "Images to features": "extract merge join reduce plan load info verify export_rows Extractor "
    "Features Failure Verification",
    "Databases": "push pull PushedRows PulledRows",
    "Recipes": "Recipe Preprocessing",
    "Search": "search SearchResults SearchResult Hit Vote index Index records.Neighbors "
    "retrieve.index_file.parts.Recall evaluate_search SearchScores",
    "Classifiers": "train predict move_back evaluate export load_classifier Classifier Scores "
    "Prediction Predictions MovedBack Evaluation Exported",
    "Serving": "serve serving.listening.Listening",
    "Duplicates": "duplicates Duplicates records.DuplicateGroup records.DuplicatePair "
    "records.ThresholdCount records.SplitLeaks records.RepairedSplit",
    "Comparing networks": "compare cka rsa Comparison records.ComparedModel records.RunScores "
    "records.ModelCost records.ModelDifference records.SkippedModel records.SimilarityMatrix",
    "Maps": "map RowMap records.MapQuality",
    "Rows in numbers": "summarize Summary records.DimensionStatistics records.NormStatistics "
    "records.RowCopies records.Spectrum records.IntrinsicDimension records.ClassDistances "
    "records.PairDistances records.Hubness",
    "Clusters": "cluster Clustering records.Cluster records.ClusterCount records.LabelAgreement",
    "Fine-tuning": "finetune Finetuned FinetuneEpoch",
    "Outliers": "outliers Outliers Outlier records.OutlierReference records.PictureIssue",
    "Maps of a photo": "look Look records.ActivationMaps records.ClassActivation "
    "records.RegionSimilarity records.HeatMap",
    "The report": "report ReportFiles apply_labels AppliedLabels",
    "Client of the service": "Client AsyncClient client.answers.Classified "
    "client.answers.ClassProbability client.answers.Found client.answers.FoundHit "
    "client.answers.FoundVote client.answers.PhotoRows client.answers.PhotoFailure "
    "client.answers.GalleryInfo client.answers.LabelSize client.answers.ClusterSize "
    "client.answers.GalleryRows client.answers.GalleryRow client.answers.GalleryMap "
    "client.answers.ReviewQueue client.answers.ReviewItem client.answers.LabelEntries "
    "client.answers.LabelEntry client.answers.LabelHistory client.answers.LabelChanges "
    "client.answers.ChangedLabel client.answers.ServedModel",
    "A chat bot": "bot",
    "Before a run": "models layers plan_machines fetch show_input sample LayerInfo "
    "MachinePlan capacity.planned_way.PlannedWay capacity.machine_plan.PlannedStorage "
    "capacity.rates.Measured capacity.rates.SampleFacts FetchedWeights "
    "ShownInput WrittenSample",
    "Inside scikit-learn": "FeatureExtractor FineTuner",
    "Networks in a file": "convert Converted quantize Quantization",
    "Progress": "records.Progress progress.Display",
    "What these return": "Plan planning.PlannedLayer planning.Unfinished verification.Agreement "
    "classify.settings.TrainingSettings classify.settings.GridResult "
    "classify.settings.LayerResult classify.settings.SeedRuns "
    "FeaturesInfo ClassifierInfo IndexInfo Int8Info ConvertedInfo records.ClassScore "
    "records.Average records.HeldOut engines.onnx_tree.GraphInput ExportedRows Joined "
    "records.Changes records.Relabelled records.Copied records.ImageRecord records.ScoreInterval "
    "records.SearchAverages records.LabelSearchScore quantization.LayerCosine "
    "quantization.ProbeAccuracy",
    "Extending": " ".join(
        f"extending.{name}"
        for name in sorted(extending.__all__)
        if callable(getattr(extending, name))
    ),
    "Checking extensions": "testing.check_image_source testing.check_source testing.check_engine",
    "Errors": " ".join(sorted(errors.__all__, key=lambda name: name != "PenultError")),
}


def reference() -> str:
    """Return the page."""
    return "\n".join([TITLE, *contents(), *(line for group in GROUPS for line in section(group))])


def public(group: str) -> Iterator[tuple[str, Any]]:
    """Yield the objects of a group with their full names."""
    for name in GROUPS[group].split():
        module, _, last = f"penult.{name}".rpartition(".")
        yield f"penult.{name}", getattr(import_module(module), last)


def contents() -> Iterator[str]:
    """Yield a line a group, which leads to each of its objects."""
    for group in GROUPS:
        links = [f"[`{name.rpartition('.')[2]}`](#{anchor(name)})" for name, _ in public(group)]
        yield f"- {group}: {', '.join(links)}"
    yield ""


def section(group: str) -> Iterator[str]:
    """Yield the lines of a group."""
    yield f"## {group}\n"
    if group == "Errors":
        yield "```text\n" + re.search(r"PenultError\n(.+\n)+", errors.__doc__)[0] + "```\n"
    for name, value in public(group):
        yield f"### `{name}`\n"
        yield from described(value, value.__name__)
        for member, method in members(value):
            yield f"#### `{value.__name__}.{member}`\n"
            yield from described(method, member)


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the public methods and properties that penult gives a class, in order of definition."""
    seen = set()
    for base in value.__mro__ if inspect.isclass(value) else ():
        if not base.__module__.startswith("penult"):
            continue
        for name, member in vars(base).items():
            member = getattr(member, "__func__", member)  # of a classmethod
            # An asynchronous method is the twin of one that is described already.
            is_method = inspect.isfunction(member) and not inspect.iscoroutinefunction(member)
            documented = is_method or isinstance(member, property | cached_property)
            shown = name[0] != "_" or name == "__call__"
            if documented and inspect.getdoc(member) and shown and name not in seen:
                seen.add(name)
                yield name, member


def described(value: Any, name: str) -> Iterator[str]:
    """Yield what the docstring says, as Markdown."""
    doc = NumpyDocString(inspect.getdoc(value) or "")
    if inspect.isfunction(value) or doc["Parameters"]:
        yield f"```text\n{signature(value, name)}\n```\n"
    for part in ("Summary", "Extended Summary"):
        if doc[part]:
            yield linked("\n".join(doc[part])) + "\n"
    for part in ("Parameters", "Attributes", "Returns", "Yields", "Raises"):
        if doc[part]:
            yield f"**{part}**\n"
            yield from map(entry, doc[part])
            yield ""
    for part in ("Notes", "Examples"):
        if doc[part]:
            yield f"**{part}**\n\n" + linked("\n".join(doc[part])) + "\n"


def entry(one: Parameter) -> str:
    """Return an item of a list: the name, its type, and below them what it is."""
    names = ", ".join(f"`{name}`" for name in one.name.split(", ") if name)
    kind = linked(re.sub(r"([*<])", r"\\\1", one.type), bare=True)
    text = "".join(f"\n  {line}".rstrip() for line in one.desc)
    return f"- {' : '.join(filter(None, (names, kind)))}\\{linked(text)}"


def signature(value: Any, name: str) -> str:
    """Return how it is called: on one line if there is room, else a parameter a line."""
    found = inspect.signature(value)
    taken = [
        p.replace(annotation=p.empty, default=... if len(repr(p.default)) > 40 else p.default)
        for p in found.parameters.values()
        if p.name not in ("self", "cls")
    ]
    text = str(found.replace(parameters=taken, return_annotation=found.empty))
    text = text.replace("=Ellipsis", "=...")  # a default that is too long to be shown
    if len(name + text) <= 96:
        return name + text
    parts = re.split(r", (?=[\w*]+(?:=|,|\)|$))", text[1:-1])
    return "\n".join([f"{name}(", *(f"    {part}," for part in parts), ")"])


def linked(text: str, *, bare: bool = False) -> str:
    """Make the names of public classes lead to them: those in backticks, or all of a type."""

    def link(match: re.Match[str]) -> str:
        name = match[1]
        return f"[`{name}`](#{anchor(ANCHORS[name])})" if name in ANCHORS else match[0]

    text = re.sub(r"``([^`]+)``", r"`\1`", text)
    return re.sub(r"\b([A-Z]\w+)\b" if bare else r"`([A-Z]\w+)`", link, text)


def anchor(name: str) -> str:
    """Return what a heading of that text is called in a link."""
    return re.sub(r"[^\w-]", "", name.lower())


ANCHORS = {name.rpartition(".")[2]: name for group in GROUPS for name, _ in public(group)}

if __name__ == "__main__":
    sys.stdout.write(reference())
