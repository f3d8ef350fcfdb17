"""Several tagged PDFs made one, their tags joined too: a long log is laid out part by part.

Copying pages alone would lose the tree of tags (ISO 32000-1, 14.7): pages have numbers in it, and
the cells of a table name those that head their columns.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import pikepdf
from pikepdf import Array, Name, Object, Pdf, String


def page_count(raw: bytes) -> int:
    """How many pages a PDF has."""
    with pikepdf.open(io.BytesIO(raw)) as document:
        return len(document.pages)


def joined(parts: Sequence[bytes]) -> bytes:
    """The pages of all parts in order, as one document with one tree of tags.

    The parts are ours, of one template: their tags need the same roles, and they have neither notes
    nor links on their pages.
    """
    if len(parts) == 1:
        return parts[0]
    out = io.BytesIO()
    with ExitStack() as opened:
        whole, *others = (opened.enter_context(pikepdf.open(io.BytesIO(raw))) for raw in parts)
        for number, other in enumerate(others, start=2):
            _append(whole, other, number)
        whole.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()


def _append(whole: Pdf, other: Pdf, number: int) -> None:
    tree = whole.Root.StructTreeRoot
    before, shift = len(whole.pages), int(tree.ParentTreeNextKey)
    # The pages first: the elements copied after them then refer to these copies.
    whole.pages.extend(other.pages)
    for page in whole.pages[before:]:
        page.obj.StructParents = int(page.obj.StructParents) + shift
    added = whole.copy_foreign(other.Root.StructTreeRoot)
    for cell in _cells(added.K[0]):
        _rename(cell, f"part{number:03}-")
    _join_documents(tree.K[0], added.K[0])
    _join_numbers(tree, added, shift)
    _join_names(tree, added, f"part{number:03}-")


def _join_documents(document: Object, added: Object) -> None:
    for child in added.K:
        child.P = document
        document.K.append(child)


def _join_numbers(tree: Object, added: Object, shift: int) -> None:
    """Which elements each page has, under the numbers that its pages have now."""
    numbers = added.ParentTree.Nums
    for at in range(0, len(numbers), 2):
        tree.ParentTree.Nums.append(int(numbers[at]) + shift)
        tree.ParentTree.Nums.append(numbers[at + 1])
    tree.ParentTreeNextKey = int(added.ParentTreeNextKey) + shift


def _join_names(tree: Object, added: Object, prefix: str) -> None:
    if Name.IDTree not in added:
        return
    names = added.IDTree.Names
    for at in range(0, len(names), 2):
        tree.IDTree.Names.append(String(prefix + str(names[at])))
        tree.IDTree.Names.append(names[at + 1])


def _cells(document: Object) -> Iterator[Object]:
    for table in document.K:
        if Name.Table == table.S:
            for group in table.K:
                for row in group.K:
                    yield from row.K


def _rename(cell: Object, prefix: str) -> None:
    """Tables of two parts give their cells the same names."""
    if Name.ID in cell:
        cell.ID = String(prefix + str(cell.ID))
    for attributes in cell.get(Name.A, Array()):
        if Name.Headers in attributes:
            attributes.Headers = Array([String(prefix + str(one)) for one in attributes.Headers])
