"""The person's own vault as a whole, and its end."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, cast

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from auth import closing_notices, closings
from auth.message_languages import choose_language, language_of_person
from auth.person_names import LONGEST, choose_name, own_name
from auth.subjects import Person
from auth.time_zones import choose_zone, zone_of_person
from base.time_zones import TimeZoneName
from vault.documents import quotas
from vault.maintenance import erasure_codes, erasure_requests
from vault.maintenance.erasure_requests import WhatEnds
from vault.services import Services
from web.api.holder_proofs import ProvedIn, proof_in
from web.api.shapes import Language, Strict
from web.http.dependencies import PersonDep, ServicesDep

router = APIRouter(prefix="/v1/me", tags=["me"])


class UsageOut(BaseModel):
    """What the vault holds, deleted documents included until they are gone, and the most that it
    may hold. `bytes`: as they were sent, each version counted in KiB, rounded up."""

    documents: int
    bytes: int
    max_documents: int
    max_bytes: int
    almost_full: bool = Field(description="80 % of one of them is used.")


class MeOut(BaseModel):
    """`erases_at`: when this vault will be erased, if its owner asked for it. `time_zone`: where
    pages, messages and files tell the time; until it is chosen, that of the phone's number. `name`:
    the one that I chose to be called by, if any; whoever I do not show it to does not see it.
    `language`: of the messages to my phone. `closes_on`: the last day of this service, if it was
    announced: I take my papers away before."""

    erases_at: datetime | None
    usage: UsageOut
    time_zone: TimeZoneName
    name: str | None
    language: str
    closes_on: date | None


class MeIn(Strict):
    """What I may choose."""

    time_zone: TimeZoneName


class NameIn(Strict):
    """What I want to be called, on one line; empty for nothing. A longer one is refused."""

    name: Annotated[str, StringConstraints(max_length=4 * LONGEST)]


class LanguageIn(Strict):
    """The language of the messages to my phone."""

    language: Language


class EndsOut(BaseModel):
    """What an erasure ends, counted: documents, live grants, waiting requests, open sessions."""

    documents: int
    grants: int
    requests: int
    sessions: int


class ErasureCodeSent(BaseModel):
    """A code is on its way to the person's own phone."""

    expires_at: datetime
    ends: EndsOut


class ErasureIn(ProvedIn):
    """The six digits received; or, for a vault of cards alone, the `proof` of one and the PIN."""

    code: Annotated[str, StringConstraints(max_length=32)] = ""


class ErasureOut(BaseModel):
    """When, and what ends. Until then everything works, and it can be cancelled."""

    erases_at: datetime
    ends: EndsOut


@router.get("", operation_id="getMe")
async def see(services: ServicesDep, person: PersonDep) -> MeOut:
    """How full my vault is; whether it will be erased, and when; in which zone I am told times."""
    return await _me(services, person)


@router.patch("", operation_id="changeMe")
async def change(body: MeIn, services: ServicesDep, person: PersonDep) -> MeOut:
    """Choose the time zone of my pages, messages and files. Times in this API stay in UTC."""
    await choose_zone(services, person, body.time_zone)
    return await _me(services, person)


@router.put("/name", operation_id="chooseName")
async def name_(body: NameIn, services: ServicesDep, person: PersonDep) -> MeOut:
    """Choose, change or take away the name that I want to be called by."""
    await choose_name(services, person, body.name)
    return await _me(services, person)


@router.put("/language", operation_id="chooseLanguage")
async def language_(body: LanguageIn, services: ServicesDep, person: PersonDep) -> MeOut:
    """Choose the language of the messages to my phone. Pages have that of each browser."""
    await choose_language(services, person, body.language)
    return await _me(services, person)


@router.post("/erasure/code", operation_id="sendErasureCode", status_code=202)
async def send_code(
    services: ServicesDep, person: PersonDep, response: Response
) -> ErasureCodeSent:
    """Send a code to my phone, with which this session can have my vault erased. 409 where I have
    none: a card and the PIN take its place."""
    response.headers["Cache-Control"] = "no-store"
    expires_at = await erasure_codes.send_code(services, person)
    ends = await erasure_requests.what_ends(services, person)
    return ErasureCodeSent(expires_at=expires_at, ends=_ends(ends))


@router.delete("", operation_id="requestErasure", status_code=202)
async def erase(body: ErasureIn, services: ServicesDep, person: PersonDep) -> ErasureOut:
    """Have my vault erased in seven days, for good; told to my phone now and the day before."""
    erases_at, ends = await erasure_requests.ask(services, person, body.code, proof=proof_in(body))
    return ErasureOut(erases_at=erases_at, ends=_ends(ends))


@router.post("/erasure/cancel", operation_id="cancelErasure")
async def cancel(services: ServicesDep, person: PersonDep) -> MeOut:
    """Keep my vault after all."""
    await erasure_requests.cancel(services, person)
    return await _me(services, person)


async def _me(services: Services, person: Person) -> MeOut:
    room = await quotas.see_room(services, person)
    usage = UsageOut(
        documents=room.documents,
        bytes=room.size,
        max_documents=room.max_documents,
        max_bytes=room.max_size,
        almost_full=room.almost_full,
    )
    zone = await zone_of_person(services, person)
    closing = await closings.shown(services)
    await closing_notices.note_visit(services, person)
    return MeOut(
        erases_at=await erasure_requests.erases_at(services, person),
        usage=usage,
        time_zone=cast("TimeZoneName", zone.key),
        name=await own_name(services, person),
        language=await language_of_person(services, person),
        closes_on=None if closing is None else closing.closes_on,
    )


def _ends(ends: WhatEnds) -> EndsOut:
    return EndsOut(**asdict(ends))
