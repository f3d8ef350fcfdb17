"""The people of a worker: who gave them something, by an id and a label of the worker's own."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, StringConstraints

from vault.consent.people import KnownPerson, label_person, list_people
from vault.consent.person_labels import MAX_LENGTH
from vault.documents.person_papers import CoveredPaper, open_person
from vault.rules import GrantAction
from web.api.consent_requests import SentRequestOut, sent_out
from web.api.shapes import (
    ETAG,
    Cursor,
    GrantedDocumentOut,
    IfMatch,
    Limit,
    Strict,
    granted_out,
    revision_of,
)
from web.api.terms import GrantOut, grant_out
from web.http.dependencies import ServicesDep, WorkerDep
from web.http.path_ids import PathId

router = APIRouter(prefix="/v1/people", tags=["people"])

_STATE: dict[int | str, dict[str, object]] = {
    200: {"description": "As it is now.", "headers": ETAG}
}


class LabelIn(Strict):
    """What you call this person; null takes it away. Only you see it."""

    label: Annotated[str, StringConstraints(max_length=4 * MAX_LENGTH)] | None


class KnownPersonOut(BaseModel):
    """Someone who gave you a grant. `id` is yours alone: another professional knows the same person
    by another one."""

    id: UUID
    label: str | None = Field(description="What you call them; only you see it.")
    phone: str | None = Field(
        description="What you wrote in the last request that they approved; null without one."
    )
    live_grants: int
    ends_next: datetime | None = Field(description="When the first live grant ends.")
    ends_soon: bool = Field(description="Within 14 days.")
    ended_at: datetime | None = Field(
        description="When the last grant ended; null while one is live. Six months later the person"
        " is in the list no more, and their label is deleted."
    )
    last_given_at: datetime
    waiting_requests: int = Field(
        description="How many of the requests that you sent to that number wait for an answer."
    )


class PeopleList(BaseModel):
    """A page of people."""

    items: list[KnownPersonOut]
    next: str | None = Field(description="The cursor of the following page, or null.")


class PaperGrantOut(BaseModel):
    """A grant that covers a paper, and what it allows with it."""

    grant_id: UUID
    actions: list[GrantAction]
    ends_at: datetime


class CoveredPaperOut(GrantedDocumentOut):
    """A paper, with every live grant that covers it."""

    grants: list[PaperGrantOut]


class PaperList(BaseModel):
    """A page of papers."""

    items: list[CoveredPaperOut]
    next: str | None = Field(description="The cursor of the following page, or null.")


class OnePersonOut(KnownPersonOut):
    """Everything that someone gave you. `ended`: in the last six months; `approved` and `waiting`:
    what you asked them, and of the number that you wrote."""

    live: list[GrantOut]
    ended: list[GrantOut]
    papers: PaperList
    approved: list[SentRequestOut]
    waiting: list[SentRequestOut]


@router.get("", operation_id="listPeople")
async def list_(
    services: ServicesDep,
    worker: WorkerDep,
    q: Annotated[
        str | None,
        Query(min_length=1, max_length=MAX_LENGTH, description="Words of your label."),
    ] = None,
    only: Annotated[
        Literal["ends_soon"] | None, Query(description="Those of whom a grant ends soon.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PeopleList:
    """Who gave you a grant, live or over for less than six months, the last one first."""
    page = await list_people(
        services, worker, query=q, ends_soon=only is not None, limit=limit, cursor=cursor
    )
    return PeopleList(items=[_known(person) for person in page.items], next=page.next)


@router.get("/{person_id}", operation_id="getPerson", responses=_STATE)
async def see(
    person_id: PathId,
    services: ServicesDep,
    worker: WorkerDep,
    response: Response,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> OnePersonOut:
    """Everything that one person gave you, each paper once; recorded once for each grant used.
    `limit` and `cursor` are of the papers."""
    person = await open_person(services, worker, person_id, cursor=cursor, limit=limit)
    known = person.known
    response.headers["ETag"] = f'"{known.revision}"'
    return OnePersonOut(
        **dict(_known(known)),
        live=[grant_out(grant) for grant in person.live],
        ended=[grant_out(grant) for grant in person.ended],
        papers=PaperList(
            items=[_paper(paper) for paper in person.papers.items], next=person.papers.next
        ),
        approved=[sent_out(request) for request in known.approved],
        waiting=[sent_out(request) for request in known.waiting],
    )


@router.patch("/{person_id}", operation_id="labelPerson", responses=_STATE)
async def label(
    person_id: PathId,
    body: LabelIn,
    services: ServicesDep,
    worker: WorkerDep,
    response: Response,
    if_match: IfMatch = None,
) -> KnownPersonOut:
    """Write what you call someone, or take it away. Nobody else sees it, and no log says it."""
    known = await label_person(
        services, worker, person_id, body.label, if_match=revision_of(if_match)
    )
    response.headers["ETag"] = f'"{known.revision}"'
    return _known(known)


def _known(person: KnownPerson) -> KnownPersonOut:
    return KnownPersonOut(
        id=person.id,
        label=person.label,
        phone=person.phone,
        live_grants=person.live,
        ends_next=person.ends_next,
        ends_soon=person.ends_soon,
        ended_at=person.ended_at,
        last_given_at=person.last_given_at,
        waiting_requests=len(person.waiting),
    )


def _paper(paper: CoveredPaper) -> CoveredPaperOut:
    return CoveredPaperOut(
        **dict(granted_out(paper.document, may_read=paper.may_read)),
        grants=[
            PaperGrantOut(
                grant_id=grant.id,
                # To add papers is not something that is done with this one.
                actions=[
                    action for action in grant.terms.scope.actions if action != GrantAction.DEPOSIT
                ],
                ends_at=grant.ends_at,
            )
            for grant in paper.grants
        ],
    )
