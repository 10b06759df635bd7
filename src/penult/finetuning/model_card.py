"""The card of a fine-tuned network: what it is, how good it is, and how it is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from penult.backbones.checkpoint_folder import PART_TABLE, PHOTOS
from penult.backbones.registry import resolve
from penult.comparison.few_images import are_few
from penult.errors import PenultError
from penult.wording import (
    count,
    interval,
    listed,
    no_estimate,
    p_value,
    params_in_words,
    percent,
    points,
)
from penult.written import CURVES

if TYPE_CHECKING:
    from penult.finetuning.finetuned_model import FinetunedModel

__all__ = ["base_licence", "model_card"]

_PARTS = {
    "test": "test: neither trained on nor used to choose anything",
    "validation": "validation: by which training was stopped",
    "probe": "test, by a classifier on the rows of the network as it was (the probe), fitted on "
    "the training and the validation images",
}


def base_licence(architecture: str) -> str | None:
    """Find the licence of the weights that fine-tuning began with.

    Parameters
    ----------
    architecture : str
        Name of the backbone, with its source.

    Returns
    -------
    str or None
        As the source states it; None where it states none.
    """
    try:
        source, _ = resolve(architecture)
        known = (info.licence for info in source.models() if info.name == architecture)
        return next(known, None)
    except PenultError:  # of a source that is not installed
        return None


def model_card(name: str, model: FinetunedModel) -> str:
    """Write the card as Markdown, with the header that model hubs read.

    Parameters
    ----------
    name : str
        Of the folder, e.g. ``"flowers.ckpt"``.
    model : FinetunedModel
        What the card is of.
    """
    return "\n".join(_lines(name, model)) + "\n"


def _lines(name: str, model: FinetunedModel) -> Iterator[str]:
    licence = base_licence(model.architecture)
    head, labels = model.head, model.head.label_names
    yield from ("---", "library_name: penult", "pipeline_tag: image-classification")
    if licence is not None:
        yield f"license: {licence}"
    yield from ("---", "", f"# {name}", "")
    what = f"tell {count(len(labels), 'class')} apart"
    if head.thresholds:
        what = f"find which of {count(len(labels), 'label')} an image has, perhaps several of them"
    yield (
        f"{model.architecture}, fine-tuned by penult to {what}, with a "
        f"{'linear head' if not head.hidden else f'head {head.name}'}."
    )
    if model.verdict:
        yield from ("", model.verdict)
    yield from ("", "## Scores", "")
    yield from _scores(model)
    yield from ("", "## Data", "")
    yield (
        f"{f'{_plain(model.data)}: ' if model.data else ''}"
        f"{count(model.train_images, 'training image')}, "
        f"{count(model.validation_images, 'validation image')}, "
        f"{count(model.scores.images, 'test image') if _is_tested(model) else 'no test image'}."
    )
    for reason, images in model.left_out.items():
        yield f"Left out: {count(images, 'image')}, {_plain(reason)}."
    yield (
        f"`{PART_TABLE}` and `{PHOTOS}` name each of them, and `{PHOTOS}` says where they were: "
        "delete both before you publish the folder, which predicts without them."
    )
    yield from ("", "| class | training images |", "|---|---:|")
    for label in labels:
        yield f"| {_plain(label)} | {model.classes.get(label, 0):,} |"
    yield from ("", "## Training", "")
    if "parameters" in model.summary:
        yield from (*_learnt(model.summary), "")
    asked = {name: "yes" if value is True else value for name, value in model.options.items()}
    options = _plain(params_in_words(asked))
    yield f"{options or 'With the default options'}; seed {model.seed}."
    if head.temperature != 1:
        yield f"Probabilities are calibrated by a temperature of {head.temperature:.3g}."
    if model.summary.get("epochs"):
        yield from ("", f"![Losses, and the accuracy on validation images]({CURVES})", "")
        yield from (*_about_losses(model.options), "")
    height, width = model.preprocessing.input_size
    yield f"The network sees {width} × {height} pixels."
    yield from ("", "## Licence", "")
    yield (
        f"The weights it began with, {model.architecture}, "
        f"{f'are under {licence}' if licence else 'state no licence that penult knows'}. What the "
        "training images allow is for whoever trained it to say."
    )
    yield from ("", "## Use", "", "```console")
    yield f"$ penult predict {name} PHOTOS"
    yield f"$ penult extract PHOTOS --model {name} -o rows.h5"
    yield f"$ penult export {name} -o {name.rsplit('.', 1)[0]}.onnx"
    if model.summary.get("difference") and not _beats(model.summary):
        yield "# A classifier of the kind of the probe, on the same photos in the same parts:"
        yield (
            f"$ penult extract PHOTOS --model {model.architecture} --labels {name}/{PART_TABLE} "
            "-o before.h5"
        )
        yield "$ penult train before.h5"
    yield from ("```", "", "```python", "import penult", "")
    yield f'for found in penult.predict("{name}", "PHOTOS"):'
    yield from ("    print(found)", "```")


def _scores(model: FinetunedModel) -> Iterator[str]:
    summary = model.summary
    if model.head.thresholds:
        yield from ("| images | every label right | mean average precision |", "|---|---:|---:|")
    else:
        yield from ("| images | accuracy |", "|---|---:|")
    for part, told in _PARTS.items():
        accuracy = _number(summary, part, "accuracy")
        if accuracy is not None:
            precision = _number(summary, part, "mean_average_precision")
            more = "" if precision is None else f" {precision:.3f} |"
            yield f"| {told} | {percent(accuracy)} |{more}"
    trained = summary.get("trained_network")
    if isinstance(trained, int) and trained and _is_tested(model):
        yield from ("", f"{no_estimate(trained, model.scores.images, 'test image')}.".capitalize())
        apart = [_number(summary, "untrained", name) for name in ("images", "accuracy", "probe")]
        if None not in apart:
            images, accuracy, probe = (one or 0.0 for one in apart)
            yield (
                f"On the other {int(images):,}: {percent(accuracy)}, and {percent(probe)} by the "
                "classifier on the network as it was."
            )
    if not _is_tested(model):
        yield from ("", "There is no test score: no image was held out. Validation scores flatter.")
    elif model.scores.interval is not None:
        share = "of test images of which every label is right"
        of = share if model.head.thresholds else "of the test accuracy"
        yield from ("", f"95% interval {of}: {interval(model.scores.interval)}.")
    low, high, p = (_number(summary, "difference", name) for name in ("low", "high", "p"))
    compared = _number(summary, "difference", "images")
    # Of few images it looks more certain than it is, down to 0 to 0; the verdict says so.
    few = compared is not None and are_few(int(compared)) and not _beats(summary)
    if low is not None and high is not None and not few:
        yield (
            "95% interval of the difference to the classifier on the network as it was: "
            f"{points(low)} to {points(high)} points{'' if p is None else f' ({p_value(p)})'}."
        )


def _is_tested(model: FinetunedModel) -> bool:
    return model.summary.get("test") is not None


def _about_losses(options: Mapping[str, Any]) -> Iterator[str]:
    """What the curves do not show."""
    photos = "" if options.get("augment") == "none" else ", on images that are changed at random"
    yield (
        f"The training loss is taken while an epoch goes on{photos}; the validation loss after "
        "it, at a temperature fitted on the validation images anew: epochs are compared by what "
        "they can tell apart, and not by how sure they are. So the one may lie on either side of "
        "the other."
    )


def _learnt(summary: Mapping[str, Any]) -> Iterator[str]:
    blocks = summary.get("unfrozen", ())
    trained = "" if summary.get("trained", True) else ", which was not kept"
    what = f"{_plain(listed(blocks, 4))} and the head" if blocks else "The head alone"
    frozen = summary.get("frozen_parameters", 0)
    yield (
        f"{what} learnt{trained}: {count(summary['parameters'], 'parameter')}, while {frozen:,} "
        "stayed as they were."
    )
    last = next((one.get("epoch") for one in reversed(summary.get("epochs", ()))), None)
    if last is not None and summary.get("best_epoch") is not None:
        best = summary["best_epoch"]
        yield f"Epoch {best:,} of {last:,} was kept{', which is the start' if best == 0 else ''}."
    if summary.get("wise_ft") is not None and summary.get("best_epoch") != 0:
        share = percent(summary["wise_ft"], 0)
        yield f"In the average with the weights of the start, its own have a share of {share}."


def _beats(summary: Mapping[str, Any]) -> bool:
    """Whether it is better than the probe by more than noise."""
    found = summary.get("difference") or {}
    return bool(found.get("separable")) and found.get("low", 0) >= 0


def _number(summary: Mapping[str, Any], part: str, name: str) -> float | None:
    found = summary.get(part)
    value = found.get(name) if isinstance(found, Mapping) else None
    return float(value) if isinstance(value, int | float) else None


def _plain(text: str) -> str:
    """A text from outside on one line of Markdown, and in one cell of a table."""
    one_line = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in "\\|`*_<>[]#" else sign for sign in one_line)
