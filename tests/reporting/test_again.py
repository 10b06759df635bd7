"""What makes a feature file again: one run, or runs and what puts their files together."""

from __future__ import annotations

import shlex

import numpy as np
import pytest
from feature_files import recipe

import penult
from penult.recipe import AugmentedRecipe, AveragedRecipe, JoinedRecipe, ProjectedRecipe, Projection
from penult.reporting.again import commands_again, merged_again

pytestmark = pytest.mark.light

ORIGIN = {"sources": ["/photos"], "labels": "none"}
PCA = Projection(
    mean=np.zeros(3), components=np.eye(3)[:2], explained_variance=[1, 1], total_variance=3
)
WHITE = Projection(
    mean=np.zeros(3),
    components=np.eye(3)[:2],
    explained_variance=[1, 1],
    total_variance=3,
    whiten=True,
)
A, B = recipe(network="toy:a"), recipe(network="toy:b")
EXTRACT = "penult extract /photos -o"


def again(*recipes, origin=ORIGIN):
    names = [one.layer for one in recipes]
    return commands_again(recipes, names, origin, output="all.h5")


def test_what_one_run_makes_is_one_command():
    both = JoinedRecipe((AveragedRecipe(A, "flip"), AveragedRecipe(B, "flip")))
    assert again(both) == (
        f"{EXTRACT} all.h5 --model toy:a --model toy:b --views flip --labels none",
    )
    assert again(A, B) == (f"{EXTRACT} all.h5 --model toy:a --model toy:b --labels none --no-join",)


def test_reduced_rows_are_extracted_and_reduced():
    assert again(ProjectedRecipe.of(A, PCA)) == (
        f"{EXTRACT} all_part1.h5 --model toy:a --labels none",
        "penult reduce all_part1.h5 -o all.h5 --pca 2",
    )
    origin = ORIGIN | {"reduced": {"fit_on": "train", "rows": 7}}
    assert again(ProjectedRecipe.of(A, WHITE), origin=origin)[1] == (
        "penult reduce all_part1.h5 -o all.h5 --pca 2 --whiten --fit-on train"
    )


def test_what_no_one_run_makes_is_joined_of_several():
    """Weights, other views of each part, and other layers of either network."""
    assert again(JoinedRecipe((A, B), (1, 0.5))) == (
        f"{EXTRACT} all_part1.h5 --model toy:a --labels none",
        f"{EXTRACT} all_part2.h5 --model toy:b --labels none",
        "penult join all_part1.h5 all_part2.h5 -o all.h5 --weight 1 --weight 0.5",
    )
    for parts in ((AveragedRecipe(A, "flip"), B), (A, recipe("early", network="toy:b"))):
        assert again(JoinedRecipe(parts))[2] == ("penult join all_part1.h5 all_part2.h5 -o all.h5")


def test_a_tree_is_made_from_its_leaves_up():
    tree = ProjectedRecipe.of(JoinedRecipe((ProjectedRecipe.of(A, PCA), B)), PCA)
    assert [shlex.split(one)[1] for one in again(tree)] == [
        "extract",
        "reduce",
        "extract",
        "join",
        "reduce",
    ]
    made, read = set(), set()
    for command in again(tree):
        words = shlex.split(command)
        at = words.index("-o")
        read |= {word for word in words[2:at] if word.endswith(".h5")}
        assert read <= made
        made.add(words[at + 1])
    assert made - read == {"all.h5"}


def test_what_no_command_makes_has_none():
    assert again(AveragedRecipe(JoinedRecipe((A, B)), "flip")) == ()
    assert again(ProjectedRecipe.of(A, PCA), B) == ()
    assert again(AugmentedRecipe(A, "light", 0)) == ()


@pytest.mark.torch
def test_a_file_joined_of_files_is_joined_of_them_again(toy, tiny, photos, tmp_path):
    """And not extracted: rows that only one of them had were left out."""
    a = penult.extract(photos, tmp_path / "a.h5", model=toy)
    b = penult.extract(photos, tmp_path / "b.h5", model=tiny)
    joined = penult.join([tmp_path / "a.h5", tmp_path / "b.h5"], weights=[1, 0.5]).features
    again = commands_again([joined.recipe], joined.layers, joined.origin, output="ab.h5")
    assert again == ("penult join a.h5 b.h5 -o ab.h5 --weight 1 --weight 0.5",)
    small = penult.reduce(joined, pca=2)
    join, reduce = commands_again([small.recipe], small.layers, small.origin, output="s.h5")
    assert join == "penult join a.h5 b.h5 -o s_part1.h5 --weight 1 --weight 0.5"
    assert reduce == "penult reduce s_part1.h5 -o s.h5 --pca 2 --fit-on all"
    memory = penult.join([a, b]).features
    assert commands_again([memory.recipe], memory.layers, memory.origin, output="m.h5") == ()


def test_parts_of_another_size_or_format_are_asked_for():
    def parts(images, how):
        return commands_again(
            [A], ["x"], ORIGIN, output="all.rows", part_images=images, part_format=how
        )

    assert parts(500, "parquet")[0].endswith(" --part-images 500 --part-format parquet")
    assert "--part" not in parts(4096, "h5")[0]


def test_rows_that_were_merged_are_made_run_by_run_and_merged():
    origin = {"sources": ["/photos"], "added": [{"sources": ["/more"]}]}
    assert merged_again([A], [A.layer], origin, output="all.h5") == (
        f"{EXTRACT} all-1.h5 --model toy:a",
        "penult extract /more -o all-2.h5 --model toy:a",
        "penult merge all-1.h5 all-2.h5 -o all.h5",
    )
    assert merged_again([A], [A.layer], ORIGIN, output="all.h5") == again(A)
    nobody_knows = [AveragedRecipe(JoinedRecipe((A, B)), "flip")]
    assert merged_again(nobody_knows, ["joined"], origin, output="all.h5") == ()


def test_a_tree_of_which_a_part_cannot_be_made_has_no_commands():
    odd = AveragedRecipe(JoinedRecipe((A, B)), "flip")
    assert again(ProjectedRecipe.of(odd, PCA)) == ()
