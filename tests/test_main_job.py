"""The main job with a bundled network, from photos to a report, imports nothing that extras bring."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from light_environment import IN_EXTRAS

COMMANDS = """
models bundled:
layers efficientnet_lite0 blocks.4
show-input efficientnet_lite0 photos/rose/rose_01.jpg -o seen.png
extract photos -o plan.h5 --dry-run
extract photos -o f.h5
extract photos -o layers.h5 --layer blocks.4 --layer penultimate
extract photos -o maps.h5 --layer blocks.6 --pooling none
extract photos -o f.h5 --update
info f.h5
verify f.h5 --sample 4
export-rows f.h5 -o f.npz
join layers.h5 -o joined.h5 --layer blocks.4 --layer penultimate
reduce joined.h5 -o small.h5 --pca 8
duplicates f.h5 --threshold 0.999 --across-splits --repair split.csv
train f.h5 -o c.skops --grid C=1,10
train layers.h5 -o best.skops --layer all --classifier centroid
info c.skops
predict c.skops photos/rose/rose_01.jpg
predict best.skops photos/tulip --copy-to sorted
evaluate c.skops photos
report f.h5 -o report --no-label-errors --no-curve --classifier ridge
"""

PROGRAM = """
import functools, sys
import typer.main
typer.main.get_command = functools.cache(typer.main.get_command)  # the same for all commands
sys.path.insert(0, {tests!r})
from small_images import PACKAGES
from penult.backbones import bundled
bundled._PACKAGES = PACKAGES
from penult.cli import main
for line in {commands!r}.strip().splitlines():
    sys.argv = ["penult", *line.split(), *(["-q"] if line.startswith("extract") else [])]
    try:
        main()
    except SystemExit as end:
        assert not end.code, line
    imported = set(sys.modules).intersection({extras!r})
    assert not imported, (line, imported)
"""


@pytest.mark.slow
def test_no_command_imports_what_extras_bring(photos):
    for path in photos.rglob("*_0[5-9].jpg"):
        path.unlink()  # seven of each class are enough
    tests = str(Path(__file__).parent)
    program = PROGRAM.format(tests=tests, extras=IN_EXTRAS, commands=COMMANDS)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=photos.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert len(list((photos.parent / "sorted" / "tulip").iterdir())) >= 6
    assert (photos.parent / "report" / "index.html").is_file()
