"""Homes of embedded PostgreSQLs, one for each test."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from base.embedded.server import EmbeddedPostgres
from tests.base.embedded.homes import short_folder


@pytest.fixture(scope="session")
def made_once() -> Iterator[Path]:
    with short_folder() as folder:
        embedded = EmbeddedPostgres(folder)
        embedded.start()
        embedded.stop()
        yield folder


@pytest.fixture
def new_home() -> Iterator[Path]:
    """A home that does not exist yet."""
    with short_folder() as folder:
        yield folder


@pytest.fixture
def home(new_home: Path, made_once: Path) -> Path:
    """A home with its data already initialised: a copy, since a stopped home may be moved."""
    subprocess.run(["/bin/cp", "-a", str(made_once), str(new_home)], check=True)
    new_home.parent.chmod(made_once.parent.stat().st_mode)
    return new_home


@pytest.fixture
def postgres(home: Path) -> Iterator[EmbeddedPostgres]:
    embedded = EmbeddedPostgres(home)
    yield embedded
    embedded.stop()


@pytest.fixture
def new(new_home: Path) -> Iterator[EmbeddedPostgres]:
    embedded = EmbeddedPostgres(new_home)
    yield embedded
    embedded.stop()
