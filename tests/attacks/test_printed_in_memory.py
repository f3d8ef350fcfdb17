"""Invariant 5, of what is printed: Typst is given no file to write, and writes none."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import resource, sys
from web.printouts.sheet import Section, Sheet
from web.printouts.typesetter import typeset

sheet = Sheet("Carte de Malik", (), (Section("Qui", ("Camille Moreau", "王"), words=("محمد",)),))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # a byte written to any file ends the process
sys.stdout.buffer.write(typeset("sheet", sheet.data("fr")))
"""


def test_a_page_is_printed_where_no_file_can_be_written(tmp_path: Path) -> None:
    places = {name: str(tmp_path) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
    done = subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, **places, "PYTHONPATH": str(ROOT)},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"%PDF-1.7")
    assert list(tmp_path.iterdir()) == []
