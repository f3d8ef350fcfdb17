"""Invariant 5, of what is printed: Typst is given no file to write, and writes none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import resource, sys
from web.printouts.card_sheet import CardSheet
from web.printouts.sheet import Section, Sheet
from web.printouts.typesetter import typeset

sheet = Sheet("Carte de Malik", (), (Section("Qui", ("Camille Moreau", "王"), words=("محمد",)),))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # a byte written to any file ends the process
card = CardSheet("7QK0-0000-1111-2222-333Z", "https://unefois.example/#7QK0", "Malika B.")
pages = {"sheet": sheet, "card": card}
sys.stdout.buffer.write(typeset(sys.argv[1], pages[sys.argv[1]].data("fr")))
"""


@pytest.mark.parametrize("template", ["sheet", "card"])
def test_a_page_is_printed_where_no_file_can_be_written(tmp_path: Path, template: str) -> None:
    places = {name: str(tmp_path) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
    done = subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM, template],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, **places, "PYTHONPATH": str(ROOT)},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"%PDF-1.7")
    assert list(tmp_path.iterdir()) == []
