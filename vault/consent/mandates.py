"""A mandate that a worker prepares: several requests to one person, sent at once, printed on one
paper to be signed.

It lets nobody in: each request waits for its person, as any other, and lapses with it. What the
signature leads to is in `mandate_signatures.py`. ADR: docs/adr/0060-signed-mandates.md.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth import closings
from auth.services import CoreServices
from auth.subjects import Person, Worker
from base.errors import invalid, not_found
from base.ids import new_id
from base.quota import Quota
from vault import catalogue, decisions, idempotency, rate_limit
from vault.consent import requests
from vault.consent.assisted_grants import too_long
from vault.consent.mandate_papers import MAX_AUTHORISATIONS, MandatePaper
from vault.consent.records import requests as records
from vault.consent.request_views import (
    ReceivedRequest,
    SentRequest,
    is_kept_back,
    received,
    see_received,
    see_sent,
    sent,
)
from vault.consent.requests import PACED_AS, Whom
from vault.consent.terms import Terms
from vault.decisions import Denial
from vault.rules import Reason, Refused


@dataclass(frozen=True, slots=True)
class MandateForm:
    """The form that is printed: the language beside the French, its name, its digest."""

    language: str
    template: str
    template_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """All that the worker gets at once. `quota`: as for requests, one each."""

    paper: MandatePaper
    lapses_at: datetime
    quota: Quota


async def prepare(
    services: CoreServices,
    worker: Worker,
    whom: Whom,
    authorisations: Sequence[Terms],
    form: MandateForm,
    *,
    idempotency_key: str | None = None,
) -> Prepared:
    """Send the requests of a mandate, all or none: one message, each its own line in the log.

    Raises `ServiceError`: those of `requests.ask`, `mandate_sensitive`, `mandate_size`.
    """
    for terms in authorisations:
        requests.check_request(whom.phone, terms)
    check_authorisations(authorisations)
    async with rate_limit.in_turn(worker.id), services.database.transaction() as tx:
        outcome = await _prepare(services, tx, worker, whom, authorisations, form, idempotency_key)
    if isinstance(outcome, Denial):
        raise await decisions.record_denial(services, outcome)
    return outcome


def check_authorisations(authorisations: Sequence[Terms]) -> None:
    """Whether they may stand on one paper. Raises `ServiceError`: `mandate_size`,
    `mandate_sensitive`."""
    if not 1 <= len(authorisations) <= MAX_AUTHORISATIONS:
        raise invalid("mandate_size", fields=(("authorisations",),), limit=MAX_AUTHORISATIONS)
    for position, terms in enumerate(authorisations):
        _check_for_paper(terms, position)


def _check_for_paper(terms: Terms, position: int) -> None:
    """Nothing sensitive, not even to add; sorts of papers, not single ones."""
    where = ("authorisations", position, "scope")
    if _sensitive(terms) or terms.scope.document_ids or not terms.scope.document_types:
        raise invalid("mandate_sensitive", fields=(where,))


def _sensitive(terms: Terms) -> bool:
    return any(catalogue.is_sensitive(code) for code in terms.scope.document_types)


async def _prepare(
    services: CoreServices,
    tx: AsyncConnection,
    worker: Worker,
    whom: Whom,
    authorisations: Sequence[Terms],
    form: MandateForm,
    key: str | None,
) -> Prepared | Denial:
    claimed = await idempotency.claim(
        services, tx, caller_id=worker.id, route="mandates", key=key,
        body={**whom.values(), "each": [terms.values() for terms in authorisations],
              "form": [form.language, form.template, form.template_hash.hex()]},
    )  # fmt: skip
    limit = requests.hourly_limit(services, worker)
    quota = await rate_limit.left(tx, worker.id, PACED_AS, limit)
    if claimed is not None and claimed.result_id is not None:
        return await _prepared_before(services, tx, claimed.result_id, quota)
    # 1. Each authorisation is a request of this worker's hour.
    attempt = requests.attempt_of(worker, authorisations[0])
    for _ in authorisations:
        taken, quota = await rate_limit.take(services, tx, worker.id, PACED_AS, limit)
        if not taken:
            return Denial(attempt, Reason.PACED, quota=quota)
    if await closings.is_over(services, tx):
        return Denial(attempt, Reason.CLOSED, quota=quota)
    # 2. One person, or none: rows and events are the same in both cases.
    addressee = await requests.addressee_of(services, tx, worker, whom)
    if isinstance(addressee, Refused):
        return Denial(attempt, addressee.reason, fields=addressee.fields, quota=quota)
    ids = tuple(new_id() for _ in authorisations)
    paper = MandatePaper(ids, form.language, form.template, form.template_hash)
    # 3. One commit. A crash before it leaves no request of the mandate.
    lapses = [
        await requests.add_request(services, tx, worker, addressee, terms, id_, paper=paper)
        for id_, terms in zip(ids, authorisations, strict=True)
    ]
    await requests.notify(services, tx, addressee)
    await idempotency.save(tx, claimed, paper.id)
    return Prepared(paper=paper, lapses_at=min(lapses), quota=quota)


async def _prepared_before(
    services: CoreServices, tx: AsyncConnection, mandate_id: UUID, quota: Quota
) -> Prepared:
    row = await records.request(tx, mandate_id)
    first = None if row is None else await sent(services, row)
    if first is None or first.mandate is None:
        raise invalid("idempotency_key_reused", fields=idempotency.KEY_FIELDS)
    return Prepared(paper=first.mandate, lapses_at=first.lapses_at, quota=quota)


@dataclass(frozen=True, slots=True)
class SentMandate:
    """A mandate as its worker sees it: each request in the order of the page. `alone`: whether
    something that waits lasts too long for a yes with this worker beside the person."""

    paper: MandatePaper
    authorisations: tuple[SentRequest, ...]

    @property
    def alone(self) -> bool:
        waiting = (one for one in self.authorisations if one.state == "waiting")
        return any(too_long(one.asked, one.asked_at) for one in waiting)


@dataclass(frozen=True, slots=True)
class ReceivedMandate:
    """A mandate as its person sees it. `alone`: whether something that waits lasts too long for a
    yes with the worker beside them, who is there."""

    paper: MandatePaper
    authorisations: tuple[ReceivedRequest, ...]
    alone: bool = False

    @property
    def signed(self) -> bool:
        """Whether it was: it is once."""
        return any(one.mandate_signed for one in self.authorisations)


async def see_prepared(services: CoreServices, worker: Worker, mandate_id: UUID) -> SentMandate:
    """A mandate, for the worker who prepared it; of requests that are gone, the others. Raises
    `ServiceError` `not_found`."""
    first = await see_sent(services, worker, mandate_id)
    if first.mandate is None or first.mandate.id != mandate_id:
        raise not_found()
    async with services.database.transaction() as tx:
        rows = await records.requests_by_ids(tx, worker.party, first.mandate.request_ids)
        found = {row.id: await sent(services, row) for row in rows}
    ids = first.mandate.request_ids
    return SentMandate(first.mandate, tuple(found[one] for one in ids if one in found))


def chosen_of(mandate: ReceivedMandate, chosen: Collection[UUID]) -> list[ReceivedRequest]:
    """What was ticked, in the order of the page. Raises `ServiceError` `mandate_choice` where that
    is nothing, or is not on it, `mandate_sensitive` for a sort that became so: also only to add."""
    wanted = [one for one in mandate.authorisations if one.id in chosen]
    if not chosen or len(wanted) != len(set(chosen)):
        raise invalid("mandate_choice", fields=(("authorisations",),))
    if any(_sensitive(one.asked) for one in wanted):
        raise invalid("mandate_sensitive", fields=(("authorisations",),))
    return wanted


async def see_mandate(services: CoreServices, person: Person, mandate_id: UUID) -> ReceivedMandate:
    """A mandate that was prepared for a person, for that person. Raises `ServiceError`
    `not_found`."""
    first = await see_received(services, person, mandate_id, kept_back=True)
    if first.mandate is None or first.mandate.id != mandate_id:
        raise not_found()
    found: list[ReceivedRequest] = []
    async with services.database.transaction() as tx:
        for one in first.mandate.request_ids:
            row = await records.request(tx, one)
            if row is not None and row.person_id == person.id:
                found.append(await received(services, tx, row))
    found = [one for one in found if not is_kept_back(person, one)]
    if not found:
        raise not_found()
    return ReceivedMandate(first.mandate, tuple(found), _alone(person, found))


def _alone(person: Person, requests_: Sequence[ReceivedRequest]) -> bool:
    return person.beside is not None and any(
        one.requester_id == person.beside.id and too_long(one.asked, one.asked_at) is not None
        for one in requests_
        if one.state == "waiting"
    )
