"""What ``--json`` prints: the same key has the same shape, whatever prints it."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from itertools import islice
from pathlib import Path

import pytest
from parts_folders import divided
from small_images import PACKAGES

from penult import samples

# The precision, mean and std of a recipe and of scores; labels, of an image and how they were asked
# for; features, of a network and the file of them; a photo that is unsure, and how many are; layers, and what training or a plan says of each;
# the average precision of a class, and of a search; how many clusters, and at which ranks a search was scored;
# how large clusters are, and the draws of a search.
TWO_MEANINGS = {
    "average_precision",
    "features",
    "groups",
    "k",
    "labels",
    "layers",
    "mean",
    "precision",
    "sizes",
    "std",
    "unlike",
    "unsure",
}


def shape(value):
    """`number`, `text`, `[number]`, `{}`; None for null and for lists without elements."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, dict):
        return "{}"
    shapes = {shape(one) for one in value} - {None}
    return f"[{' | '.join(sorted(shapes))}]" if shapes else None


def walk(value, where, found):
    """Note the shape of each key, and where; names of classes, extensions and so on are no keys."""
    if isinstance(value, list):
        for one in value:
            walk(one, where, found)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if (kind := shape(inner)) is not None:
                found[key][kind].add(where)
            if key != "options":  # as they were typed, by their own names
                walk(inner, where, found)


@pytest.fixture
def printed(penult, photos, toy, tmp_path, monkeypatch):
    """What each command prints, by what was typed; charts, of which nothing is printed, are not drawn."""
    monkeypatch.setattr("penult.reporting.comparison_figures.comparison_figures", lambda _: {})
    monkeypatch.setattr(
        "penult.samples._digits", lambda digits=samples._digits: islice(digits(), 20)
    )
    monkeypatch.setattr("penult.backbones.bundled._PACKAGES", PACKAGES)
    (photos / "rose" / "bad.jpg").write_bytes(b"nonsense")
    table = tmp_path / "several.csv"
    lines = [f"{p.relative_to(photos)},{p.parent.name}" for p in photos.rglob("*_*.jpg")]
    lines[::2] = [f"{line}|plant" for line in lines[::2]]
    table.write_text("\n".join(["path,label", *lines]))
    here = {
        name: tmp_path / name for name in ("f.h5", "several.h5", "c.skops", "s.skops", "r", "q")
    }
    quick = ("--grid", "C=100", "-q")
    layers = ("-l", "mean", "-l", "logits")
    calls = [
        ("extract", photos, "-o", here["f.h5"], "-m", toy, *layers, "-q"),
        ("extract", photos, "-o", here["f.h5"], "-m", toy, *layers, "-q", "--update"),
        ("extract", photos, "-o", tmp_path / "no.h5", "-m", toy, "--dry-run"),
        ("extract", photos, "-o", here["several.h5"], "-m", toy, "-q", "--labels", table),
        ("train", here["f.h5"], "-o", here["c.skops"], "--layer", "all", *quick, "--results", here["r"]),
        ("train", here["several.h5"], "-o", here["s.skops"], *quick),
        ("predict", here["c.skops"], photos, "-q"),
        ("predict", here["s.skops"], photos, "-q"),
        ("predict", here["c.skops"], photos, "-o", tmp_path / "p.csv", "-q"),
        ("predict", here["c.skops"], photos / "rose", "-q", "-o", tmp_path / "m.csv",
         "--copy-to", tmp_path / "moved", "--copy-mode", "move"),
        ("move-back", tmp_path / "moved"),
        ("evaluate", here["c.skops"], photos, "-q"),
        ("evaluate", here["s.skops"], here["several.h5"], "-q"),
        ("search", here["f.h5"], photos, "-q", "--vote"),
        ("search", here["several.h5"], photos, "-q", "--vote", "--metric", "euclidean"),
        ("search", here["f.h5"], photos / "rose", "-q", "-o", tmp_path / "hits.csv",
         "--contact-sheet", tmp_path / "near.png"),
        ("evaluate-search", here["f.h5"], "-k", 1, "--test-size", 0.2, "-q"),
        ("evaluate-search", here["several.h5"], "-k", 1, "-q"),
        ("info", here["f.h5"]),
        ("info", here["c.skops"]),
        ("info", here["s.skops"]),
        ("convert", "efficientnet_lite0", "-o", tmp_path / "n.penult", "-q"),
        ("info", tmp_path / "n.penult"),
        ("verify", here["f.h5"], "-q"),
        ("export-rows", here["f.h5"], "-o", tmp_path / "f.csv"),
        ("merge", tmp_path / "f.rows", "-o", tmp_path / "merged.h5", "-q"),
        ("join", here["f.h5"], "-o", tmp_path / "joined.h5", *layers, "-q"),
        ("reduce", here["f.h5"], "-o", tmp_path / "small.h5", "--pca", 1, "-q"),
        ("duplicates", here["f.h5"], "--threshold", "0.9999", "--across-splits", "-q"),
        ("map", here["f.h5"], "-o", tmp_path / "map.csv", "--method", "pca", "-q"),
        ("summarize", here["f.h5"], "-q"),
        ("outliers", here["f.h5"], "--no-pictures", "-q"),
        ("cluster", here["f.h5"], "--csv", tmp_path / "clusters.csv", "-k", "2:4", "-q"),
        ("index", here["f.h5"], "-o", tmp_path / "f.index", "--kind", "hnsw", "-q"),
        ("info", tmp_path / "f.index"),
        ("layers", toy),
        ("models", "bundled:"),
        ("fetch", "efficientnet_lite0"),
        ("sample", "digits", tmp_path / "digits"),
        ("show-input", toy, photos / "rose" / "rose_01.jpg", "-o", tmp_path / "seen.png"),
        ("report", photos, "-o", tmp_path / "report", "-m", toy, "-q"),
        ("labels", "apply", tmp_path / "report" / "label_errors.csv", here["f.h5"], "-o", tmp_path / "corrected.csv"),
        ("compare", here["f.h5"], "-o", tmp_path / "compared", "-q"),
    ]  # fmt: skip
    told = {}
    for call in calls:
        if call[0] == "merge":
            divided(here["f.h5"], tmp_path / "f.rows", part_images=10)
        done = penult(*call, "--json")
        assert done.code == 0, (call, done)
        told[" ".join(map(str, call))] = [json.loads(line) for line in done.out.splitlines()]
    for folder in (here["r"], tmp_path / "report"):
        told[str(folder / "scores.json")] = json.loads((folder / "scores.json").read_text())
    return told


