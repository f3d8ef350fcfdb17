"""The deployment files: the compose file is valid, names real settings, and holds no secret."""

import re
import shutil
import subprocess

import pytest
import yaml

from base.networks import parse_networks
from tests.servers.compose import COMPOSE, DOCKERFILE, ROOT, Json, resolve, services_of
from web.process.server import GRACE_SECONDS
from web.tools.settings_doc import FILE as SETTINGS_PAGE
from web.tools.settings_doc import page, variables


def required_variables() -> set[str]:
    """The variables without a default: `${NAME:?why}`."""
    return set(re.findall(r"\$\{(\w+):\?", COMPOSE.read_text()))


def config(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    if shutil.which("docker-compose") is None:
        pytest.skip("no docker-compose here: apt install docker-compose")
    return resolve(environment, "-q")


@pytest.fixture(scope="module")
def services() -> dict[str, Json]:
    """Each service of the file, without the variables that have a default."""
    if shutil.which("docker-compose") is None:
        pytest.skip("no docker-compose here: apt install docker-compose")
    return services_of(dict.fromkeys(required_variables(), "given"))


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
    """Empty is none: what may be absent."""
    secret = re.compile(r"\$\{(\w*(?:PASSWORD|SECRET|KEY|TOKEN)\w*):?-[^}]")
    assert secret.findall(COMPOSE.read_text()) == []


@pytest.mark.parametrize("name", ["SMS_GATEWAY_URL", "SMTP_HOST", "OPERATOR_EMAIL"])
def test_what_production_needs_is_asked_before_it_starts(name: str) -> None:
    assert name in required_variables()


def test_no_service_keeps_a_capability_that_it_does_not_need(services: dict[str, Json]) -> None:
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
    assert {name: one["cap_add"] for name, one in services.items() if "cap_add" in one} == {
        "caddy": ["NET_BIND_SERVICE"]
    }


def test_images_are_those_of_a_version_and_a_digest(services: dict[str, Json]) -> None:
    exact = re.compile(r"[a-z/]+:v?\d+\.\d+(\.\d+)?(-slim)?@sha256:[0-9a-f]{64}")
    images = [one["image"] for one in services.values() if "build" not in one]
    images += re.findall(r"^FROM (\S+)", DOCKERFILE.read_text(), re.MULTILINE)
    assert len(images) == 6
    assert [image for image in images if not exact.fullmatch(image)] == []


def test_who_faces_strangers_goes_nowhere_and_stores_are_reached_from_inside(
    services: dict[str, Json],
) -> None:
    joined = {name: set(one["networks"]) for name, one in services.items()}
    assert joined == {
        "caddy": {"public", "edge"},
        "api": {"edge", "inside"},
        "jobs": {"inside", "outbound"},
        "migrate": {"inside"},
        "postgres": {"inside"},
        "garage": {"inside"},
        "clamd": {"inside", "outbound"},
        "mail": {"outbound"},
    }
    networks = yaml.safe_load(COMPOSE.read_text())["networks"]
    assert {name for name, one in networks.items() if one and one.get("internal")} == {
        "edge", "inside"
    }  # fmt: skip
    assert {name for name, one in services.items() if "ports" in one} == {"caddy", "mail"}


def test_the_only_listed_proxy_is_the_one_of_the_file(services: dict[str, Json]) -> None:
    proxy = services["caddy"]["networks"]["edge"]["ipv4_address"]
    assert services["api"]["environment"]["UNEFOIS_TRUSTED_PROXIES"] == proxy
    assert parse_networks(proxy)[0].num_addresses == 1


def test_a_stop_waits_longer_than_the_service_does(services: dict[str, Json]) -> None:
    for name in ("api", "jobs", "caddy"):
        assert int(services[name]["stop_grace_period"].removesuffix("s")) > GRACE_SECONDS + 10


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
