"""The steps of adding a paper, one thing a page: pictures, which paper, whose and when, check.

What is said is kept in the draft under the names of a form of a document (`document_fields`), and
`then`: the page of a request, to which it is added.
"""

from calendar import monthrange
from dataclasses import replace
from datetime import date
from uuid import UUID

from base.errors import invalid
from base.user_text import clean_title
from vault import catalogue
from vault.documents.uploads.draft_rows import Draft
from web.pages.answer_steps import way_back
from web.pages.document_fields import MAX_LENGTH, NAMES
from web.pages.forms import Form

_ANSWERED = "answered"
VERSION_OF = "version_of"
"""The paper of which a draft becomes a newer version."""
DAY_PARTS = ("day", "month", "year")
_LONGEST = {"day": 2, "month": 2, "year": 4}
TYPED = "typed"
"""What was typed of the date that matters and is not said yet, as `DAY_PARTS` with `/` between."""
COME_BACK = ("pictures", "details", "check")
"""The steps that show the pictures, and to which what is done with one leads back."""
ENDS = "expires_on"
"""The field of a date that is the last of something."""


def address_of(draft: Draft, step: str = "") -> str:
    """The address of a step; without one, of the step that comes next. A newer version of a paper
    has one page."""
    if document_id := draft.values.get(VERSION_OF):
        return f"/documents/{document_id}/version?draft={draft.id}"
    return f"/documents/add/{draft.id}/{step or next_step(draft)}"


def next_step(draft: Draft) -> str:
    """The first thing that was not answered yet."""
    if not draft.pictures:
        return "pictures"
    if not draft.values.get("type"):
        return "type"
    return "check" if draft.values.get(_ANSWERED) else "details"


def way_from(draft: Draft, at: str) -> str:
    """The address of the step `at`, where a picture was looked at; of the next one, where
    that is no step, or no picture is left."""
    return address_of(draft, at if at in COME_BACK and draft.pictures else "")


def first_values(type_code: str, then: str) -> dict[str, str]:
    """What an address says of a paper to come: what is no type and no page of a request is left
    out."""
    known = catalogue.by_code(type_code) is not None and not catalogue.is_retired(type_code)
    return {"type": type_code if known else "", "then": way_back(then)}


def values_of(draft: Draft) -> dict[str, str]:
    """The fields of the document that it becomes."""
    return {name: draft.values.get(name, "") for name in NAMES}


def date_field(type_code: str) -> str | None:
    """The field of the one date that matters of a type."""
    document_type = catalogue.by_code(type_code)
    return document_type.date_that_matters.field if document_type else None


def details_in(form: Form, type_code: str) -> dict[str, str]:
    """What the page of details says: whose it is, and the date, as a form of a document has it."""
    said = {"title": form.get("title"), _ANSWERED: "yes", TYPED: ""}
    name = date_field(type_code)
    if name == "income_year":
        said[name] = form.get(name)
    elif name is not None:
        said[name] = "/".join(part for part in _taken(form, name).values() if part)
    return said


def typed_in(form: Form, type_code: str) -> dict[str, str]:
    """What was typed on that page, to be shown there again, where something else is done first;
    nothing where none of its fields were sent."""
    if not form.has("title"):
        return {}
    said = {"title": form.get("title")}
    name = date_field(type_code)
    if name == "income_year":
        said[TYPED] = form.get(name)
    elif name is not None:
        said[TYPED] = "/".join(day_parts(form, name).values())
    return said


def check_lengths(form: Form, type_code: str) -> None:
    """No more than the fields of that page take: what is typed there is kept before it is read.
    Raises `text_too_long`, `year_unreadable`, `date_unreadable`."""
    clean_title(form.get("title"), MAX_LENGTH)
    name = date_field(type_code)
    if name == "income_year":
        if len(form.get(name)) > _LONGEST["year"]:
            raise invalid("year_unreadable", fields=[(name,)])
    elif name is not None:
        parts = day_parts(form, name)
        if any(len(typed) > _LONGEST[part] for part, typed in parts.items()):
            raise invalid("date_unreadable", fields=[(name,)])


def day_parts(form: Form, name: str) -> dict[str, str]:
    """Day, month and year as they were typed."""
    return {part: form.get(f"{name}_{part}") for part in DAY_PARTS}


def _taken(form: Form, name: str) -> dict[str, str]:
    """The same, with the day that is taken where a paper has a month alone: the last for what ends,
    else the first. A day to answer, pay or come is not guessed."""
    parts = day_parts(form, name)
    if parts["day"] or not may_lack_day(name):
        return parts
    try:
        month = date(int(parts["year"]), int(parts["month"]), 1)
    except (ValueError, OverflowError):
        return parts
    last = monthrange(month.year, month.month)[1]
    return parts | {"day": str(last if name == ENDS else 1)}


def may_lack_day(name: str) -> bool:
    """Whether a month alone is enough for a date."""
    return name in (ENDS, "issued_on")


def check_whole_day(form: Form, type_code: str) -> None:
    """All of the date that matters, or nothing. Raises `date_unreadable`, with the part that is
    `missing`."""
    name = date_field(type_code)
    if name is not None and name != "income_year":
        whole_day(form, name)


def whole_day(form: Form, name: str) -> str:
    """A date of three fields as a form of a document has it, or nothing. Raises
    `date_unreadable`, with the part that is `missing`."""
    parts = _taken(form, name)
    missing = [part for part, typed in parts.items() if not typed]
    if missing and len(missing) < len(parts):
        needed = [part for part in missing if part != "day" or not may_lack_day(name)]
        raise invalid("date_unreadable", fields=[(name,)], missing=(needed or missing)[0])
    return "/".join(part for part in parts.values() if part)


def parts_of_day(text: str) -> dict[str, str]:
    """The same, of a day that is kept."""
    if "-" in text:
        text = "/".join(reversed(text.split("-")))
    return dict(zip(DAY_PARTS, text.split("/"), strict=False)) if text else {}


def moved(draft: Draft, picture_id: UUID, by: int) -> Draft:
    """The draft with a picture one place earlier (-1) or later (1); as it was, at either end."""
    pictures = list(draft.pictures)
    at = next((n for n, one in enumerate(pictures) if one.id == picture_id), None)
    if at is None or not 0 <= at + by < len(pictures):
        return draft
    pictures[at], pictures[at + by] = pictures[at + by], pictures[at]
    return replace(draft, pictures=tuple(pictures))
