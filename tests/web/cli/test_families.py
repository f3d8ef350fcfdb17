"""A command imports its own family, and every command is listed under its own."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from web.cli import COMMANDS, families
from web.cli.main import parser

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", sorted(set(COMMANDS.values())))
def test_a_family_declares_the_commands_that_are_listed_under_it(name: str) -> None:
    listed = [command for command, family in COMMANDS.items() if family == name]
    declared = argparse.ArgumentParser().add_subparsers()
    (family,) = families(listed[0])
    family(declared)
    assert list(declared.choices) == listed


def test_help_names_every_command() -> None:
    assert set(parser()._subparsers._group_actions[0].choices) == set(COMMANDS)  # type: ignore[union-attr, arg-type]


def test_a_command_that_serves_nothing_imports_no_pages() -> None:
    seen = "import sys; from web.cli.main import parser; parser(sys.argv[1])"
    shown = f"{seen}; print('web.app' in sys.modules, 'fastapi' in sys.modules)"
    for command, imports in (("sweep", "False False"), ("serve", "True True")):
        run = [sys.executable, "-c", shown, command]
        done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == imports, command