@pytest.mark.slow
def test_the_same_key_is_the_same_everywhere_and_as_the_page_for_scripts_has_it(printed):
    """One test, as workers that take each other's tests would print all of it for each."""
    the_same_key_has_the_same_shape_everywhere(printed)
    classes_and_failures_have_the_same_keys_everywhere(printed)
    the_page_for_scripts_has_every_key_with_its_type(printed)


def the_same_key_has_the_same_shape_everywhere(printed):
    found = defaultdict(lambda: defaultdict(set))
    for where, value in printed.items():
        if not where.startswith("compare"):  # whose scores are objects: their mean over runs, …
            walk(value, where, found)
    differing = {key: sorted(kinds) for key, kinds in found.items() if len(kinds) > 1}
    assert differing.keys() <= TWO_MEANINGS, differing
    assert found["failures"].keys() == {"[{}]"}
    assert found["classes"].keys() == {"[{}]"}


def classes_and_failures_have_the_same_keys_everywhere(printed):
    """Of a class its scores, too, where it was scored."""
    found = defaultdict(lambda: defaultdict(set))
    for where, value in printed.items():
        keys_of(value, where, found)
    scored = ("average_precision", "f1", "label", "precision", "recall", "support")
    assert found["classes"].keys() <= {("images", "label"), scored, tuple(sorted({*scored} - {"average_precision"}))}, found["classes"]  # fmt: skip
    assert found["failures"].keys() == {("id", "reason")}


def keys_of(value, where, found):
    """Note the keys of each object in a list, by the key of the list."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(inner, list) and inner and isinstance(inner[0], dict):
            found[key][tuple(sorted(inner[0]))].add(where)
        if isinstance(inner, dict | list):
            keys_of(inner, where, found)


KINDS = {"text": str, "number": int | float, "list": list, "object": dict, "true or false": bool}


def documented():
    """Of each heading of docs/scripts.md, its keys and whether a value may be of them."""
    page = Path(__file__).parents[2].joinpath("docs", "scripts.md").read_text("utf-8")
    told = {}
    for name, text in re.findall(r"^### `penult (.*?)`\n(.*?)(?=^##|\Z)", page, re.M | re.S):
        keys = told.setdefault(name, {})
        for names, types, what in re.findall(r"^\| (`.*?) \| (.*?) \| (.*?) \|$", text, re.M):
            for key, kind in zip(re.findall("`(.*?)`", names), types.split(", "), strict=True):
                keys[key] = kind, "only" in what
    return told


def heading(typed):
    command = typed.split()[0]
    variants = {"extract --dry-run", "predict -o", "search -o", "labels apply"}
    found = [f"{command} {option}" for option in typed.split() if f"{command} {option}" in variants]
    return found[0] if found else command


def the_page_for_scripts_has_every_key_with_its_type(printed):
    told, seen = documented(), defaultdict(set)
    for typed, lines in printed.items():
        name = heading(typed)
        if isinstance(lines, dict) or (name == "info" and not typed.endswith("f.h5")):
            continue  # a file of scores; a classifier
        for line in lines:
            for one in line if isinstance(line, list) else [line]:
                for key, value in one.items():
                    kind, _ = told[name][key]
                    may_be_null = kind.endswith(" or null")
                    wanted = KINDS[kind.removesuffix(" or null")]
                    assert isinstance(value, wanted) or (may_be_null and value is None), (
                        typed,
                        key,
                    )
                    seen[name].add(key)
                if "reason" not in one:
                    always = {key for key, (_, only) in told[name].items() if not only}
                    notes = {"passed_over", "left_out", "split_folders", "labels_apart"}
                    assert always - notes <= one.keys(), typed
    assert seen.keys() == told.keys()
    missing = {name: keys.keys() - seen[name] for name, keys in told.items()}
    assert missing.pop("predict") <= {"copied_to"}
    of_parts = {"parts", "part_images", "part_format", "unfinished"}
    assert (
        missing.pop("extract --dry-run")
        == {"changes", "without_label", "labels_apart", "without_images"} | of_parts
    )
    rare = {"split_folders", "without_label", "labels_apart", "without_images"}
    assert {name for name, keys in missing.items() if keys - rare} == set()
