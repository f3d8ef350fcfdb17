"""Several tagged PDFs made one: pages, tags, names of cells."""

import subprocess
import sys
from pathlib import Path

import pikepdf
import pytest

from tests.web.printouts.examples import FRENCH, NOW, entry
from tests.web.printouts.reading import elements, faults_of, opened, text_of
from web.printouts import access_log, typesetter
from web.printouts.access_log import log_parts
from web.printouts.parts import joined, page_count


@pytest.fixture(scope="module")
def parts() -> list[bytes]:
    entries = [entry(number) for number in range(90)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(access_log, "PART", 30)
        laid_out, first_page = [], 1
        for data in log_parts(entries, FRENCH, NOW):
            laid_out.append(typesetter.lay_out("log", {**data, "first-page": first_page}))
            first_page += page_count(laid_out[-1])
    return laid_out


def test_pages_and_lines_follow_each_other(parts: list[bytes], tmp_path: Path) -> None:
    whole = joined(parts)
    assert page_count(whole) == sum(map(page_count, parts))
    assert faults_of(whole, tmp_path) == ""
    text = text_of(whole)
    places = [text.index(str(entry(number).id)) for number in range(90)]
    assert places == sorted(places)
    with opened(whole) as pdf:
        last = len(pdf.pages)
    assert text.split()[-1] == str(last)


def test_each_page_s_tags_are_its_own(parts: list[bytes]) -> None:
    """Each number of a page leads to the elements that are on that page."""
    with opened(joined(parts)) as pdf:
        tree = pdf.Root.StructTreeRoot
        assert str(pdf.Root.Lang) == "fr"
        assert pdf.Root.MarkInfo.Marked
        numbers = list(tree.ParentTree.Nums)
        found = dict(zip(map(int, numbers[::2]), numbers[1::2], strict=True))
        assert len(found) == len(pdf.pages) == int(tree.ParentTreeNextKey)
        for page in pdf.pages:
            on_page = list(found[int(page.obj.StructParents)])
            assert on_page
            assert {one.Pg.objgen for one in on_page} == {page.obj.objgen}


def test_the_tree_of_tags_is_one(parts: list[bytes]) -> None:
    with opened(joined(parts)) as pdf:
        tree = pdf.Root.StructTreeRoot
        assert len(tree.K) == 1
        names = [str(element.S) for element in elements(pdf)]
        assert names.count("/Table") == len(parts) == 3
        assert names.count("/TR") == 90 + len(parts)
        assert all(child.P.objgen == tree.K[0].objgen for child in tree.K[0].K)


def test_each_cell_names_the_heads_of_its_column(parts: list[bytes]) -> None:
    with opened(joined(parts)) as pdf:
        names = list(pdf.Root.StructTreeRoot.IDTree.Names)
        heads = {str(name): head for name, head in zip(names[::2], names[1::2], strict=True)}
        assert [str(name) for name in names[::2]] == sorted(map(str, names[::2]))
        assert all(str(head.ID) == name for name, head in heads.items())
        cells = [one for one in elements(pdf) if one.S == pikepdf.Name.TD]
        assert len(cells) == 180
        for cell in cells:
            (attributes,) = [one for one in cell.A if "/Headers" in one]
            (named,) = attributes.Headers
            assert _table(heads[str(named)]).objgen == _table(cell).objgen


def _table(element: pikepdf.Object) -> pikepdf.Object:
    while pikepdf.Name.Table != element.S:
        element = element.P
    return element


def test_who_serves_and_prints_nothing_does_without_it() -> None:
    """15 MiB of each serving process."""
    seen = "import sys, web.app; sys.exit('pikepdf' in sys.modules)"
    subprocess.run([sys.executable, "-c", seen], check=True)
