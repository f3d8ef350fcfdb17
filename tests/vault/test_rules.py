"""The rules: allowed only when every condition holds; each failed condition has its reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.subjects import Party
from base.errors import ErrorKind
from base.ids import new_id
from vault.rules import (
    Allowed,
    DocumentFacts,
    GrantAction,
    GrantFacts,
    Reason,
    Refused,
    RequestFacts,
    failure_of,
    may_answer,
    may_attest,
    may_deposit,
    may_list,
    may_open,
    may_revoke,
    may_see,
    may_withdraw,
    state_of,
)

ME, OTHER, PERSON, STRANGER = (new_id() for _ in range(4))
WORKER = Party("worker", ME)
START = datetime(2026, 3, 1, tzinfo=UTC)
INSTANTS = st.integers(-40, 40).map(lambda days: START + timedelta(days=days))


@st.composite
def grants(draw: st.DrawFn) -> GrantFacts:
    given_at = draw(INSTANTS)
    return GrantFacts(
        at=draw(INSTANTS),
        person_id=PERSON,
        recipient=Party(
            draw(st.sampled_from(["worker", "client"])), draw(st.sampled_from([ME, OTHER]))
        ),
        given_at=given_at,
        ends_at=given_at + timedelta(days=draw(st.integers(1, 40))),
        revoked_at=draw(st.none() | INSTANTS),
        may_attest=draw(st.booleans()),
        may_read=draw(st.booleans()),
        may_deposit=draw(st.booleans()),
        covers_future=draw(st.booleans()),
        outdated=draw(st.booleans()),
    )


DOCUMENTS = st.builds(
    DocumentFacts,
    same_person=st.booleans(),
    deleted=st.booleans(),
    picked=st.booleans(),
    type_in_scope=st.booleans(),
    created_at=INSTANTS,
    typed_at=INSTANTS,
    scan=st.sampled_from(["not_scanned", "waiting", "clean", "infected"]),
)


def live(grant: GrantFacts) -> bool:
    mine = grant.recipient.id == ME and grant.recipient.kind == "worker"
    in_time = grant.revoked_at is None and grant.given_at <= grant.at < grant.ends_at
    return mine and in_time and not grant.outdated


@given(grants(), DOCUMENTS, st.sampled_from(GrantAction))
def test_a_document_opens_only_when_every_condition_holds(
    grant: GrantFacts, document: DocumentFacts, action: GrantAction
) -> None:
    answer = may_open(grant, document, caller=WORKER, action=action)
    has_action = {
        GrantAction.ATTEST: grant.may_attest or grant.may_read,
        GrantAction.READ: grant.may_read,
        GrantAction.DEPOSIT: grant.may_deposit,
    }[action]
    there = document.created_at <= grant.given_at and document.typed_at <= grant.given_at
    by_type = document.type_in_scope and (there or grant.covers_future)
    conditions = [
        live(grant),
        has_action,
        document.same_person,
        document.picked or by_type,
        not document.deleted,
        document.scan != "infected",
    ]
    assert isinstance(answer, Allowed) is all(conditions)


@given(grants(), st.booleans(), st.booleans())
def test_the_other_rules_need_a_live_grant_of_the_caller_and_its_action(
    grant: GrantFacts, covered: bool, named: bool
) -> None:
    attests = live(grant) and (grant.may_attest or grant.may_read)
    assert isinstance(may_list(grant, caller=WORKER), Allowed) is attests
    evidence = may_attest(grant, type_covered=covered, caller=WORKER)
    assert isinstance(evidence, Allowed) is (attests and covered)
    deposit = may_deposit(grant, types_named=named, type_in_scope=covered, caller=WORKER)
    allowed = live(grant) and grant.may_deposit and (covered or not named)
    assert isinstance(deposit, Allowed) is allowed


LATER = START + timedelta(days=1)
GRANT = GrantFacts(
    at=LATER,
    person_id=PERSON,
    recipient=WORKER,
    given_at=START,
    ends_at=START + timedelta(days=30),
    revoked_at=None,
    may_attest=False,
    may_read=True,
    may_deposit=False,
    covers_future=False,
    outdated=False,
)
PAPER = DocumentFacts(
    same_person=True,
    deleted=False,
    picked=False,
    type_in_scope=True,
    created_at=START - timedelta(days=1),
    typed_at=START - timedelta(days=1),
    scan="clean",
)


def opening(
    grant: GrantFacts | None = GRANT,
    document: DocumentFacts | None = PAPER,
    action: GrantAction = GrantAction.READ,
    now: datetime = LATER,
    kind: str = "worker",
) -> Reason | None:
    grant = grant and replace(grant, at=now)
    answer = may_open(grant, document, caller=Party(kind, ME), action=action)
    return answer.reason if isinstance(answer, Refused) else None


def test_each_refusal_has_its_reason() -> None:
    assert opening() is None
    assert opening(grant=None) is Reason.NOT_FOUND
    assert opening(grant=replace(GRANT, recipient=Party("worker", OTHER))) is Reason.NOT_RECIPIENT
    assert opening(kind="client") is Reason.NOT_RECIPIENT
    assert opening(grant=replace(GRANT, revoked_at=LATER)) is Reason.REVOKED
    assert opening(now=GRANT.ends_at) is Reason.EXPIRED
    assert opening(now=GRANT.ends_at - timedelta(microseconds=1)) is None
    assert opening(now=START - timedelta(microseconds=1)) is Reason.NOT_YET
    assert opening(grant=replace(GRANT, outdated=True)) is Reason.OUTDATED
    assert opening(grant=replace(GRANT, may_read=False)) is Reason.ACTION_NOT_GRANTED
    assert opening(document=None) is Reason.NOT_FOUND
    assert opening(document=replace(PAPER, same_person=False)) is Reason.DOCUMENT_NOT_COVERED
    assert opening(document=replace(PAPER, type_in_scope=False)) is Reason.DOCUMENT_NOT_COVERED
    assert opening(document=replace(PAPER, created_at=LATER)) is Reason.ADDED_LATER
    assert opening(document=replace(PAPER, typed_at=LATER)) is Reason.ADDED_LATER
    assert opening(document=replace(PAPER, deleted=True)) is Reason.DOCUMENT_DELETED
    assert opening(document=replace(PAPER, scan="infected")) is Reason.INFECTED


def test_a_grant_of_another_says_nothing_of_its_state() -> None:
    """Revoked, expired or live: a stranger gets the same answer."""
    others = replace(GRANT, recipient=Party("worker", OTHER))
    for grant in (others, replace(others, revoked_at=START), replace(others, ends_at=START)):
        assert opening(grant=grant) is Reason.NOT_RECIPIENT


def test_reading_includes_attesting_and_not_the_reverse() -> None:
    assert opening(action=GrantAction.ATTEST) is None
    attest_only = replace(GRANT, may_read=False, may_attest=True)
    assert opening(grant=attest_only, action=GrantAction.ATTEST) is None
    assert opening(grant=attest_only) is Reason.ACTION_NOT_GRANTED


@given(
    st.sampled_from([PERSON, STRANGER, None]),
    st.sampled_from([None, "approved", "refused", "not_me", "withdrawn"]),
    INSTANTS,
    INSTANTS,
)
def test_a_request_is_answered_once_by_its_addressee_in_time(
    addressee: UUID | None, answer: str | None, lapses_at: datetime, now: datetime
) -> None:
    judged = may_answer(RequestFacts(addressee, answer, lapses_at), person_id=PERSON, now=now)
    expected = addressee == PERSON and answer is None and now < lapses_at
    assert isinstance(judged, Allowed) is expected
    if addressee != PERSON:
        assert judged == Refused(Reason.NOT_ADDRESSEE)
    elif answer == "withdrawn":
        assert judged == Refused(Reason.WITHDRAWN)


@given(
    st.sampled_from([PERSON, None]),
    st.sampled_from([None, "approved", "refused", "not_me", "withdrawn"]),
    INSTANTS,
    st.sampled_from([WORKER, Party("client", ME), Party("worker", OTHER)]),
)
def test_a_request_is_withdrawn_by_its_sender_whatever_became_of_it(
    addressee: UUID | None, answer: str | None, lapses_at: datetime, sender: Party
) -> None:
    judged = may_withdraw(RequestFacts(addressee, answer, lapses_at, sender), caller=WORKER)
    if sender != WORKER:
        assert judged == Refused(Reason.NOT_RECIPIENT)
    else:
        assert judged == (Refused(Reason.APPROVED) if answer == "approved" else Allowed())
    assert may_withdraw(None, caller=WORKER) == Refused(Reason.NOT_FOUND)


def test_a_grant_is_revoked_and_seen_by_its_own_sides_only() -> None:
    assert may_revoke(GRANT, person_id=PERSON) == Allowed()
    assert may_revoke(GRANT, person_id=STRANGER) == Refused(Reason.NOT_OWNER)
    assert may_revoke(None, person_id=PERSON) == Refused(Reason.NOT_FOUND)
    seen = [
        may_see(GRANT, caller=Party("person", PERSON)),
        may_see(GRANT, caller=Party("person", STRANGER)),
        may_see(GRANT, caller=WORKER),
        may_see(GRANT, caller=Party("client", ME)),
        may_see(GRANT, caller=Party("worker", OTHER)),
    ]
    assert [isinstance(each, Allowed) for each in seen] == [True, False, True, False, False]


@pytest.mark.parametrize("able", GrantAction)
def test_a_grant_is_seen_with_what_its_recipients_token_can_do(able: GrantAction) -> None:
    judged = may_see(GRANT, caller=WORKER, able=frozenset({able}))
    granted = {
        GrantAction.ATTEST: GRANT.may_attest,
        GrantAction.READ: GRANT.may_read,
        GrantAction.DEPOSIT: GRANT.may_deposit,
    }
    assert judged == (Allowed() if granted[able] else Refused(Reason.OUTSIDE_TOKEN))
    stranger = Party("worker", OTHER)
    assert may_see(GRANT, caller=stranger, able=frozenset({able})) == Refused(Reason.NOT_RECIPIENT)


def test_states() -> None:
    assert state_of(None, START, START - timedelta(seconds=1)) == "live"
    assert state_of(None, START, START) == "expired"
    assert state_of(START, START, START) == "revoked"


HIDDEN = {
    Reason.NOT_FOUND, Reason.NOT_RECIPIENT, Reason.NOT_OWNER, Reason.NOT_ADDRESSEE,
    Reason.DOCUMENT_NOT_COVERED, Reason.ADDED_LATER, Reason.DOCUMENT_DELETED, Reason.OUTSIDE_TOKEN,
}  # fmt: skip


@pytest.mark.parametrize("reason", Reason)
def test_what_one_may_not_know_answers_as_what_does_not_exist(reason: Reason) -> None:
    hidden = failure_of(reason).kind is ErrorKind.NOT_FOUND
    assert hidden is (reason in HIDDEN)
