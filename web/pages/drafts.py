"""Adding a paper, one thing a page: pictures, which paper, whose and when, check, keep.

Each step keeps what it got (`vault.documents.uploads.drafts`) before it leads to the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fastapi import Response
from fastapi.responses import RedirectResponse

from base.errors import ErrorKind, ServiceError, invalid, not_found
from vault import catalogue
from vault.document_view import DocumentView
from vault.documents import own_documents
from vault.documents.uploads import drafts, pictures
from vault.documents.uploads.draft_rows import Draft, Ended
from vault.documents.uploads.pictures import Received
from web.http.path_ids import PathId
from web.pages import draft_steps as steps
from web.pages import script_answers
from web.pages.answer_steps import counted_in, way_back
from web.pages.document_fields import date_of, metadata_of
from web.pages.documents import all_from
from web.pages.families import paper_families, paper_family
from web.pages.forms import Form
from web.pages.page import PersonPage, PersonPageDep, go, page_router

router = page_router()
# Failures after which the same form would not help.
NO_FORM = (ErrorKind.NOT_FOUND, ErrorKind.REFUSED)


# Declared before the pages of one document: "add" is not an id.
@router.get("/documents/add")
async def ask_pictures(
    page: PersonPageDep,
    type: str = "",  # noqa: A002  (the contract's word)
    then: str = "",
) -> Response:
    """The first page: the camera. A request says which paper it asks for, and
    `then`: its page to come back to."""
    begun = await drafts.all_of(page.services, page.person)
    first = steps.first_values(type, then)
    return await page.show(
        "draft_pictures.html", draft=None, first=first, begun=begun, came="", back="/documents"
    )


@router.post("/documents/add")
async def begin(
    page: PersonPageDep,
    type: str = "",  # noqa: A002  (the contract's word)
    then: str = "",
) -> Response:
    """The first pictures. What the address says is known even where the form is too large."""
    first = steps.first_values(type, then)
    try:
        received = await pictures.receive(page.services, page.person, page.upload(), values=first)
    except ServiceError as failure:
        return await _refused(page, failure, None, first)
    if received.draft is None or await _stay_in_the_page(page, received):
        return await _show_pictures(page, received.failures, None, first)
    return await _after_pictures(page, received.draft, received.failures)


@router.get("/documents/add/{draft_id}/pictures")
async def ask_more(draft_id: PathId, page: PersonPageDep, at: str = "") -> Response:
    """What is kept, and another side or other pages; `at`: the step that one comes from."""
    draft = await drafts.see(page.services, page.person, draft_id)
    return await _show_pictures(page, (), draft, at=at)


@router.post("/documents/add/{draft_id}/pictures")
async def add_more(draft_id: PathId, page: PersonPageDep, at: str = "") -> Response:
    """More pictures of the same paper; of one that was kept or dropped meanwhile, they begin
    another. `at`: the step that one came from."""
    draft = await drafts.see_any(page.services, page.person, draft_id)
    try:
        received = await pictures.receive(page.services, page.person, page.upload(), draft)
    except ServiceError as failure:
        return await _refused(page, failure, draft, at=at)
    if await _stay_in_the_page(page, received):
        return await _show_pictures(page, received.failures, draft, at=at)
    return await _after_pictures(page, received.draft or draft, received.failures, at)


async def _stay_in_the_page(page: PersonPage, received: Received) -> bool:
    """Whether all pictures are to be sent again: a page with a script still has them all, and would
    send those that were good twice."""
    if not received.failures or not script_answers.asked_by_script(page.request):
        return False
    await pictures.forget(page.services, page.person, received)
    return True


async def _after_pictures(
    page: PersonPage, draft: Draft, failures: list[ServiceError], at: str = ""
) -> Response:
    """The next step; or what was wrong with some, and that the others are kept."""
    if failures:
        return await _show_pictures(page, failures, draft, at=at)
    return go(steps.address_of(draft))


async def _refused(
    page: PersonPage,
    failure: ServiceError,
    draft: Draft | None,
    first: dict[str, str] | None = None,
    at: str = "",
) -> Response:
    if failure.kind in NO_FORM:
        raise failure
    return await _show_pictures(page, [failure], draft, first, at)


async def _show_pictures(
    page: PersonPage,
    failures: Sequence[ServiceError],
    draft: Draft | None,
    first: dict[str, str] | None = None,
    at: str = "",
) -> Response:
    known = first or steps.first_values("", "")
    # Of too many pictures, those of other papers can be done without.
    full = any(failure.kind is ErrorKind.CONFLICT for failure in failures)
    begun = await drafts.all_of(page.services, page.person) if full else []
    return await page.show_failures(
        failures,
        "draft_pictures.html",
        draft=draft,
        first=known,
        begun=begun,
        came=at if at in steps.COME_BACK else "",
        # Never to a later step than the one that one comes from.
        back=steps.way_from(draft, at) if draft and at in steps.COME_BACK[1:] else "/documents",
    )


@router.get("/documents/add/{draft_id}/type")
async def ask_type(
    draft_id: PathId,
    page: PersonPageDep,
    family: str = "",
    start: int = 0,
) -> Response:
    """The families, or a few types of one."""
    draft = await drafts.see(page.services, page.person, draft_id)
    return await _show_types(page, draft, family, start)


@router.post("/documents/add/{draft_id}/type")
async def say_type(draft_id: PathId, page: PersonPageDep) -> Response:
    """Which paper it is."""
    form = await page.form()
    code = form.get("type")
    draft = await drafts.see(page.services, page.person, draft_id)
    if catalogue.by_code(code) is None or catalogue.is_retired(code):
        failure = invalid("type_missing", fields=[("type",)])
        return await _show_types(page, draft, "", 0, failure)
    draft = await drafts.change(
        page.services, page.person, draft_id, lambda found: _of_type(found, code)
    )
    return go(steps.address_of(draft))


def _of_type(draft: Draft, code: str) -> Draft:
    """The date of another type has another meaning: it is asked again."""
    if draft.values.get("type") == code:
        return draft
    kept = {name: draft.values.get(name, "") for name in ("title", "then", steps.VERSION_OF)}
    return replace(draft, values={**kept, "type": code})


async def _show_types(
    page: PersonPage, draft: Draft, family: str, start: int, *failures: ServiceError
) -> Response:
    chosen = paper_family(family)
    if family and chosen is None:
        raise not_found()
    types, after = chosen.shown_from(max(0, start)) if chosen else ((), None)
    return await page.show_failures(
        failures,
        "draft_type.html",
        draft=draft,
        families=paper_families(),
        family=chosen,
        types=types,
        after=after,
    )


@router.get("/documents/add/{draft_id}/details")
async def ask_details(draft_id: PathId, page: PersonPageDep) -> Response:
    """Whose it is, and the one date that matters."""
    draft = await drafts.see(page.services, page.person, draft_id)
    if not draft.values.get("type"):
        return go(steps.address_of(draft))
    return await show_details(page, draft, draft.values)


@router.post("/documents/add/{draft_id}/details")
async def say_details(draft_id: PathId, page: PersonPageDep) -> Response:
    """Both, or neither: nothing of it has to be known."""
    form = await page.form()
    draft = await drafts.see(page.services, page.person, draft_id)
    code = draft.values.get("type", "")
    if not code:
        return go(steps.address_of(draft))
    more, said = form.get("act") == "more", steps.details_in(form, code)
    try:
        steps.check_lengths(form, code)
        if not more:
            steps.check_whole_day(form, code)
            metadata_of({**steps.values_of(draft), **said})
    except ServiceError as failure:
        return await show_details(page, draft, said, failure, form=form)
    kept = steps.typed_in(form, code) if more else said
    draft = await drafts.change(
        page.services, page.person, draft_id, lambda found: found.saying(**kept)
    )
    if more:
        return go(f"/documents/add/{draft_id}/pictures?at=details#more")
    return go(steps.address_of(draft))


async def show_details(
    page: PersonPage,
    draft: Draft,
    values: Mapping[str, str],
    *failures: ServiceError,
    form: Form | None = None,
) -> Response:
    """The page of details, with what was typed there and what is wrong with it."""
    name = steps.date_field(draft.values["type"])
    typed = {**steps.values_of(draft), **values}
    unsaid = typed.get(steps.TYPED, "")
    if unsaid and name == "income_year":
        typed[name] = unsaid
    day = (
        steps.day_parts(form, name)
        if form and name
        else steps.parts_of_day(unsaid or typed.get(name or "", ""))
    )
    return await page.show_failures(
        failures, "draft_details.html", draft=draft, name=name, typed=typed, day=day
    )


@router.get("/documents/add/{draft_id}/check")
async def check(draft_id: PathId, page: PersonPageDep) -> Response:
    """All of it, with the way to change each thing; of one that was kept, the paper."""
    draft = await drafts.see_any(page.services, page.person, draft_id)
    if draft.ended is not None:
        return await _go_to_what_it_became(page, draft, draft.ended)
    if draft.values.get(steps.VERSION_OF):
        return go(steps.address_of(draft))
    return await _show_check(page, draft)


@router.post("/documents/add/{draft_id}/check")
async def keep(draft_id: PathId, page: PersonPageDep) -> Response:
    """Keep the paper; the same file again, and a second tap, lead to the one already held."""
    form = await page.form()
    draft = await drafts.see_any(page.services, page.person, draft_id)
    if draft.ended is not None:
        return await _go_to_what_it_became(page, draft, draft.ended)
    if draft.values.get(steps.VERSION_OF):
        return go(steps.address_of(draft))
    try:
        if draft.mixed and not form.has("together"):
            raise invalid("one_paper_unsaid", fields=[("together",)])
        if (former := await _to_replace(page, draft, form.get("replace"))) is not None:
            return await _to_version_of(page, draft, former)
        metadata = metadata_of(steps.values_of(draft))
        deposited = await drafts.keep(page.services, page.person, draft, metadata)
    except ServiceError as failure:
        if failure.kind in NO_FORM:
            raise
        return await _show_check(page, draft, failure, former_becomes=form.get("replace"))
    return _go_to_the_paper(draft, deposited.document, held=deposited.already_held)


async def _go_to_what_it_became(page: PersonPage, draft: Draft, ended: Ended) -> Response:
    if ended.document_id is None:
        return go("/documents", done="discarded")
    document = await own_documents.see_own(page.services, page.person, ended.document_id)
    return _go_to_the_paper(draft, document, held=ended.already_held)


def _go_to_the_paper(draft: Draft, document: DocumentView, *, held: bool) -> Response:
    """To the request that it was added for, or to the paper itself."""
    if back := way_back(draft.values.get("then", "")):
        done = "held_for_request" if held else "added"
        return RedirectResponse(counted_in(back, document, done), 303)
    return go(f"/documents/{document.id}", done="held" if held else "added")


async def _to_replace(page: PersonPage, draft: Draft, said: str) -> DocumentView | None:
    """The paper that is replaced, where its owner said so. Raises `replace_unsaid` where they have
    to say it, and did not."""
    former = await _former_held(page, draft)
    if former is None or said == "no":
        return None
    if said != "yes":
        raise invalid("replace_unsaid")
    return former


async def _to_version_of(page: PersonPage, draft: Draft, former: DocumentView) -> Response:
    """To the page of a newer version, with the photos and the date that are there."""
    of = {steps.VERSION_OF: str(former.id)}
    draft = await drafts.change(
        page.services, page.person, draft.id, lambda found: found.saying(**of)
    )
    return go(steps.address_of(draft))


async def _former_held(page: PersonPage, draft: Draft) -> DocumentView | None:
    """The newest paper of the same sort and of the same name, of a sort that ends one day and is
    had once: of pay slips one keeps each. None where the new one is older, or for a request."""
    typed = steps.values_of(draft)
    if steps.date_field(typed["type"]) != steps.ENDS or draft.values.get("then"):
        return None
    if await _newer_held(page, typed) is not None:
        return None
    said = metadata_of(typed)
    async for one in all_from(page):
        if (one.metadata.type, one.metadata.title) == (said.type, said.title):
            return one
    return None


async def _show_check(
    page: PersonPage, draft: Draft, *failures: ServiceError, former_becomes: str = ""
) -> Response:
    code = draft.values.get("type", "")
    typed, name = steps.values_of(draft), steps.date_field(code)
    return await page.show_failures(
        failures,
        "draft_check.html",
        draft=draft,
        typed=typed,
        name=name,
        said=date_of(typed[name]) if name and name != "income_year" else None,
        newer=await _newer_held(page, typed) if name == steps.ENDS else None,
        former=await _former_held(page, draft),
        former_becomes=former_becomes,
    )


async def _newer_held(page: PersonPage, typed: Mapping[str, str]) -> DocumentView | None:
    """A paper of the same sort and of the same name that ends later than the one to be kept."""
    end = date_of(typed[steps.ENDS])
    if end is None:
        return None
    said = metadata_of(typed)
    alike = [
        one
        async for one in all_from(page)
        if (one.metadata.type, one.metadata.title) == (said.type, said.title)
        and one.metadata.expires_on is not None
        and one.metadata.expires_on > end
    ]
    return max(alike, key=lambda one: one.metadata.expires_on or end, default=None)


@router.get("/documents/add/{draft_id}/discard")
async def ask_discard(draft_id: PathId, page: PersonPageDep) -> Response:
    """The page that asks for confirmation."""
    draft = await drafts.see(page.services, page.person, draft_id)
    return await page.show("draft_discard.html", draft=draft, back=steps.address_of(draft))


@router.post("/documents/add/{draft_id}/discard")
async def discard(draft_id: PathId, page: PersonPageDep) -> Response:
    """Delete the draft and its pictures; one that was kept stays."""
    await page.form()
    draft = await drafts.see_any(page.services, page.person, draft_id)
    if draft.ended is not None:
        return await _go_to_what_it_became(page, draft, draft.ended)
    await drafts.discard(page.services, page.person, draft_id)
    return go("/documents", done="discarded")
