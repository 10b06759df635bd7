"""The tables and sentences that several commands print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from penult.classify.outcome import layers_rows, trials_rows
from penult.cli.console import Table, say, say_some
from penult.interface import option
from penult.records import class_rows, scores_line
from penult.wording import count, listed, no_estimate, params_in_words, percent, ratio

if TYPE_CHECKING:
    from penult.classify.settings import TrainingSettings
    from penult.likeness import Likeness
    from penult.recipe import BackboneRecipe, Recipe
    from penult.records import Scores

__all__ = [
    "class_table",
    "converted_card",
    "copies_line",
    "gallery_likeness_line",
    "grid_line",
    "int8_card",
    "layer_line",
    "layers_table",
    "likeness_line",
    "marked_line",
    "recipe_table",
    "reduction_line",
    "say_accuracy",
    "say_left_out",
    "scores_table",
    "strays_line",
    "trials_table",
]

_SHOWN_STRAYS = 5
_SIDE_BY_SIDE = 3  # networks; of more, the columns would be too narrow to read


def class_table(scores: Scores) -> None:
    """Show the scores of every class; of several labels an image, average precision as well."""
    rows = class_rows(scores)
    table = Table(rows[0], right=rows[0][1:])
    for row in rows[1:]:
        table.add_row(*row)
    table.show()


def say_accuracy(scores: Scores, *, seen: bool = False) -> None:
    """Say the accuracy, and how far it can be trusted where the images are few.

    Of images that trained the classifier (`seen`), it is no estimate that might be sure or unsure.
    """
    from penult.classify.metrics.scores import caution

    line = None if seen else caution(scores)
    say(scores_line(scores, with_interval=not seen and line is None))
    if line:
        say(line)


def scores_table(scores: Scores) -> None:
    """Show every score there is beside the accuracy."""
    table = Table(("score", "value"), right=("value",))
    averages = (
        (scores.micro, "micro"),
        (scores.macro, "macro"),
        (scores.weighted, "weighted"),
    )
    for average, name in averages:
        if average is not None:
            table.add_row(
                f"{name} precision, recall, F1",
                "  ".join(ratio(v, 3) for v in (average.precision, average.recall, average.f1)),
            )
    for name, value, best in (
        ("mean average precision", scores.mean_average_precision, 1),
        ("top-5 accuracy", scores.top5, 1),
        ("balanced accuracy", scores.balanced_accuracy, 1),
        ("macro soft F1", scores.soft_f1, 1),
        ("log-loss, nats", scores.log_loss, 0),
        ("calibration error", scores.calibration_error, 0),
    ):
        if value is not None:
            table.add_row(name, ratio(value, 3) if best else f"{value:.3f}")
    if len(table):
        table.show()


def trials_table(settings: TrainingSettings) -> None:
    """Show the best candidate of each kind of classifier, where several were tried."""
    _show(trials_rows(settings), left=2)


def layers_table(settings: TrainingSettings, chosen: str) -> None:
    """Show the accuracy of each layer's probe, where there are several, and mark the chosen one."""
    _show(layers_rows(settings, chosen), left=1)


def _show(rows: Sequence[Sequence[str]], *, left: int) -> None:
    if not rows:
        return
    table = Table(rows[0], right=rows[0][left:])
    for row in rows[1:]:
        table.add_row(*row)
    table.show()


def layer_line(settings: TrainingSettings, chosen: str) -> str | None:
    """Return which layer was chosen, where there were several, and how."""
    tried, there = settings.layers, settings.file_layers
    if len(tried) < 2:
        if len(there) < 2:
            return None
        place = "the last" if chosen == there[-1] else "one"
        return f"layer {chosen}, {place} of {len(there)}; --layer all tries all"
    best = max(result.cross_validated for result in tried)
    tied = [
        result.layer
        for result in tried
        if result.cross_validated == best and result.layer != chosen
    ]
    also = f", tied with {listed(tied)}; taken because it comes first in the network" * bool(tied)
    return (
        f"layer {chosen}: the best of {len(tried)} by cross-validation{also}; the held-out "
        "images had no part in the choice"
    )


def grid_line(settings: TrainingSettings) -> str:
    """Return what the grid search chose, and from what."""
    balanced = settings.class_weight and f"{settings.class_weight} classes"
    params = params_in_words(settings.params)
    chosen = ", ".join(filter(None, (settings.classifier, params, balanced)))
    if not settings.folds:
        return f"{chosen}, trained on {settings.images_in_words} together with its network"
    tried = len(settings.grid)
    searched = f"the best of {tried} by" if tried > 1 else "by"
    images, refitted = settings.images_in_words, ""
    if settings.refit:
        again = images if settings.augmented else f"{settings.train_images:,}"
        refitted = f", then fitted again on {again}"
        images = count(sum(settings.classes.values()), "image")
    return (
        f"{chosen}: {searched} {settings.folds}-fold cross-validation on "
        f"{images}{refitted}{_not_tried(settings)}"
    )


