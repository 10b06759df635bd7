"""Every example in the documentation runs, every link leads somewhere, every command is described.

A page's ```bash and ```python blocks run in order, in one folder that holds `photos/` (classes
daisy, rose and tulip) and `labels.csv`; its Python blocks share their names. A page whose examples
begin with a finished file says so in an HTML comment at its top, ``<!-- needs: features.h5,
flowers.skops -->``, and finds it there. A bash block that begins with `git clone`, `make` or
`pip install` is not run; the targets and extras that it names have to exist. What is only to be
looked at goes in a ```console or ```text block.
"""

from __future__ import annotations

import ast
import builtins
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from markdown_it import MarkdownIt
from parts_folders import divided
from quick_examples import make_shallow, quicken

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SHOWN = {"console", "csv", "json", "text", "toml"}
PROGRAMS = Path(sys.executable).parent
LEFT_OUT = ("07", "08", "09", "10", "11")  # seven photos of a class are enough, and a last one
# With the program that users have, as its workers are processes of their own. All others with one that
# starts faster, and reads smaller images.
AS_USERS_HAVE_IT = ("distributed.md",)
# Near-duplicates are looked for with the networks as they are; elsewhere they have fewer blocks.
WHOLE_NETWORKS = ("duplicates.md",)
SETTING_UP = ("git clone", "make", "pip install")


def marked(page: Path) -> Any:
    """A page, and whether its examples are run where there is no torch, and only there."""
    is_light = page.name in ("extract.md", "extractor.md")
    return pytest.param(page, marks=[pytest.mark.light, pytest.mark.once]) if is_light else page


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and where a reader finds it."""

    language: str
    text: str
    place: str


def blocks_of(markdown: str, page: str) -> list[Block]:
    fences = (t for t in MarkdownIt().parse(markdown) if t.type == "fence")
    return [Block(t.info.strip(), t.content, f"{page}:{t.map[0] + 1}") for t in fences]


def run_page(markdown: str, page: str, folder: Path, programs: Path = PROGRAMS) -> None:
    """Run a page's examples in `folder`, the working directory, with the `penult` of `programs`."""
    module = ModuleType(f"examples_of_{Path(page).stem}")
    sys.modules[module.__name__] = module  # so that what is defined there can be pickled
    names = vars(module)
    for block in blocks_of(markdown, page):
        if block.language == "bash" and block.text.startswith(SETTING_UP):
            check_setting_up(block)
        elif block.language == "bash":
            run_bash(block, folder, programs)
        elif block.language == "python":
            run_python(block, names)
        elif block.language not in SHOWN:
            pytest.fail(
                f"{block.place}: a block marked {block.language!r}; bash and python blocks are run, "
                f"{', '.join(sorted(SHOWN))} blocks are shown"
            )


