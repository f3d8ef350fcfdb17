"""Several rewritten PDFs as one, with what the root of each says: forms, layers, outlines, tags."""

import io
from collections.abc import Iterator
from contextlib import ExitStack

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf

_MAX_LEVELS = 32


def join(pdfs: list[bytes]) -> bytes:
    """One PDF of all the pages, in order; the same input gives the same bytes.

    Fields of one name in two of them are renamed. A layer that is off stays off.
    """
    out = io.BytesIO()
    with ExitStack() as stack:
        joined = stack.enter_context(pikepdf.new())
        for data in pdfs:
            source = stack.enter_context(pikepdf.open(io.BytesIO(data)))
            first = len(joined.pages)
            joined.add_pages_from(source)
            _keep_text_style(joined, source)
            if _is_tagged(source):
                _join_tags(joined, source, first)
        joined.save(
            out,
            deterministic_id=True,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
        )
    return out.getvalue()


def _keep_text_style(joined: Pdf, source: Pdf) -> None:
    """Fields without a style of their own have that of their form."""
    given, form = source.Root.get("/AcroForm"), joined.Root.get("/AcroForm")
    if isinstance(given, Dictionary) and isinstance(form, Dictionary):
        style = given.get("/DA")
        if style is not None and "/DA" not in form:
            form["/DA"] = pikepdf.String(bytes(style))


# --- tags (ISO 32000-2 §14.7): one tree of all, its parent tree numbered on ---


def _is_tagged(source: Pdf) -> bool:
    root = source.Root.get("/StructTreeRoot")
    return isinstance(root, Dictionary) and root.is_indirect


def _join_tags(joined: Pdf, source: Pdf, first: int) -> None:
    copied = joined.copy_foreign(source.Root.StructTreeRoot)
    root = _tags_root(joined)
    step = int(root.ParentTreeNextKey)
    numbered = list(_numbered(copied.get("/ParentTree")))
    for key, value in numbered:
        root.ParentTree.Nums.append(step + key)
        root.ParentTree.Nums.append(value)
    root["/ParentTreeNextKey"] = step + 1 + max((key for key, _ in numbered), default=-1)
    for holder in _tagged_things(joined, first):
        for name in ("/StructParent", "/StructParents"):
            if name in holder:
                holder[name] = int(holder[name]) + step
    for element in _as_list(copied.get("/K")):
        if isinstance(element, Dictionary):
            element["/P"] = root
            root.K.append(element)
    _join_maps(root, copied)
    language = source.Root.get("/Lang")
    if language is not None and "/Lang" not in joined.Root:
        joined.Root["/Lang"] = pikepdf.String(bytes(language))


def _tags_root(joined: Pdf) -> Object:
    if "/StructTreeRoot" not in joined.Root:
        tree = joined.make_indirect(Dictionary(Nums=Array()))
        root = Dictionary(Type=Name.StructTreeRoot, K=Array(), ParentTree=tree, ParentTreeNextKey=0)
        joined.Root["/StructTreeRoot"] = joined.make_indirect(root)
        joined.Root["/MarkInfo"] = Dictionary(Marked=True)
    return joined.Root.StructTreeRoot


def _join_maps(root: Object, copied: Object) -> None:
    """The first meaning of a name stays."""
    for name in ("/RoleMap", "/ClassMap"):
        given = copied.get(name)
        if isinstance(given, Dictionary):
            held = root.get(name, Dictionary())
            held.update({key: value for key, value in given.items() if key not in held})
            root[name] = held
    spaces = copied.get("/Namespaces")
    if isinstance(spaces, Array):
        root["/Namespaces"] = Array([*_as_list(root.get("/Namespaces")), *spaces])


def _numbered(tree: Object | None, level: int = 0) -> Iterator[tuple[int, Object]]:
    """The pairs of a number tree."""
    if not isinstance(tree, Dictionary) or level > _MAX_LEVELS:
        return
    pairs = _as_list(tree.get("/Nums"))
    for key, value in zip(pairs[::2], pairs[1::2], strict=False):
        yield int(key), value
    for kid in _as_list(tree.get("/Kids")):
        yield from _numbered(kid, level + 1)


def _tagged_things(joined: Pdf, first: int) -> Iterator[Object]:
    """The pages from `first` on, their annotations, and the drawings inside, each once."""
    seen = set[tuple[int, int]]()
    stack: list[Object] = [page.obj for page in list(joined.pages)[first:]]
    while stack:
        thing = stack.pop()
        if not isinstance(thing, (Dictionary, pikepdf.Stream)) or thing.objgen in seen:
            continue
        if thing.is_indirect:
            seen.add(thing.objgen)
        yield thing
        stack += _as_list(thing.get("/Annots"))
        drawings = thing.get("/Resources", Dictionary()).get("/XObject")
        if isinstance(drawings, Dictionary):
            stack += drawings.values()


def _as_list(value: Object | None) -> list[Object]:
    if value is None:
        return []
    return list(value) if isinstance(value, Array) else [value]
