"""The walk that rewrites a PDF from the allow-list: it starts at the catalogue, resolves every
reference before it judges, and judges each object in the role in which it is met."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from vault.decoding import pdf_annotations as annotations
from vault.decoding import pdf_rules as rules
from vault.decoding.media import Undecodable
from vault.decoding.pdf_objects import (
    Objects,
    Real,
    StreamDictionary,
    Value,
    filters,
    is_reference,
    text,
)

_WEB = re.compile(rb"https?://[^\x00-\x20\x7f]+", re.IGNORECASE)
_PLAIN = frozenset({int, bool, Real})
_PLAIN_ROLES = frozenset({"", "number", "string"})
_MAX_DEPTH = 60
_MAX_COPIES = 2000
DROPPED = object()
"""Instead of a value: nothing of it stays."""


@dataclass
class Rewrite:
    """One rewriting. `pages` are the references of the page tree's leaves, in order."""

    objects: Objects
    pages: list[str]
    is_profile: Callable[[str], bool]
    """Whether the stream of a reference is a colour profile that may stay."""
    kept: dict[str, str] = field(default_factory=dict)
    """The reference of each object that stays, to the role in which it was met first."""
    changed: dict[str, Value] = field(default_factory=dict)
    dropped: list[tuple[str, Value]] = field(default_factory=list)
    """What was dropped: the key or role, and the value."""
    missing: bool = False
    """A reference that was met leads to no object."""
    _work: list[tuple[str, str]] = field(default_factory=list)
    _copies: int = 0
    _page_set: frozenset[str] = frozenset()
    _fields: annotations.FormFields = field(default_factory=annotations.FormFields)

    def run(self) -> None:
        """Judges everything that can be reached; afterwards `changed` holds what differs."""
        self._page_set = frozenset(self.pages)
        self._fields = annotations.fields_on(self.objects, self.pages)
        root = self.objects.trailer["/Root"]
        catalogue = self.objects.resolved(root)
        if not is_reference(root) or not isinstance(catalogue, dict):
            raise Undecodable
        held = catalogue.get("/Pages")
        tree = str(held) if is_reference(held) else self.objects.new_reference()
        self._rewrite_pages(tree)
        self.kept[root] = "catalog"
        kept = {"/Pages": tree}
        for key, value in catalogue.items():
            role = rules.RULES["catalog"].keys.get(key)
            if role is None:
                if key != "/Pages":
                    self.dropped.append((key, value))
                continue
            if key != "/StructTreeRoot":
                self._keep(kept, key, value, role, 0)
                self._drain()
        # The tags come last: they may only point at what is kept.
        self._keep(kept, "/StructTreeRoot", catalogue.get("/StructTreeRoot"), "structure", 0)
        self._drain()
        self._change(root, {**kept, "/Type": "/Catalog"})

    def _rewrite_pages(self, tree: str) -> None:
        self.kept[tree] = "pages"
        self._change(
            tree, {"/Type": "/Pages", "/Count": len(self.pages), "/Kids": list(self.pages)}
        )
        for page in self.pages:
            self.kept[page] = "page"
        for page in self.pages:
            kept = self._dictionary(self.objects.resolved(page), "page", 0)
            if kept is DROPPED:
                raise Undecodable
            self._change(page, {**kept, "/Type": "/Page", "/Parent": tree})
        self._drain()

    def _change(self, reference: str, value: Value) -> None:
        if self.objects.by_reference.get(reference) != value:
            self.changed[reference] = value

    def _drain(self) -> None:
        while self._work:
            reference, role = self._work.pop()
            value = self.objects.by_reference[reference]
            # Whether it stays was judged when it was met; here it is what of it stays.
            is_list = isinstance(value, list)
            built = self._list(value, role, 0) if is_list else self._dictionary(value, role, 0)
            self._change(reference, None if built is DROPPED else built)

    # --- values ---

    def _value(self, value: Value, role: str, depth: int) -> Value:
        """What stays of a value that is met in a role, or `DROPPED`."""
        if isinstance(value, str):
            # The quick way for most: no name and no string is among the references.
            if self.kept.get(value) == role:
                return value
            if value[:1] != "/" and is_reference(value):
                return self._reference(value, role, depth)
        return self._built(value, role, depth)

    def _reference(self, reference: str, role: str, depth: int) -> Value:
        if role == "made_new":
            return None
        if role in {"page_link", "kept"}:
            return reference if self._may_point(reference, role) else DROPPED
        if role == "field":
            if reference not in self._fields.kept:
                return DROPPED
            role = "annotation"
        value = self.objects.by_reference.get(reference)
        if value is None:
            self.missing |= reference not in self.objects.by_reference
            return None
        if not isinstance(value, (dict, list)):
            return self._value(value, role, depth + 1) if depth < _MAX_DEPTH else DROPPED
        role = self._precise(value, role)
        first = self.kept.get(reference)
        if first == role:
            return reference
        if first is not None:
            return self._copy(value, role, depth)
        if self._refused(value, role, reference):
            self.dropped.append((role, reference))
            return DROPPED
        self.kept[reference] = role
        self._work.append((reference, role))
        return reference

    def _copy(self, value: Value, role: str, depth: int) -> Value:
        """An object that is met again in another role is copied, if it is not a stream."""
        self._copies += 1
        if isinstance(value, StreamDictionary) or self._copies > _MAX_COPIES:
            return DROPPED
        return self._built(value, role, depth + 1)

    def _may_point(self, reference: str, role: str) -> bool:
        if role == "page_link":
            return reference in self._page_set
        return self.kept.get(reference) in {"annotation", "xobject"}

    def _built(self, value: Value, role: str, depth: int) -> Value:
        if depth > _MAX_DEPTH:
            return DROPPED
        if isinstance(value, list):
            return self._list(value, role, depth)
        if isinstance(value, dict):
            role = self._precise(value, role)
            if self._refused(value, role, None):
                self.dropped.append((role, value))
                return DROPPED
            return self._dictionary(value, role, depth)
        if type(value) is str:
            is_string = value[:2] in {"u:", "b:"}
            fits = role in rules.STRINGS if is_string else role != "number"
            return value if fits else DROPPED
        return value

    def _precise(self, value: Value, role: str) -> str:
        """The role by what the object says it is, where a role has two."""
        if role == "look":
            return "xobject" if isinstance(value, StreamDictionary) else "*xobject"
        if role == "property":
            kind = self.objects.get(value, "/Type")
            return "layer" if kind in {"/OCG", "/OCMD"} else "artifact"
        return role

    # --- dictionaries ---

    def _keep(self, into: Value, key: str, value: Value, role: str, depth: int) -> None:
        if value is None:
            return
        kept = self._value(value, role, depth + 1)
        if kept is DROPPED:
            self.dropped.append((key, value))
        elif kept is not None:
            into[key] = kept

    def _dictionary(self, value: Value, role: str, depth: int) -> Value:
        if role == "action":
            return self._action(value)
        if role == "dest":
            return self._target_holder(value)
        if role.startswith("*"):
            into: Value = {}
            for key, held in value.items():
                self._keep(into, key, held, role[1:], depth)
            return into
        if role == "annotation":
            name = annotations.rule_name(self.objects, value)
            kept = self._ruled(value, rules.RULES[name], depth)
            annotations.finish(self.objects, value, name, kept)
            return kept
        rule = rules.RULES.get(role)
        if rule is None:
            return DROPPED
        kept = self._ruled(value, rule, depth)
        if role == "form":
            listed = self._list(_as_list(self.objects.get(value, "/Fields")), "field", depth)
            kept["/Fields"] = list(dict.fromkeys([*listed, *self._fields.stamps]))
        if role == "xobject" and "/BBox" in kept:
            kept["/BBox"] = _ordered(self.objects.get(value, "/BBox"))
        if role == "structure" and "/Obj" in value and "/Obj" not in kept:
            return DROPPED  # A tag for an annotation that went.
        return kept

    def _ruled(self, value: Value, rule: rules.Rule, depth: int) -> Value:
        is_stream = isinstance(value, StreamDictionary)
        into = StreamDictionary() if is_stream else {}
        for key, held in value.items():
            role = rule.keys.get(key)
            if role is None and is_stream:
                role = rules.STREAM_KEYS.get(key)
            if role is None:
                self.dropped.append((key, held))
            elif role in _PLAIN_ROLES and type(held) in _PLAIN:
                into[key] = held
            elif role[:1] == ":":
                self._keep_pairs(into, key, held, role[1:], depth)
            else:
                self._keep(into, key, held, role, depth)
        if into.get("/Type") not in rules.TYPES:
            into.pop("/Type", None)
        return into

    def _keep_pairs(self, into: Value, key: str, value: Value, role: str, depth: int) -> None:
        """The pairs of a name tree or a number tree; a value that is dropped leaves a null."""
        pairs = self.objects.resolved(value)
        if not isinstance(pairs, list):
            return
        into[key] = []
        for name, held in zip(pairs[::2], pairs[1::2], strict=False):
            kept = self._value(held, role, depth + 1)
            label = self.objects.resolved(name)
            into[key] += [
                None if isinstance(label, (dict, list)) else label,
                None if kept is DROPPED else kept,
            ]

    # --- arrays ---

    def _list(self, value: list[Value], role: str, depth: int) -> Value:
        if role == "dest":
            return self._target(value)
        if role == "colour":
            return self._colour(value, depth)
        role = role if role in rules.LISTS else rules.ITEMS.get(role, "")
        kept: list[Value] = []
        for item in value:
            if type(item) in _PLAIN:
                kept.append(item)
                continue
            stays = self._value(item, role, depth + 1)
            if stays is not DROPPED and (stays is not None or role not in rules.SHORTENED):
                kept.append(stays)
                continue
            if stays is DROPPED:
                self.dropped.append((role, item))
            if role not in rules.SHORTENED:
                kept.append(None)
        return kept

    def _colour(self, value: list[Value], depth: int) -> Value:
        """A colour space: the family's name decides what the others are."""
        family = self.objects.resolved(value[0]) if value else None
        roles = rules.COLOURS.get(family) if isinstance(family, str) else None
        if roles is None:
            return DROPPED
        if family == "/ICCBased" and not self._has_profile(value):
            return self._without_profile(value, depth)
        kept = [family]
        for held, role in zip(value[1:], roles, strict=False):
            stays = self._value(held, role, depth + 1)
            if stays is DROPPED:
                return DROPPED
            kept.append(stays)
        return kept

    def _has_profile(self, value: list[Value]) -> bool:
        return len(value) > 1 and is_reference(value[1]) and self.is_profile(value[1])

    def _without_profile(self, value: list[Value], depth: int) -> Value:
        """The colour space that readers use when they cannot read the profile."""
        profile = self.objects.resolved(value[1]) if len(value) > 1 else None
        if not isinstance(profile, dict):
            return DROPPED
        if profile.get("/Alternate") is not None:
            return self._value(profile["/Alternate"], "colour", depth + 1)
        channels = self.objects.get(profile, "/N")
        names = {1: "/DeviceGray", 3: "/DeviceRGB", 4: "/DeviceCMYK"}
        return names.get(channels, DROPPED) if isinstance(channels, int) else DROPPED

    def _target(self, value: list[Value]) -> Value:
        """An explicit destination (§12.3.2): a page of this file, then numbers and a name."""
        if not value or not is_reference(value[0]) or value[0] not in self._page_set:
            return DROPPED
        view = self.objects.resolved(value[1]) if len(value) > 1 else None
        if not isinstance(view, str) or view not in rules.VIEWS:
            return [value[0], "/Fit"]
        numbers = [self.objects.resolved(item) for item in value[2 : 2 + rules.VIEWS[view]]]
        return [value[0], view, *(item if type(item) in _PLAIN else None for item in numbers)]

    def _target_holder(self, value: Value) -> Value:
        target = self._value(value.get("/D"), "dest", 0)
        return DROPPED if target in (DROPPED, None) else {"/D": target}

    # --- actions ---

    def _action(self, value: Value) -> Value:
        kind = self.objects.get(value, "/S")
        if "/Next" in value:
            self.dropped.append(("/Next", value["/Next"]))
        if kind == "/GoTo":
            target = self._value(value.get("/D"), "dest", 0)
            return DROPPED if target in (DROPPED, None) else {"/S": kind, "/D": target}
        key = "/N" if kind == "/Named" else "/URI"
        return {"/S": kind, key: self.objects.get(value, key)}

    def _allows(self, action: Value) -> bool:
        kind = self.objects.get(action, "/S")
        if kind == "/Named":
            return self.objects.get(action, "/N") in rules.MOVES
        if kind == "/URI":
            return _WEB.fullmatch(text(self.objects.get(action, "/URI"))) is not None
        return bool(kind == "/GoTo")

    # --- refusals ---

    def _refused(self, value: Value, role: str, reference: str | None) -> bool:
        """Whether nothing of a dictionary or stream may stay in this role."""
        if isinstance(value, list):
            return False
        if isinstance(value, StreamDictionary) and not self._is_readable(value, role, reference):
            return True
        if role == "action":
            return not self._allows(value)
        if role == "profile":
            return reference is None or not self.is_profile(reference)
        if role == "annotation":
            return not (annotations.is_shown(self.objects, value) or reference in self._fields.kept)
        if role == "xobject":
            return self.objects.get(value, "/Subtype") not in {None, "/Form", "/Image"}
        rule = rules.RULES.get(role)
        return rule is not None and not rule.dictionary and not isinstance(value, StreamDictionary)

    def _is_readable(self, value: StreamDictionary, role: str, reference: str | None) -> bool:
        """Whether a stream may stand in this role, with filters that are known."""
        rule = rules.RULES.get(role)
        if reference is None or rule is None or not rule.stream:
            return False
        names = filters(self.objects, value)
        if not names:
            return True
        *outer, last = names
        is_image = role == "xobject" and self.objects.get(value, "/Subtype") == "/Image"
        known = last in rules.FILTERS or (is_image and last in rules.IMAGE_FILTERS)
        return known and all(name in rules.FILTERS for name in outer)


def _as_list(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []


def _ordered(box: Value) -> Value:
    """A rectangle by its lower left and upper right corners: the look of a stamp is not drawn by
    some readers when it is given by others."""
    sides = [side for side in _as_list(box) if type(side) in _PLAIN][:4]
    if len(sides) < 4:
        return sides
    (left, right), (bottom, top) = (sorted(pair, key=float) for pair in (sides[::2], sides[1::2]))
    return [left, bottom, right, top]
