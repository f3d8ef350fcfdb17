"""« Réunir mes papiers »: two vaults of one person that become one, from inside both."""

from typing import Any
from uuid import UUID

from fastapi import Response

from base.errors import ErrorKind, ServiceError
from vault.maintenance.joins import join_codes, joined_vaults, union
from vault.maintenance.joins.join_views import JoinView
from vault.maintenance.joins.union import TypedYes
from web.http.path_ids import PathId
from web.pages.acts import act_on
from web.pages.own_proofs import proof_in, shown_on, with_code
from web.pages.page import PersonPage, PersonPageDep, go, page_router

router = page_router()
JOINS = "/me/joins"
LIMIT = 50


@router.get(JOINS)
async def start(page: PersonPageDep, sent: str = "") -> Response:
    """Both ways, and what was joined already."""
    return await page.show("joins/start.html", **await _start_values(page, sent))


@router.post(JOINS)
async def ask(page: PersonPageDep) -> Response:
    """Show digits: what is here goes to the other vault."""
    form = await page.form()
    try:
        asked = await join_codes.ask(page.services, page.person, proof_in(page, form))
    except ServiceError as failure:
        sent = form.get("sent")
        values, at = await _start_values(page, sent), with_code(JOINS, sent)
        return await page.show_failure(failure, "joins/start.html", at=at, **values)
    return go(_address(asked.id))


@router.post("/me/joins/asked/end")
async def withdraw(page: PersonPageDep) -> Response:
    """What was asked here serves no more."""
    await page.form()
    await join_codes.withdraw(page.services, page.person)
    return go(JOINS, done="join_gone")


@router.get("/me/joins/code")
async def type_code(page: PersonPageDep) -> Response:
    """The field for the digits that the other vault shows."""
    return await page.show("joins/code.html", **await _age_values(page))


@router.post("/me/joins/code")
async def answer(page: PersonPageDep) -> Response:
    """Type them: what would happen is shown."""
    form = await page.form()
    try:
        found = await join_codes.answer(page.services, page.person, form.get("code")[:32])
    except ServiceError as failure:
        if failure.kind not in (ErrorKind.REFUSED, ErrorKind.TOO_MANY, ErrorKind.CONFLICT):
            raise
        return await page.show_failure(failure, "joins/code.html", **await _age_values(page))
    return go(_address(found.id))


@router.get("/me/joins/{join_id}")
async def see(join_id: PathId, page: PersonPageDep, sent: str = "") -> Response:
    """The digits, or what would happen, or that it is done."""
    try:
        found = await join_codes.see(page.services, page.person, join_id)
    except ServiceError as failure:
        if failure.kind is not ErrorKind.NOT_FOUND:
            raise
        return go(JOINS, done="join_gone")
    return await page.show("joins/join.html", **await _values(page, found, sent))


@router.post("/me/joins/{join_id}")
async def say_yes(join_id: PathId, page: PersonPageDep) -> Response:
    """Join them, at once and for good."""
    form = await page.form()
    proof = proof_in(page, form)
    said = act_on(page, "joins/join.html")
    typed = TypedYes(form.get("pin")[:32], form.get("again")[:32], proof, said)
    try:
        await union.join(page.services, page.person, join_id, typed)
    except ServiceError as failure:
        if failure.kind is ErrorKind.NOT_FOUND or failure.code == "join_over":
            return go(JOINS, done="join_gone")
        found = await join_codes.see(page.services, page.person, join_id)
        sent = form.get("sent")
        values, at = await _values(page, found, sent), with_code(_address(join_id), sent)
        return await page.show_failure(failure, "joins/join.html", at=at, **values)
    return go(_address(join_id), done="joined")


@router.get("/me/joins/{join_id}/log")
async def show_log(join_id: PathId, page: PersonPageDep, cursor: str | None = None) -> Response:
    """What happened on a vault until it ended in this one."""
    listed = await joined_vaults.log_of_joined(
        page.services, page.person, join_id, cursor=cursor, limit=LIMIT
    )
    return await page.show("joins/log.html", entries=listed.items, more=listed.next)


def _address(join_id: UUID) -> str:
    return f"{JOINS}/{join_id}"


async def _start_values(page: PersonPage, sent: str) -> dict[str, Any]:
    joined = await joined_vaults.list_joined(page.services, page.person)
    proof = await shown_on(page, sent)
    return {"proof": proof, "joined": joined, **await _age_values(page)}


async def _age_values(page: PersonPage) -> dict[str, Any]:
    return {"possible_at": await join_codes.possible_at(page.services, page.person)}


async def _values(page: PersonPage, found: JoinView, sent: str) -> dict[str, Any]:
    return {"found": found, "proof": await shown_on(page, sent)}