def run_bash(block: Block, folder: Path, programs: Path) -> None:
    path = os.pathsep.join([str(programs), str(PROGRAMS), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", block.text],
        cwd=folder,
        env=os.environ | {"PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,  # a block that hangs fails, rather than the whole suite with it
    )
    if done.returncode:
        pytest.fail(f"{block.place} ended with {done.returncode}:\n{block.text}\n{done.stdout}")


def run_python(block: Block, names: dict[str, object]) -> None:
    try:
        exec(compile(block.text, block.place, "exec"), names)
    except Exception as error:
        raise AssertionError(f"{block.place} raised {error!r}:\n{block.text}") from error


def with_a_free_port(markdown: str) -> str:
    """A page whose service listens where no other test's does, and none of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return re.sub(r"(127\.0\.0\.1:|--port )8000\b", rf"\g<1>{port}", markdown)


def check_setting_up(block: Block) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = set(project["optional-dependencies"])
    for target in re.findall(r"^make ([a-z]+)", block.text, re.MULTILINE):
        assert target in targets, f"{block.place}: the Makefile has no target {target}"
    for named in re.findall(r"penult\[([^\]]+)\]", block.text):
        missing = set(named.split(",")) - extras
        assert not missing, f"{block.place}: pyproject.toml has no extra {', '.join(missing)}"


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Make, once a session and only when a page needs it, a file that another page makes."""
    made: dict[tuple[str, str], Path] = {}

    def finish(name: str, photos: Path, networks: str) -> Path:
        import penult

        key = name, networks  # whose rows are others
        if key not in made:
            path = tmp_path_factory.mktemp("finished") / name
            if name == "features.h5":
                penult.extract(photos, path)
            else:
                rows = finish("features.h5", photos, networks)
                if name == "flowers.skops":
                    penult.train(penult.load(rows)).save(path)
                elif name == "photos.rows":
                    divided(rows, path, part_images=10)
                else:
                    pytest.fail(f"a page needs {name}, and this harness cannot make it")
            made[key] = path
        return made[key]

    return finish


@pytest.fixture(scope="session")
def warm(tmp_path_factory):
    """A folder with a `penult` that need not import torch first, one for all workers."""
    from warm import put_penult_into  # not on Windows

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # which the workers share
    folder /= "warm"
    with put_penult_into(folder):
        yield folder


@pytest.mark.slow
@pytest.mark.parametrize("page", [marked(page) for page in PAGES], ids=lambda path: path.name)
def test_every_example_on_the_page_runs(page, photos, finished, monkeypatch, request):
    folder = photos.parent
    for path in photos.rglob("*_*.jpg"):
        if path.stem[-2:] in LEFT_OUT:
            path.unlink()
    monkeypatch.chdir(folder)
    rows = [
        f"photos/{p.parent.name}/{p.name},{p.parent.name}" for p in sorted(photos.rglob("*.jpg"))
    ]
    (folder / "labels.csv").write_text("\n".join(["path,label", *rows]) + "\n")
    as_users_have_it = page.name in AS_USERS_HAVE_IT or sys.platform != "linux"
    networks = "as users have them"
    if not as_users_have_it:
        quicken(monkeypatch.setattr)
        networks = "of small images"
        if page.name not in WHOLE_NETWORKS:
            make_shallow(monkeypatch.setattr)
            monkeypatch.setenv("PENULT_SHALLOW", "1")  # for warm.py
            networks = "shallow"
    markdown = with_a_free_port(page.read_text())
    if page.name == "README.md":  # as in any folder of photos, one is broken
        (photos / "tulip" / "broken.jpg").write_bytes(b"nonsense")
    needs = re.match(r"<!-- needs: (.+) -->", markdown)
    for name in needs[1].split(", ") if needs else ():
        made = finished(name, photos, networks)
        copy = shutil.copytree if made.is_dir() else shutil.copyfile
        copy(made, folder / name)
    if page.name == "databases.md":
        postgres = request.getfixturevalue("postgres")
        postgres.run("CREATE DATABASE photos")
        postgres.run("CREATE EXTENSION vector", database="photos")
        monkeypatch.setenv("PGHOST", str(postgres.folder))
        monkeypatch.setenv("PGUSER", "postgres")
    programs = PROGRAMS if as_users_have_it else request.getfixturevalue("warm")
    run_page(markdown, page.name, folder, programs)


@pytest.mark.parametrize(
    ("markdown", "complaint"),
    [
        ("```bash\ntrue\nfalse\ntrue\n```", "page.md:3 ended with 1"),
        ("```bash\nfalse | cat\n```", "page.md:3 ended with 1"),
        ("```bash\necho so; exit 3\n```", r"page.md:3 ended with 3:(.|\n)*so\n$"),
        ("- item\n\n  ```bash\n  false\n  ```", "page.md:5 ended with 1"),
        ("```python\n1 / 0\n```", "page.md:3 raised ZeroDivisionError"),
        ("```sh\ntrue\n```", "page.md:3: a block marked 'sh'"),
        ("```\ntrue\n```", "page.md:3: a block marked ''"),
        ("```bash\nmake tea\n```", "page.md:3: the Makefile has no target tea"),
        ("```bash\npip install 'penult[dev,wings]'\n```", "page.md:3: .* no extra wings"),
    ],
)
def test_an_example_that_does_not_work_is_named(markdown, complaint, tmp_path):
    with pytest.raises((AssertionError, pytest.fail.Exception), match=complaint):
        run_page(f"# Title\n\n{markdown}", "page.md", tmp_path)


def test_examples_run_in_order_in_one_folder_and_share_their_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = """
```bash
echo 20 > number.txt
```

```python
from pathlib import Path
number = int(Path("number.txt").read_text())
```

```console
$ rm number.txt
```

```python
Path("number.txt").write_text(str(number + 1))
```

```bash
test "$(cat number.txt)" = 21
python -c 'import penult'
```

```bash
make test
```
"""
    run_page(page, "page.md", tmp_path)
    assert (tmp_path / "number.txt").read_text() == "21"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_to_one(page):
    inline = [t for t in MarkdownIt().parse(page.read_text()) if t.type == "inline"]
    targets = [c.attrs.get("href", c.attrs.get("src")) for t in inline for c in t.children]
    files = [t.split("#")[0] for t in targets if t and not re.match(r"[a-z]+:|#", t)]
    missing = [f for f in files if not (page.parent / f).is_file()]
    assert not missing, f"{page.name} links to {', '.join(missing)}"


def test_the_contents_page_lists_every_page():
    contents = (ROOT / "docs" / "index.md").read_text()
    listed = set(re.findall(r"\]\(([a-z0-9_-]+\.md)\)", contents))
    pages = {p.name for p in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert listed == pages


def names_from_elsewhere(blocks: list[str]) -> set[str]:
    """Names that Python blocks read, and that none of them makes."""
    nodes = [node for text in blocks for node in ast.walk(ast.parse(text))]
    names = [node for node in nodes if isinstance(node, ast.Name)]
    made = {one.id for one in names if isinstance(one.ctx, ast.Store)}
    made |= {one.arg for one in nodes if isinstance(one, ast.arg)}
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            made |= {(one.asname or one.name).partition(".")[0] for one in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            made.add(node.name)
    return {one.id for one in names} - made - {*dir(builtins)}


def test_the_example_of_a_database_needs_nothing_of_the_sections_above_it():
    page = (ROOT / "docs" / "extending.md").read_text()
    section = page.partition("\n## A database\n")[2].partition("\n## ")[0]
    blocks = [block.text for block in blocks_of(section, "extending.md")]
    assert blocks
    assert not names_from_elsewhere(blocks)
