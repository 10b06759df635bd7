"""The project's own files agree with each other, and hold nothing of the machine they came from."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import penult

ROOT = Path(__file__).parent.parent
EXTRAS = re.search(r"^EXTRAS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split(",")
# scikit-learn imports pandas where there is one, which every test that starts a process would pay for.
LEFT_OUT = {"pandas"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Modules that are not named as what brings them.
BROUGHT_BY = {
    "PIL": "pillow",
    "cykooz_resizer": "cykooz.resizer",
    "faiss": "faiss-cpu",
    "google": "onnx",  # protobuf
    "markupsafe": "jinja2",
    "portalocker": "qdrant-client",
    "sklearn": "scikit-learn",
    "telegram": "python-telegram-bot",
    "umap": "umap-learn",
}


def pins() -> dict[str, Requirement]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    requirements = [Requirement(line) for line in lines]
    return {canonicalize_name(r.name): r for r in requirements}


def dependencies() -> list[str]:
    extras = PROJECT["optional-dependencies"].values()
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]
    return [line for line in lines if not line.startswith("penult[")]


@pytest.mark.parametrize("dependency", dependencies())
def test_a_dependency_is_pinned_to_a_version_that_it_allows(dependency):
    requirement = Requirement(dependency)
    (pin,) = pins()[canonicalize_name(requirement.name)].specifier
    assert requirement.specifier.contains(pin.version)


@cache
def sources() -> list[str]:
    return [path.read_text() for path in (ROOT / "src").rglob("*.py")]


def specifiers() -> dict[str, SpecifierSet]:
    requirements = [Requirement(dependency) for dependency in dependencies()]
    return {canonicalize_name(r.name): r.specifier for r in requirements}


def brought_by(module: str) -> str:
    return canonicalize_name(BROUGHT_BY.get(module, module))


def test_what_is_imported_is_asked_for():
    imported = re.compile(
        r"^ *(?:from ([a-zA-Z]\w*)[.\w]* import |import ([a-zA-Z]\w*))", re.MULTILINE
    )
    modules = {m[1] or m[2] for source in sources() for m in imported.finditer(source)}
    libraries = {brought_by(m) for m in modules - {*sys.stdlib_module_names, "penult"}}
    assert libraries <= specifiers().keys()


def test_a_library_whose_private_names_are_used_has_an_upper_bound():
    private = re.compile(
        r"^ *from ([a-zA-Z]\w*)[.\w]* import .*\b_\w|(?<![\w./])([a-zA-Z]\w*)(?:\.\w+)*\._[a-zA-Z]",
        re.MULTILINE,
    )
    used = {brought_by(m[1] or m[2]) for source in sources() for m in private.finditer(source)}
    known = specifiers()
    libraries = used & known.keys()
    assert {"pillow", "ray", "scikit-learn", "torch"} <= libraries
    assert [name for name in libraries if "<" not in str(known[name])] == []


def test_make_installs_every_extra():
    assert {*EXTRAS} == PROJECT["optional-dependencies"].keys() - LEFT_OUT


@pytest.mark.skipif(os.environ.get("PENULT_EXTRAS") != "all", reason="make test asks for it")
@pytest.mark.parametrize("dependency", dependencies())
def test_what_extras_bring_is_here(dependency):
    """A test that needs an extra may be skipped where it is missing; in CI none is to be skipped."""
    if Requirement(dependency).name in LEFT_OUT:
        return
    try:
        distribution(Requirement(dependency).name)
    except PackageNotFoundError:
        pytest.fail(f"{dependency} is not installed, and its tests are skipped")


def test_constraints_are_names_and_exact_versions_alone():
    for requirement in pins().values():
        assert requirement.url is None
        assert [s.operator for s in requirement.specifier] == ["=="]
        # A local version (torch 2.6+cpu, say) is to be had from one particular index only.
        assert "+" not in str(requirement.specifier)


def test_no_committed_file_knows_the_machine_it_was_written_on():
    # Bytes, for a feature file among the tests could hold a path as well as a text can.
    telling = re.compile(
        rb"(?<![\w.$}>-])/(root|home|Users|work)/\w|index[-_]url|find[-_]links|trusted[-_]host"
    )
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    found = {
        f"{path.relative_to(ROOT)}: {match[0].decode()}"
        for path in paths
        if path.is_file() and path != Path(__file__)
        for match in telling.finditer(path.read_bytes())
    }
    assert not found


def test_what_tests_start_does_not_compile_all_that_it_imports_anew():
    code = "import sys; sys.exit(sys.dont_write_bytecode)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_changelog_has_an_entry_for_this_version():
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] in ("Unreleased", penult.__version__)
    assert penult.__version__ in headings


def test_the_architecture_page_names_every_module():
    page = (ROOT / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE))
    package = ROOT / "src" / "penult"
    modules = {p.stem for p in package.glob("[a-z]*.py")} | {
        p.parent.name for p in package.glob("*/__init__.py")
    }
    assert named == modules


def test_a_library_that_raises_the_roots_level_does_not_mute_penult():
    code = (
        "import logging, penult; logging.root.setLevel(logging.CRITICAL); "
        "logging.getLogger('penult').warning('heard')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "heard\n"
