"""The Dockerfile and compose.yaml: what can be seen of them without Docker."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typed_commands
import yaml

ROOT = Path(__file__).parent.parent


@pytest.fixture
def image():
    """The instructions of each stage: names and what they are given, comments and line ends gone."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    stages = []
    for line in text.replace("\\\n", " ").splitlines():
        name, _, given = line.partition(" ")
        if name == "FROM":
            stages.append([])
        if name:
            stages[-1].append((name, " ".join(given.split())))
    return stages


@pytest.fixture
def services():
    return compose()["services"]


def compose():
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def of(stage, name):
    return [given for one, given in stage if one == name]


def test_the_image_has_what_is_pinned_and_no_torch(image):
    build, _ = image
    (install,) = of(build, "RUN")
    assert "--constraint constraints.txt" in install
    (extras,) = of(build, "ARG")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    known = project["optional-dependencies"]
    wanted = extras.removeprefix("EXTRAS=").split(",")
    assert {"serve", "bot"} <= set(wanted) <= known.keys()
    assert not [one for name in wanted for one in known[name] if "torch" in one]
    pinned = {plain(line) for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert {plain(one) for name in wanted for one in known[name]} <= pinned | {"penult"}


def plain(requirement):
    """The name of a package, spelled as all may be."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]*", requirement)[0]).lower()


def test_both_stages_are_of_one_python_that_penult_supports(image):
    bases = {given.split()[0] for stage in image for given in of(stage, "FROM")}
    (base,) = bases
    version = re.fullmatch(r"python:(3\.\d+)-slim", base)[1]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"Programming Language :: Python :: {version}" in project["classifiers"]


def test_what_the_image_copies_is_there_and_is_sent_to_docker(image):
    sent = [
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"
    ]
    names = [name for given in of(image[0], "COPY") for name in given.split()[:-1]]
    assert sorted(names) == sorted(sent)
    assert all((ROOT / name).exists() for name in names)


def test_nothing_runs_as_root(image):
    final = image[-1]
    names = [name for name, _ in final]
    (user,) = of(final, "USER")
    assert int(user.split(":")[0]) > 0
    assert f"--uid {user.split(':')[0]} " in of(final, "RUN")[0]
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert "RUN" not in names[names.index("USER") :]


def test_health_is_asked_for_by_python_in_a_program_that_can_be_run(image):
    (check,) = of(image[-1], "HEALTHCHECK")
    program, flag, code = json.loads(check.partition("CMD ")[2])
    assert (program, flag) == ("python", "-c")
    asked = []
    code = code.replace("from urllib.request import urlopen; ", "")
    exec(compile(code, "HEALTHCHECK", "exec"), {"urlopen": lambda url, timeout: asked.append(url)})
    assert asked == ["http://127.0.0.1:8000/healthz"]
    assert of(image[-1], "EXPOSE") == ["8000"]


def test_no_secret_lies_in_either_file():
    for name in ("Dockerfile", "compose.yaml"):
        assert not re.search(
            r"(?i)(token|secret|password)\w*\s*[=:]\s*[\"']?[\w:-]{20,}", (ROOT / name).read_text()
        )


def test_containers_can_write_nowhere_but_to_memory_and_the_label_log(services, image):
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["user"] == of(image[-1], "USER")[0]
        assert [one.partition(":")[0] for one in service["tmpfs"]] == ["/tmp"]
    data, labels = services["service"]["volumes"]
    assert data.endswith(":/data:ro")
    assert labels == "labels:/labels"
    assert of(image[-1], "VOLUME") == ["/labels"]
    assert "labels" in compose()["volumes"]
    assert "volumes" not in services["bot"]
    home, cache = (
        re.search(rf"{name}=(\S+)", of(image[-1], "ENV")[0])[1] for name in ("HOME", "PENULT_CACHE")
    )
    assert home == "/tmp"
    assert cache.startswith("/tmp/")


def test_the_bot_waits_for_the_service_and_finds_it(services):
    assert services["bot"]["depends_on"] == {"service": {"condition": "service_healthy"}}
    assert "--service=http://service:8000" in services["bot"]["command"]
    (port,) = services["service"]["ports"]
    assert port == "127.0.0.1:8000:8000"


def test_every_secret_that_is_read_is_mounted(services):
    for service in services.values():
        read = {one.rpartition("/")[2] for one in service["command"] if "/run/secrets/" in one}
        assert read == set(service["secrets"]) <= compose()["secrets"].keys()


def options_of(typed):
    """Whether each word of a command is an option that there is, and what it would be given."""
    name, *words = typed
    command = typed_commands.COMMANDS[name]
    with command.make_context(name, list(words), resilient_parsing=True) as context:
        return context.params


@pytest.mark.parametrize("name", ["service", "bot"])
def test_what_compose_types_can_be_typed(services, name):
    typed = services[name]["command"]
    if typed[0] not in typed_commands.COMMANDS:
        pytest.skip(f"there is no penult {typed[0]}")
    given = options_of(typed)
    assert str(given["token_file"]).startswith("/run/secrets/")


def test_what_the_units_of_systemd_type_can_be_typed():
    page = (ROOT / "docs" / "hosting.md").read_text()
    commands = re.findall(r"^ExecStart=\S+/penult (.+)$", page, re.MULTILINE)
    assert [one.split()[0] for one in commands] == ["serve", "bot"]
    for one in commands:
        if one.split()[0] in typed_commands.COMMANDS:
            assert str(options_of(shlex.split(one))["token_file"]).startswith("%d/")
