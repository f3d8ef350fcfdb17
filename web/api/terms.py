"""The shapes of consent: what is asked and given, by whom, for how long."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Header
from pydantic import BaseModel, Field, StringConstraints

from base.errors import Field as FieldName
from base.errors import ServiceError, about, invalid
from base.user_text import clean_text, clean_title
from vault.consent.grants import GrantView
from vault.consent.scopes import MAX_PURPOSE_LENGTH, MAX_SCOPE_ITEMS, Choice, Scope, scope_of
from vault.consent.terms import Terms
from vault.rules import GrantAction
from web.api.shapes import Day, Strict
from web.api.vocabulary import DocumentTypeCode, LegalBasisCode, PurposeCode

ShortLine = Annotated[str, StringConstraints(max_length=120)]
Duration = Annotated[
    str,
    StringConstraints(min_length=2, max_length=40),
    Field(description="ISO 8601, at most twelve months.", examples=["P1M"]),
]
Until = Annotated[
    Day,
    Field(
        description="To the end of this day, in the time zone of the person.",
        examples=["2026-12-04"],
    ),
]
StoreFor = Annotated[
    str,
    StringConstraints(min_length=2, max_length=40),
    Field(description="ISO 8601: how long a copy may be kept.", examples=["P2Y"]),
]
Types = Annotated[list[DocumentTypeCode], Field(max_length=MAX_SCOPE_ITEMS)]
Ids = Annotated[list[UUID], Field(max_length=MAX_SCOPE_ITEMS)]
Actions = Annotated[list[GrantAction], Field(max_length=len(GrantAction))]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=255,
        description="The same key and body again have one effect, and the same answer.",
    ),
]


class ScopeIn(Strict):
    """Types or single documents, and what may be done with them."""

    document_types: Types = Field(default_factory=list)
    document_ids: Ids = Field(default_factory=list)
    actions: Annotated[Actions, Field(min_length=1)]

    def scope(self) -> Scope:
        return scope_of(self.document_types, self.document_ids, self.actions)


class ChoiceIn(Strict):
    """What is kept of what was asked. Naming types, or documents, keeps those alone."""

    document_types: Types | None = None
    document_ids: Ids | None = None
    actions: Actions | None = None

    def choice(self) -> Choice:
        return Choice(
            None if self.document_types is None else tuple(dict.fromkeys(self.document_types)),
            None if self.document_ids is None else tuple(dict.fromkeys(self.document_ids)),
            None if self.actions is None else tuple(dict.fromkeys(self.actions)),
        )


@contextmanager
def positions_in(scope: ScopeIn | ChoiceIn | None) -> Iterator[None]:
    """Errors name positions among the distinct entries of a scope: turn them into those sent."""
    try:
        yield
    except ServiceError as failure:
        failure.fields = tuple(_as_sent(scope, name) for name in failure.fields)
        raise


@contextmanager
def end_as_sent(until: date | None) -> Iterator[None]:
    """Where a day was sent, what is wrong with the duration up to it is wrong with that day."""
    try:
        yield
    except ServiceError as failure:
        if until is not None:
            ends: tuple[FieldName, FieldName] = (("duration",), ("until",))
            failure.fields = tuple(ends[1] if it == ends[0] else it for it in failure.fields)
        raise


def _as_sent(scope: ScopeIn | ChoiceIn | None, name: FieldName) -> FieldName:
    if len(name) != 3 or name[0] != "scope":
        return name
    sent = None if scope is None else getattr(scope, str(name[1]))
    if sent is None:
        return name[:1]  # of what was asked for: narrowing the scope mends it
    distinct = list(dict.fromkeys(sent))
    return (*name[:2], sent.index(distinct[int(name[2])]))


class PurposeIn(Strict):
    """Why: a code of the catalogue, and a sentence."""

    code: PurposeCode
    text: Annotated[str, StringConstraints(max_length=MAX_PURPOSE_LENGTH)]

    def cleaned(self) -> str:
        with about("purpose", "text"):
            return _not_empty(clean_text(self.text, MAX_PURPOSE_LENGTH))


class ContactIn(Strict):
    """Whom to call about it."""

    name: ShortLine
    job: ShortLine = ""
    phone: ShortLine = ""
    hours: ShortLine = ""

    def cleaned(self) -> dict[str, str]:
        lines = {}
        for name, line in self.model_dump().items():
            with about("contact", name):
                lines[name] = clean_title(line, 120) or ""
        with about("contact", "name"):
            _not_empty(lines["name"])
        return lines


class ScopeOut(BaseModel):
    """Types, single documents, actions."""

    document_types: list[DocumentTypeCode]
    document_ids: list[UUID]
    actions: list[GrantAction]


class PurposeOut(BaseModel):
    """Why."""

    code: PurposeCode
    text: str


class ContactOut(BaseModel):
    """Whom to call about it; empty when nobody was named."""

    name: str = ""
    job: str = ""
    phone: str = ""
    hours: str = ""


class PartyOut(BaseModel):
    """Who asks, or who was given. `how_to_reach` is what the service knows of them."""

    name: str
    job: str
    organisation: str
    how_to_reach: str
    contact: ContactOut


class RecipientOut(PartyOut):
    """Who was given: one worker, for themself, or one system of an administration."""

    id: UUID
    kind: Literal["worker", "client"]


class AskedOut(BaseModel):
    """What is asked."""

    scope: ScopeOut
    purpose: PurposeOut
    legal_basis: LegalBasisCode
    duration: str
    may_store: bool
    store_for: str | None


class GrantOut(BaseModel):
    """A consent given. `ended_by`: who ended it before its end: the person (`owner`), whom it was
    given to (`recipient`), or the service, because it showed nothing more."""

    id: UUID
    request_id: UUID | None
    state: Literal["live", "expired", "revoked"]
    recipient: RecipientOut
    scope: ScopeOut
    purpose: PurposeOut
    legal_basis: LegalBasisCode
    duration: str
    given_at: datetime
    ends_at: datetime
    revoked_at: datetime | None
    ended_by: Literal["owner", "recipient", "service"] | None
    may_store: bool
    store_for: str | None
    covers_future: bool
    mandate_id: UUID | None = Field(
        description="The paper that was signed for it: it ends unless its person is seen again."
    )


class GrantList(BaseModel):
    """A page of grants."""

    items: list[GrantOut]
    next: str | None = Field(description="The cursor of the following page, or null.")


def scope_out(scope: Scope) -> ScopeOut:
    """A scope, as the API shows it."""
    return ScopeOut(
        document_types=list(scope.document_types),
        document_ids=list(scope.document_ids),
        actions=list(scope.actions),
    )


def terms_out(terms: Terms) -> AskedOut:
    """The terms of a request or of a grant."""
    return AskedOut(
        scope=scope_out(terms.scope),
        purpose=PurposeOut(code=terms.purpose_code, text=terms.purpose),
        legal_basis=terms.legal_basis,
        duration=terms.duration,
        may_store=terms.may_store,
        store_for=terms.store_for,
    )


def party_out(party: dict[str, str], contact: dict[str, str]) -> PartyOut:
    """A party: as its organisation registered it, with the contact that it gave."""
    return PartyOut(
        name=party["name"],
        job=party["job"],
        organisation=party["organisation"],
        how_to_reach=party["contact"],
        contact=ContactOut(**contact),
    )


def grant_out(grant: GrantView) -> GrantOut:
    """A grant, the same for both of its sides: it never shows the person's phone."""
    terms = grant.terms
    recipient = RecipientOut(
        **party_out(grant.recipient, terms.contact).model_dump(),
        id=grant.recipient_id,
        kind="worker" if grant.recipient_kind == "worker" else "client",
    )
    return GrantOut(
        id=grant.id,
        request_id=grant.request_id,
        state=grant.state,
        recipient=recipient,
        given_at=grant.given_at,
        ends_at=grant.ends_at,
        revoked_at=grant.revoked_at,
        ended_by=grant.ended_by,
        covers_future=grant.covers_future,
        mandate_id=grant.mandate_id,
        **terms_out(terms).model_dump(),
    )


def _not_empty(text: str | None) -> str:
    if not text:
        raise invalid("text_empty")
    return text