def reduction_line(settings: TrainingSettings) -> str | None:
    """Return what rows are reduced to, if they are, and what that keeps."""
    words = settings.reduction_in_words
    return words and f"rows reduced to {words} of the rows it was trained on"


def likeness_line(likeness: Likeness | None, held_out: int = 0) -> str:
    """Return from what on a photo is called unlike those that trained a classifier."""
    if likeness is None:
        return (
            "what is unlike its training photos: not known, for it was trained by an older penult, "
            "or on fewer than six photos"
        )
    line = (
        f"called unlike its training photos: a photo whose cosine to the {likeness.neighbours}th "
        f"nearest of {count(likeness.kept, 'training row')} is below {likeness.threshold:.3f}"
    )
    return f"{line}; {marked_line(likeness, held_out) or _as_meant(likeness, held_out)}"


def gallery_likeness_line(likeness: Likeness) -> str:
    """Return from what on a photo is called unlike the rows of an index."""
    return (
        f"called unlike its rows: a photo whose cosine to the {likeness.neighbours}th nearest of "
        f"{count(likeness.kept, 'row')} kept is below {likeness.threshold:.3f}; that is meant to "
        f"mark {likeness.share:.0%} of new photos like its own"
    )


def marked_line(likeness: Likeness | None, held_out: int) -> str | None:
    """Return how many held-out photos are marked as unlike, where they are more than was meant.

    Also where the threshold was lowered, since they were.
    """
    if likeness is None or likeness.held_out_share is None:
        return None
    marked = round(likeness.held_out_share * held_out)
    most = f"than the {likeness.share:.0%} that is meant"
    if likeness.lowered_from is not None:
        return (
            f"the level marked more of the held-out photos {most}, and was lowered from "
            f"{likeness.lowered_from:.3f}: now {marked:,} of {held_out:,}, and perhaps more of new "
            "photos; more varied training photos would help"
        )
    if likeness.is_high(marked, held_out):
        return (
            f"{marked:,} of {held_out:,} held-out photos are marked as unlike, more {most}; "
            "more varied training photos would help, or a lower level when predicting: "
            f"{option('unlike')}"
        )
    return None


def _as_meant(likeness: Likeness, held_out: int) -> str:
    line = f"that is meant to mark {likeness.share:.0%} of new photos of its classes by mistake"
    if likeness.held_out_share is None or not held_out:
        return line
    marked = round(likeness.held_out_share * held_out)
    return f"{line}, and marks {marked:,} of {held_out:,} held-out photos"


def strays_line(likeness: Likeness | None) -> str | None:
    """Return which training photos are themselves unlike the others, if any are."""
    if likeness is None or not likeness.strays:
        return None
    are, them = ("is", "it") if len(likeness.strays) == 1 else ("are", "them")
    # They were found before the level was lowered.
    level = likeness.threshold if likeness.lowered_from is None else likeness.lowered_from
    return (
        f"{len(likeness.strays):,} of {likeness.calibrated:,} training photos {are} unlike the "
        f"others (cosine to the {likeness.neighbours}th nearest, of any class, below {level:.3f}): "
        f"{listed(likeness.strays, _SHOWN_STRAYS)}; look at {them}, proper ones may stay"
    )


def _not_tried(settings: TrainingSettings) -> str:
    if not settings.not_tried:
        return ""
    untried = " and ".join(params_in_words(params) for params in settings.not_tried)
    return f"; {untried} not tried, for scores had clearly passed their best"


def copies_line(settings: TrainingSettings) -> str | None:
    """Return how many images are the same as others, where some are."""
    if not settings.copies:
        return None
    alike = "identical to" if settings.near_duplicates is None else "a near-duplicate of"
    return f"{alike} another image, and kept in the same part: {settings.copies:,}"


def say_left_out(left_out: Mapping[str, int]) -> None:
    """Say how many images neither trained nor were held out, and why."""
    lines = [f"left out: {count(number, 'image')}, {why}" for why, number in left_out.items()]
    say_some(lines)


