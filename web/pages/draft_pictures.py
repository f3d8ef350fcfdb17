"""The pictures of a paper that is being added: shown small, taken again, moved, removed."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import Response
from fastapi.responses import StreamingResponse

from base.errors import ServiceError
from vault.documents.uploads import drafts, pictures
from vault.documents.uploads.draft_rows import Draft, Picture
from web.http.path_ids import PathId
from web.pages import draft_steps as steps
from web.pages.drafts import NO_FORM, show_details
from web.pages.page import PersonPageDep, go, page_router
from web.pages.script_answers import asked_by_script

router = page_router()
_MOVES = {"earlier": -1, "later": 1}


@router.get("/documents/add/{draft_id}/pictures/{picture_id}/preview")
async def preview(draft_id: PathId, picture_id: PathId, page: PersonPageDep) -> Response:
    """A small picture of it, made by the decoder: never the file itself."""
    small = await pictures.preview(page.services, page.person, draft_id, picture_id)
    headers = {
        "cache-control": "no-store",
        "content-security-policy": "sandbox; default-src 'none'",
        "x-content-type-options": "nosniff",
    }
    return StreamingResponse(small, headers=headers, media_type="image/jpeg")


@router.get("/documents/add/{draft_id}/pictures/{picture_id}")
async def ask_again(
    draft_id: PathId, picture_id: PathId, page: PersonPageDep, at: str = ""
) -> Response:
    """The camera again, for one of them; `at`: the step that it leads back to."""
    draft, picture = await drafts.see_picture(page.services, page.person, draft_id, picture_id)
    return await page.show("draft_retake.html", **_retake(draft, picture, at))


@router.post("/documents/add/{draft_id}/pictures/{picture_id}")
async def take_again(
    draft_id: PathId, picture_id: PathId, page: PersonPageDep, at: str = ""
) -> Response:
    """A picture in the place of another, which stays until the new one is kept. A second tap finds
    it done. A script sends nothing twice, but perhaps late: where the other one is gone by then,
    its picture is one more."""
    draft = await drafts.see(page.services, page.person, draft_id)
    picture = draft.find(picture_id)
    if picture is None and not asked_by_script(page.request):
        return go(steps.way_from(draft, at))
    others = replace(draft, pictures=tuple(one for one in draft.pictures if one.id != picture_id))
    try:
        received = await pictures.receive(page.services, page.person, page.upload(), others)
    except ServiceError as failure:
        if failure.kind in NO_FORM:
            raise
        return await page.show_failure(failure, "draft_retake.html", **_retake(draft, picture, at))
    if received.failures:
        await pictures.forget(page.services, page.person, received)
        return await page.show_failures(
            received.failures, "draft_retake.html", **_retake(draft, picture, at)
        )
    if received.draft is not None and received.draft.id == draft_id:
        draft = await drafts.change(
            page.services,
            page.person,
            draft_id,
            lambda found: _with_instead(found, picture_id, [one.id for one in received.pictures]),
        )
    if received.draft is not None and received.draft.id != draft_id:
        return go(steps.address_of(received.draft))
    return go(steps.way_from(draft, at))


def _retake(draft: Draft, picture: Picture | None, at: str) -> dict[str, Any]:
    return {"draft": draft, "picture": picture, "came": at, "back": steps.way_from(draft, at)}


@router.post("/documents/add/{draft_id}/pictures/{picture_id}/change")
async def change(
    draft_id: PathId, picture_id: PathId, page: PersonPageDep, at: str = ""
) -> Response:
    """Move it or remove it; a second tap finds it removed. What was typed at that step stays; where
    it is too long to be kept, nothing is done, and that page says so."""
    form = await page.form()
    act = form.get("act")
    draft = await drafts.see(page.services, page.person, draft_id)
    code = draft.values.get("type", "")
    try:
        steps.check_lengths(form, code)
    except ServiceError as failure:
        if not code:
            raise
        return await show_details(page, draft, steps.details_in(form, code), failure, form=form)

    def changed(found: Draft) -> Draft:
        draft = found.saying(**steps.typed_in(form, found.values.get("type", "")))
        if act == "remove":
            return _with_instead(draft, picture_id, [])
        return steps.moved(draft, picture_id, _MOVES.get(act, 0))

    draft = await drafts.change(page.services, page.person, draft_id, changed)
    if act == "again" and draft.find(picture_id) is not None:
        again = f"/documents/add/{draft_id}/pictures/{picture_id}"
        return go(f"{again}?at={at}" if at in steps.COME_BACK else again)
    return go(steps.way_from(draft, at))


def _with_instead(draft: Draft, picture_id: UUID, instead: list[UUID]) -> Draft:
    """The draft with others of its pictures in the place of one, which stays where it is among
    them. What another draft has is not moved here; where the one is gone, all stay."""
    if draft.find(picture_id) is None:
        return draft
    found = [draft.find(one) for one in dict.fromkeys(instead)]
    new = [one for one in found if one is not None]
    if instead and not new:
        return draft  # removed meanwhile
    pictures: list[Picture] = []
    for one in draft.pictures:
        if one.id == picture_id:
            pictures += new
        elif one not in new:
            pictures.append(one)
    return replace(draft, pictures=tuple(pictures))
