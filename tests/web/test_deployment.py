"""The deployment files: the compose file is valid, names real settings, and holds no secret."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from web.tools.settings_doc import FILE as SETTINGS_PAGE
from web.tools.settings_doc import page, variables

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "Dockerfile"


def required_variables() -> set[str]:
    """The variables without a default: `${NAME:?why}`."""
    return set(re.findall(r"\$\{(\w+):\?", COMPOSE.read_text()))


def config(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("no docker-compose here: apt install docker-compose")
    return subprocess.run(
        [program, "-f", str(COMPOSE), "config", "-q"],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_compose_file_reads() -> None:
    result = config(dict.fromkeys(required_variables(), "given"))
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("forgotten", sorted(required_variables()))
def test_a_forgotten_secret_is_said(forgotten: str) -> None:
    given = dict.fromkeys(required_variables() - {forgotten}, "given")
    assert config(given).returncode != 0


def test_every_setting_named_is_a_real_one() -> None:
    text = COMPOSE.read_text() + DOCKERFILE.read_text()
    named = set(re.findall(r"\b(?:UNEFOIS_[A-Z0-9_]+|(?:MIGRATIONS_)?DATABASE_URL)\b", text))
    assert len(named) > 15
    assert named - variables() == set()


def test_secrets_have_no_default() -> None:
    secret = re.compile(r"\$\{(\w*(?:PASSWORD|SECRET|KEY)\w*):-")
    assert secret.findall(COMPOSE.read_text()) == []


def test_the_image_is_of_nobody_and_by_hash() -> None:
    text = DOCKERFILE.read_text()
    assert "USER unefois" in text
    assert text.index("USER unefois") < text.index("ENTRYPOINT")
    assert "--require-hashes -r requirements/run.txt" in text


def test_every_floor_is_in_the_image() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE.read_text(), re.MULTILINE))
    floors = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert copied == floors
    ignored = (ROOT / ".dockerignore").read_text()
    assert all(f"!{floor}\n" in ignored for floor in floors)


def test_the_page_of_settings_is_the_code_s() -> None:
    assert SETTINGS_PAGE.read_text() == page()