def recipe_table(recipe: Recipe) -> None:
    """Show how an image becomes a row: what is done with the rows of networks, and these.

    Of several networks, what they have in common is told once, and the rest a column a network.
    """
    leaves = recipe.leaves
    told = [_told(leaf) for leaf in leaves]
    if all(leaf.precision == "float32" for leaf in leaves):  # as nearly always
        told = [{k: v for k, v in one.items() if k != "precision"} for one in told]
    if len(leaves) > 1:  # whose digests would fill the terminal; --json has them whole
        told = [{**one, "SHA-256": f"{one['SHA-256'][:12]}…"} for one in told]
    common = {k: v for k, v in told[0].items() if all(one.get(k) == v for one in told)}
    of_leaves = [fact for leaf in leaves for fact in leaf.facts()]
    facts = [fact for fact in recipe.facts() if fact not in of_leaves and fact[1] is not None]
    table = Table(("recipe", ""))
    # What one network gives comes before what is done with it; of several, they stand below.
    both = [*common.items(), *facts] if len(leaves) == 1 else [*facts, *common.items()]
    for name, value in both:
        table.add_row(name, value or "")
    table.show()
    names = list(dict.fromkeys(name for one in told for name in one if name not in common))
    for first in range(0, len(leaves), _SIDE_BY_SIDE):
        if names:
            some = told[first : first + _SIDE_BY_SIDE]
            numbers = [f"network {first + n}" for n in range(1, len(some) + 1)]
            table = Table(("", *numbers))
            for name in names:
                table.add_row(name, *(one.get(name, "") for one in some))
            table.show()


def _told(recipe: BackboneRecipe) -> dict[str, str]:
    p = recipe.preprocessing
    resize = "none" if p.resize is None else f"{p.resize}"
    return {
        "backbone": recipe.network,
        "architecture": recipe.architecture,
        "weights": recipe.weights,
        "SHA-256": recipe.weights_sha256,
        "layer": recipe.layer,
        "pooling": recipe.pooling,
        "normalisation": recipe.normalize,
        "resize": f"{resize} ({p.interpolation}{', fast' * (p.resampling == 'fast')}), "
        f"crop {p.crop}, decode {p.decode}",
        "mean, std": f"{p.mean}, {p.std} ({p.channels})",
        "precision": recipe.precision,
        "versions": ", ".join(f"{k} {v}" for k, v in recipe.versions.items()),
    }


def int8_card(card: Mapping[str, Any]) -> None:
    """Show what an int8 checkpoint says of itself: `penult.quantization.Quantization`, as JSON."""
    table = Table(("int8 checkpoint", ""))
    table.add_row("made from", f"{card['backbone']}, weights {card['weights']}")
    for cosine in card["cosines"]:
        pooled = "" if cosine["pooling"] == "none" else f", pooling {cosine['pooling']}"
        table.add_row(
            f"cosine of {cosine['layer']}{pooled}",
            f"mean {cosine['mean']:.4f}, lowest {cosine['lowest']:.4f} ({cosine['lowest_id']}), on "
            f"{count(card['held_back'], 'image')} not calibrated on",
        )
    ratio = card["int8_rate"] / card["float32_rate"]
    table.add_row(
        "speed",
        f"{card['int8_rate']:,.1f} images/s, {ratio:.2f} times float32 "
        f"({card['float32_rate']:,.1f}); network alone, {card['machine']}",
    )
    if card["accuracy"] is not None:
        a = card["accuracy"]
        points = 100 * (a["int8"] - a["float32"])
        table.add_row(
            f"accuracy of {a['layer']}",
            f"{percent(a['int8'])}, {points:+.2f} points from float32 ({percent(a['float32'])}); "
            f"{count(a['folds'], 'fold')}, {count(a['seeds'], 'seed')}, "
            f"{count(a['images'], 'image')}, {count(a['classes'], 'class')}",
        )
    if card.get("trained_network"):
        images = card["calibrated"] + card["held_back"]
        table.add_row("no estimate", no_estimate(card["trained_network"], images, "image"))
    bits = "7" if card["half_range"] else "8"
    table.add_row(
        "in integers",
        f"{card['operations'] - card['in_float']} of {card['operations']} convolutions and matrix "
        f"products, weights of {bits} bits",
    )
    table.add_row("calibrated on", f"{count(card['calibrated'], 'image')}, seed {card['seed']}")
    table.add_row("made with", ", ".join(f"{k} {v}" for k, v in card["versions"].items()))
    table.show()


def converted_card(card: Mapping[str, Any]) -> None:
    """Show what a converted network says of itself: `penult.conversion.Converted`, as JSON."""
    table = Table(("converted network", ""))
    table.add_row("made from", f"{card['backbone']}, weights {card['weights']}")
    table.add_row("SHA-256 of these", card["weights_sha256"])
    table.add_row("weights in it", f"{card['bytes'] / 1e6:,.1f} MB, of what leads to its layers")
    table.add_row(
        "compared with",
        f"the original, run by {card['compared_with']}: rows differ by {card['difference']:.1g} "
        "at most, relatively",
    )
    table.add_row("made with", ", ".join(f"{k} {v}" for k, v in card["versions"].items()))
    table.show()
