"""The files for a lab server: sound by their own checkers, as closed as they claim, and made of commands that exist."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from morphoscope.apps.cli.main import app
from morphoscope.apps.web.guards.access import OPEN_PATHS
from morphoscope.apps.web.settings import read_tokens

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
UNIT = (DEPLOY / "morphoscope.service").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """Of compose.yaml, by name."""
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return found


def instruction(name: str) -> list[str]:
    """What follows an instruction of the Dockerfile, each time, its continued lines joined."""
    text = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    return re.findall(rf"^{name} (.*)$", text, re.MULTILINE)


def readme_command(mark: str) -> str:
    """The command below a mark in the README, which continuous integration runs."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- {mark} -->\n```bash\n(.*?)\n```", text, re.DOTALL)
    assert found
    return found.group(1)


def test_the_image_is_installed_as_the_readme_says_and_the_checks_do() -> None:
    set_up = instruction("RUN")[0].replace(" --no-cache-dir", "")
    assert readme_command("demo").startswith(f"{set_up} && ")
    assert readme_command("tests").startswith(set_up.removesuffix(".").rstrip())
    assert "set_up=${command% && *}" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_build_gets_all_files_that_the_set_up_needs() -> None:
    kept = set(re.findall(r"^!(.*)$", (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8"), re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {
        "pyproject.toml",
        "constraints.txt",
        "hatch_build.py",
        "src",
        "frontend",
        project["readme"],
        *project["license-files"],
    }
    assert kept == needed and all((ROOT / name).exists() for name in needed)


def test_the_image_runs_as_nobody_in_particular_and_tells_its_health() -> None:
    assert len(instruction("FROM")) == 2 and all(":" in base and ":latest" not in base for base in instruction("FROM"))
    (user,) = instruction("USER")
    assert int(user.split(":")[0]) >= 1000
    (health,) = instruction("HEALTHCHECK")
    (address,) = re.findall(r"http://127\.0\.0\.1:8765(/[^']*)'", health)
    assert address in OPEN_PATHS
    assert instruction("ENTRYPOINT") == ['["morphoscope"]']


def test_services_are_closed(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"] and service["mem_limit"] and service["pids_limit"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        read_only = [volume for volume in service["volumes"] if volume.endswith(":ro")]
        assert [volume.rsplit(":", 2)[1] for volume in read_only] == ["/models", "/data"]
        assert service.get("ports") or service["network_mode"] == "none", name
    assert "--token " not in DOCKERFILE and services["serve"]["secrets"] == ["morphoscope_tokens.toml"]


def command_lines(services: dict[str, Any]) -> Iterator[list[str]]:
    """Every call of the command line in the files."""
    yield json.loads(instruction("CMD")[0])
    yield from (service["command"] for service in services.values() if "command" in service)
    (line,) = re.findall(r"^ExecStart=(.*)$", UNIT, re.MULTILINE)
    yield shlex.split(line)[1:]


def test_every_command_exists_with_its_options(services: dict[str, Any]) -> None:
    known = get_command(app).commands  # type: ignore[attr-defined]
    found = list(command_lines(services))
    assert sorted(words[0] for words in found) == ["index", "serve", "serve", "watch"]
    for name, *words in found:
        with known[name].make_context(name, list(words)) as context:
            assert context.params


def test_paths_of_the_command_are_volumes_and_secrets(services: dict[str, Any]) -> None:
    mounted = {re.split(r":(?=/)", volume)[1].split(":")[0] for volume in services["serve"]["volumes"]}
    for words in ([*json.loads(instruction("CMD")[0])], *(s["command"] for s in services.values() if "command" in s)):
        for path in (word for word in words if word.startswith("/")):
            parent = path.rsplit("/", 1)[0] or path
            assert path in mounted or parent in mounted or path == "/run/secrets/morphoscope_tokens.toml", path


def test_the_example_of_tokens_is_one(tmp_path: Path) -> None:
    assert [token.role for token in read_tokens(DEPLOY / "tokens.example.toml")] == ["admin"]


def test_no_package_index_is_named() -> None:
    for path in DEPLOY.iterdir():
        text = path.read_text(encoding="utf-8")
        hosts = set(re.findall(r"https?://([^\s/:'\"]+)", text))
        assert hosts <= {"127.0.0.1"} and "index-url" not in text, path.name


def test_hadolint_finds_nothing() -> None:
    _checked(Path(sys.executable).with_name("hadolint"), DEPLOY / "Dockerfile")


def test_compose_fits_its_schema() -> None:
    _checked(
        Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"
    )


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd here to check the unit with")
    there = tmp_path / "morphoscope.service"
    there.write_text(
        UNIT.replace("/opt/morphoscope/.venv/bin/morphoscope", shutil.which("true") or "/bin/true"), encoding="utf-8"
    )
    checked = subprocess.run([program, "verify", there], capture_output=True, text=True, timeout=60)
    assert [line for line in (checked.stdout + checked.stderr).splitlines() if "morphoscope.service" in line] == []
    rated = subprocess.run([program, "security", "--offline=yes", there], capture_output=True, text=True, timeout=60)
    exposure = re.search(r"exposure level for morphoscope.service: ([\d.]+)", rated.stdout)
    assert exposure is None or float(exposure.group(1)) < 2.0


def _checked(program: Path, *arguments: object) -> None:
    if not program.is_file():
        pytest.skip(f"{program.name} is not installed; it comes with the extra 'test' on Linux")
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
