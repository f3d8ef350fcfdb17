"""Drawings and images that the content of a page names nowhere: no reader shows them, so they are
taken out of the resources."""

import re
from collections.abc import Callable, Iterator

from vault.decoding.pdf_objects import Objects, StreamDictionary, Value, is_reference
from vault.decoding.pdf_rewrite import Rewrite

_DRAWN = re.compile(
    rb"/([^\x00\t\n\f\r ()<>\[\]{}/%]*)(?:[\x00\t\n\f\r ]|%[^\r\n]*[\r\n])+Do"
    rb"(?![^\x00\t\n\f\r ()<>\[\]{}/%])"
)
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_HOLDERS = frozenset({"page", "xobject", "pattern", "font"})

Content = Callable[[str], bytes]
"""The data of a content stream, by its reference."""


def remove(objects: Objects, rewrite: Rewrite, content: Content) -> None:
    """Takes what is not drawn out of the resources of all that was kept."""
    unused = _Unused(objects, rewrite, content)
    used: dict[int, set[bytes]] = {}
    maps: dict[int, tuple[str, Value]] = {}
    for reference, holder, drawings in unused.holders():
        maps[id(drawings)] = (reference, drawings)
        used.setdefault(id(drawings), set()).update(unused.names(reference, holder))
    shared = unused.names_without_resources()
    for key, (_, drawings) in maps.items():
        for name in list(drawings):
            if name[1:].encode() not in used[key] | shared and not name.startswith("n:"):
                rewrite.dropped.append(("unused", drawings.pop(name)))
    for reference in unused.touched:
        rewrite.changed[reference] = unused.current(reference)


class _Unused:
    """What the kept objects hold now, and which content belongs to which resources."""

    def __init__(self, objects: Objects, rewrite: Rewrite, content: Content) -> None:
        self._objects, self._rewrite, self._content = objects, rewrite, content
        self.touched: set[str] = set()

    def current(self, reference: str) -> Value:
        """What will be written of an object."""
        changed = self._rewrite.changed
        return changed[reference] if reference in changed else self._objects.resolved(reference)

    def _resolved(self, value: Value, home: str) -> tuple[Value, str]:
        """The value, and the object that it stands in."""
        return (self.current(value), value) if is_reference(value) else (value, home)

    def holders(self) -> Iterator[tuple[str, Value, Value]]:
        """Each kept object with drawings among its resources: reference, itself, the drawings."""
        for reference, role in self._rewrite.kept.items():
            if role not in _HOLDERS:
                continue
            holder = self.current(reference)
            if not isinstance(holder, dict) or "/Resources" not in holder:
                continue
            resources, home = self._resolved(holder["/Resources"], reference)
            if not isinstance(resources, dict):
                continue
            drawings, home = self._resolved(resources.get("/XObject"), home)
            if isinstance(drawings, dict) and drawings:
                self.touched.add(home)
                yield reference, holder, drawings

    def names(self, reference: str, holder: Value) -> set[bytes]:
        """The names that the content of a page, a drawing, a tile or a font's glyphs draws."""
        streams: list[Value] = [reference] if isinstance(holder, StreamDictionary) else []
        for key in ("/Contents", "/CharProcs"):
            held, _ = self._resolved(holder.get(key), reference)
            if isinstance(holder.get(key), str) and isinstance(held, StreamDictionary):
                held = [holder[key]]
            streams += held.values() if isinstance(held, dict) else held or []
        return _drawn(b"\n".join(map(self._content, filter(is_reference, streams))))

    def names_without_resources(self) -> set[bytes]:
        """Content without resources of its own uses those of what it is drawn from."""
        found: set[bytes] = set()
        for reference, role in self._rewrite.kept.items():
            holder = self.current(reference) if role in _HOLDERS else None
            if isinstance(holder, dict) and "/Resources" not in holder:
                found |= self.names(reference, holder)
        return found


def _drawn(content: bytes) -> set[bytes]:
    return {
        _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), name)
        for name in _DRAWN.findall(content)
    }
