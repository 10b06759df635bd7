"""Make an environment of what `pip install penult` brings, and what its tests need: no torch.

    .venv/bin/python tests/light_environment.py FOLDER

Nothing is downloaded or copied: what it has are links into the environment that runs this, to the
packages that penult requires without an extra, and to those that they require.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import venv
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

IN_EXTRAS = (
    "huggingface_hub",
    "keras",
    "nncf",
    "onnx",
    "onnxruntime",
    "skl2onnx",
    "timm",
    "torch",
    "torchvision",
    "transformers",
    "umap",
)
"""Modules that only extras bring."""

EXTRAS = ["bot", "client", "serve"]
"""Extras that go with it: what is served needs no torch either."""

TESTS = ["hypothesis", "pytest", "pytest-cov", "pytest-randomly", "pytest-xdist"]


def required(names: list[str]) -> list[Distribution]:
    """The distributions of these names, and all that they require; of extras, those that are named."""
    found: dict[str, Distribution] = {}
    wanted = [Requirement(name) for name in names]
    while wanted:
        requirement = wanted.pop()
        one = distribution(requirement.name)
        extras = {"", *requirement.extras}
        if found.setdefault(one.name, one) is one or requirement.extras:
            wanted += [
                other
                for other in map(Requirement, one.requires or [])
                if not other.marker or any(other.marker.evaluate({"extra": e}) for e in extras)
            ]
    return list(found.values())


def link(package: Distribution, folder: Path) -> None:
    """Link all that lies in site-packages of a distribution into another such folder."""
    site = Path(sysconfig.get_path("purelib"))
    if package.files is None:
        raise PackageNotFoundError(f"{package.name} does not say what files it has")
    for name in {file.parts[0] for file in package.files} - {"..", "__pycache__"}:
        target = folder / name
        if not target.exists():
            target.symlink_to(site / name)


def main(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, symlinks=True)
    inside = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", vars=inside))
    for package in required([f"penult[{','.join(EXTRAS)}]", *TESTS]):
        link(package, site)


if __name__ == "__main__":
    main(Path(os.path.abspath(sys.argv[1])))  # noqa: PTH100
