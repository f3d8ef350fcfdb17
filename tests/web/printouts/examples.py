"""Grants, requests, papers and lines of the log, made without a database, to be printed."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from base.time_zones import PARIS
from vault.access_log.entries import EntryView
from vault.consent.grants import GrantView
from vault.consent.request_views import CoveredType, ReceivedRequest
from vault.consent.scopes import Scope
from vault.consent.terms import Terms
from vault.document_view import DocumentMetadata, DocumentView
from vault.rules import GrantAction
from web.printouts.phrases import Phrases

NOW = datetime(2027, 3, 3, 9, 5, tzinfo=UTC)
ADDRESS = "https://unefois.example"
CHECK = f"{ADDRESS}/v1/verify/{'a' * 40}"
FRENCH = Phrases("fr", PARIS)
WORKER = {
    "name": "Camille Moreau",
    "job": "Assistante sociale",
    "organisation": "CCAS de Lille",
    "contact": "+33320000001",
}


def id_of(number: int) -> UUID:
    return UUID(int=(0x0198 << 112) + number)


def terms(**changes: Any) -> Terms:
    values: dict[str, Any] = {
        "scope": Scope(("income_tax_notice", "rent_receipt"), (id_of(7),), (GrantAction.READ,)),
        "purpose_code": "housing",
        "purpose": "Demande de logement social",
        "legal_basis": "consent",
        "duration": "P1M",
        "may_store": True,
        "store_for": "P2Y",
        "contact": {"name": "Camille Moreau", "phone": "03 20 00 00 01", "hours": "9 h - 17 h"},
    }
    return Terms(**(values | changes))


def grant(**changes: Any) -> GrantView:
    values: dict[str, Any] = {
        "id": id_of(1),
        "request_id": None,
        "state": "live",
        "recipient_kind": "worker",
        "recipient_id": id_of(2),
        "recipient": WORKER,
        "covers_future": True,
        "given_at": NOW - timedelta(days=1),
        "ends_at": NOW + timedelta(days=30),
        "revoked_at": None,
        "ended_by": None,
        "as_of": NOW,
        "terms": terms(),
    }
    return GrantView(**(values | changes))


def request(**changes: Any) -> ReceivedRequest:
    values: dict[str, Any] = {
        "id": id_of(3),
        "state": "waiting",
        "grant_id": None,
        "asked_at": NOW - timedelta(days=1),
        "lapses_at": NOW + timedelta(days=6),
        "ends_at": NOW + timedelta(days=30),
        "requester": WORKER,
        "requester_kind": "worker",
        "requester_id": id_of(4),
        "asked": terms(),
        "covers": (
            CoveredType("income_tax_notice", False, (id_of(5),)),
            CoveredType("rent_receipt", False, ()),
        ),
    }
    return ReceivedRequest(**(values | changes))


def paper(number: int = 5, *, pages: int = 2, **metadata: Any) -> DocumentView:
    told = {"type": "income_tax_notice", "issued_on": date(2026, 8, 1), "income_year": 2025}
    return DocumentView(
        id=id_of(number),
        revision=id_of(number),
        version_id=id_of(number),
        version=2,
        metadata=DocumentMetadata(**(told | metadata)),
        deposited_by={},
        created_at=NOW - timedelta(days=90),
        version_created_at=NOW - timedelta(days=3),
        deleted_at=None,
        file={"pages": pages, "parts": [], "notes": []},
        scan="clean",
        has_preview=True,
        has_thumbnail=False,
    )


def entry(number: int, **changes: Any) -> EntryView:
    values: dict[str, Any] = {
        "id": id_of(number),
        "at": (NOW - timedelta(minutes=37 * number)).isoformat(),
        "action": "document.read",
        "outcome": "allowed",
        "reason": "",
        "actor": {"kind": "worker", **WORKER},
        "documents": (),
        "grant": None,
        "request": None,
        "purpose_code": "housing",
        "purpose": "Demande de logement social",
        "confirmed": "completed",
        "details": {},
    }
    return EntryView(**(values | changes))
