"""Only what is ticked on a request is approved."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from base.ids import new_id
from vault.consent.request_views import CoveredType, ReceivedRequest
from vault.consent.scopes import scope_of
from vault.consent.terms import Terms
from web.pages.approvals import approval_of, shorter_durations
from web.pages.forms import Form

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CARD, PAYSLIP, OTHER_PAYSLIP, MEDICAL = (new_id() for _ in range(4))


def request(actions: tuple[str, ...] = ("read",), **terms: Any) -> ReceivedRequest:
    """A request for a card, payslips, a rent receipt that is not held, and a medical document."""
    types = ("national_identity_card", "payslip", "rent_receipt", "mdph_notification")
    values: dict[str, Any] = {"purpose_code": "housing", "purpose": "Un logement"}
    values |= {"legal_basis": "consent", "duration": "P1M", "may_store": False, "store_for": None}
    return ReceivedRequest(
        requester_kind="worker",
        id=new_id(),
        state="waiting",
        grant_id=None,
        asked_at=NOW,
        lapses_at=NOW + timedelta(days=7),
        ends_at=NOW + timedelta(days=31),
        requester_id=new_id(),
        requester={},
        asked=Terms(scope=scope_of(types, (), actions), contact={}, **(values | terms)),
        covers=(
            CoveredType("national_identity_card", False, (CARD,)),
            CoveredType("payslip", False, (PAYSLIP, OTHER_PAYSLIP)),
            CoveredType("rent_receipt", False, ()),
            CoveredType("mdph_notification", True, (MEDICAL,)),
        ),
    )


def ticked(*documents: UUID, **fields: str) -> Form:
    return Form((*(("document", str(document)) for document in documents), *fields.items()))


def test_a_type_whose_papers_are_all_ticked_is_given_as_a_type() -> None:
    choice = approval_of(ticked(CARD, PAYSLIP, OTHER_PAYSLIP), request()).choice
    assert choice.document_types == ("national_identity_card", "payslip")
    assert choice.document_ids == ()


def test_a_type_with_a_paper_unticked_is_given_paper_by_paper() -> None:
    choice = approval_of(ticked(CARD, PAYSLIP), request()).choice
    assert choice.document_types == ("national_identity_card",)
    assert choice.document_ids == (PAYSLIP,)


def test_a_sensitive_paper_is_never_given_as_a_type() -> None:
    choice = approval_of(ticked(MEDICAL, type="mdph_notification"), request()).choice
    assert choice.document_types == ()
    assert choice.document_ids == (MEDICAL,)


def test_a_type_not_held_is_given_only_when_ticked() -> None:
    assert approval_of(ticked(), request()).choice.document_types == ()
    assert approval_of(ticked(type="rent_receipt"), request()).choice.document_types == (
        "rent_receipt",
    )


def test_what_nobody_asked_cannot_be_ticked_in() -> None:
    approval = approval_of(ticked(new_id(), type="passport", may_store="yes"), request())
    assert (approval.choice.document_types, approval.choice.document_ids) == ((), ())
    assert approval.may_store is None


def test_a_copy_is_kept_only_when_ticked() -> None:
    assert approval_of(ticked(CARD), request(may_store=True)).may_store is False
    assert approval_of(ticked(CARD, may_store="yes"), request(may_store=True)).may_store is True


def test_later_papers_need_a_tick_and_a_type() -> None:
    assert approval_of(ticked(CARD, later="yes"), request()).covers_future is True
    assert approval_of(ticked(CARD), request()).covers_future is False
    assert approval_of(ticked(PAYSLIP, later="yes"), request()).covers_future is False


def test_actions_can_be_unticked() -> None:
    received = request(actions=("read", "attest"))
    assert approval_of(ticked(CARD, action="attest"), received).choice.actions == ("attest",)
    assert approval_of(ticked(CARD), received).choice.actions == ()


def test_the_end_is_the_day_that_was_chosen_or_as_asked() -> None:
    assert approval_of(ticked(CARD), request()).until is None
    assert approval_of(ticked(CARD), request(), date(2026, 3, 8)).until == date(2026, 3, 8)


def test_only_shorter_durations_are_offered() -> None:
    received = request()
    offered = shorter_durations(received.asked, NOW, UTC, received.ends_at)
    between = [(f"2026-03-0{day}", date(2026, 3, day)) for day in range(3, 8)]
    assert offered == [("P1D", date(2026, 3, 2)), *between, ("P7D", date(2026, 3, 8))]


def test_a_paper_called_sensitive_is_given_by_itself_beside_its_type() -> None:
    marked = new_id()
    received = replace(
        request(), covers=(CoveredType("payslip", False, (PAYSLIP, marked), (marked,)),)
    )
    both = approval_of(ticked(PAYSLIP, marked), received).choice
    assert (both.document_types, both.document_ids) == (("payslip",), (marked,))
    only_type = approval_of(ticked(PAYSLIP), received).choice
    assert (only_type.document_types, only_type.document_ids) == (("payslip",), ())
    only_marked = approval_of(ticked(marked), received).choice
    assert (only_marked.document_types, only_marked.document_ids) == ((), (marked,))


def test_a_type_held_only_as_sensitive_papers_is_never_given_as_a_type() -> None:
    covers = (CoveredType("payslip", False, (PAYSLIP,), (PAYSLIP,)),)
    choice = approval_of(ticked(PAYSLIP, type="payslip"), replace(request(), covers=covers)).choice
    assert (choice.document_types, choice.document_ids) == ((), (PAYSLIP,))
