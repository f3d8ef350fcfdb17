"""Each entry of the log has a readable sentence, about the person and about others."""

from dataclasses import replace

import pytest

from audit.events import Action
from base.ids import new_id
from vault.access_log.entries import EntryView
from web.i18n.event_messages import describe

ENTRY = EntryView(
    id=new_id(),
    at="2026-11-23T10:00:00.000000Z",
    action=Action.READ.value,
    outcome="allowed",
    reason="",
    actor={
        "kind": "worker",
        "name": "Camille Moreau",
        "job": "Assistante sociale",
        "organisation": "CCAS de Lille",
    },
    documents=(),
    grant=None,
    request=None,
    purpose_code="housing",
    purpose="Demande de logement.",
    confirmed="completed",
    details={},
)


def test_who_what_and_why() -> None:
    assert describe(ENTRY, "fr") == (
        "Camille Moreau (Assistante sociale, CCAS de Lille) a ouvert un papier."
        " Pourquoi : Trouver un logement : « Demande de logement »."
    )


@pytest.mark.parametrize("chosen", ["Demande de logement", "Trouver un logement"])
def test_a_reason_that_was_chosen_and_not_written_is_told_by_its_name(chosen: str) -> None:
    """In the words of the page on which it was chosen, and in the reader's language."""
    entry = replace(ENTRY, purpose=chosen)
    assert describe(entry, "fr").endswith("Pourquoi : Trouver un logement.")
    assert describe(entry, "en").endswith("Housing application.")
    before = replace(ENTRY, purpose_code=None)
    assert describe(before, "fr").endswith("Pourquoi : « Demande de logement »."), (
        "a line of before"
    )


def test_the_person_is_spoken_to() -> None:
    own = replace(ENTRY, actor={"kind": "owner"}, purpose=None)
    assert describe(own, "fr") == "Vous avez ouvert un papier."


def test_a_stranger_is_given_no_reason_of_someone_else() -> None:
    refused = replace(ENTRY, outcome="refused", reason="not_recipient", confirmed="not_sent")
    assert describe(refused, "fr") == (
        "Camille Moreau (Assistante sociale, CCAS de Lille) a voulu ouvrir un papier : refusé."
    )


def test_a_cut_download_is_said() -> None:
    assert describe(replace(ENTRY, confirmed="interrupted"), "fr").endswith(
        "pas été reçu en entier."
    )


OWNER = {"kind": "owner"}
STRANGER = {"kind": "anonymous"}


def test_reading_the_list_itself_is_said() -> None:
    own = replace(ENTRY, action=Action.LOG_READ.value, actor=OWNER, purpose=None)
    assert describe(own, "fr") == "Vous avez regardé cette liste."


def test_a_paper_replaced_by_who_deposited_it_is_said() -> None:
    entry = replace(ENTRY, action=Action.NEW_VERSION.value, purpose=None)
    assert describe(entry, "fr") == (
        "Camille Moreau (Assistante sociale, CCAS de Lille) a remplacé un papier"
        " par un plus récent."
    )


def test_a_good_code_for_a_vault_asleep_is_not_called_wrong() -> None:
    entry = replace(
        ENTRY, action=Action.SIGN_IN_FAILED.value, outcome="refused", actor=STRANGER, purpose=None
    )
    assert "mauvais code" in describe(replace(entry, reason="code_wrong"), "fr")
    assert "mauvais code" not in describe(replace(entry, reason="vault_asleep"), "fr")


def test_looking_at_a_request_is_not_called_asking() -> None:
    entry = replace(ENTRY, action=Action.REQUEST.value, outcome="refused", purpose=None)
    assert "a voulu envoyer une demande" in describe(replace(entry, reason="paced"), "fr")
    assert "a voulu voir une demande" in describe(replace(entry, reason="not_recipient"), "fr")


# What the use cases record in a person's log, or in a recipient's own log.
_ON_DOCUMENTS = (Action.LIST, Action.READ, Action.PREVIEW, Action.NEW_VERSION)
_KEPT = (Action.CORRECT, Action.SUGGESTION_REFUSED, Action.DELETE, Action.RESTORE)
_ANSWERS = (Action.APPROVE, Action.REFUSE, Action.NOT_ME)
_GIVEN = (Action.GIVE, Action.REVOKE, Action.GRANT_SEEN)
_MET = (
    Action.MEETING_OPENED,
    Action.MEETING_ANSWERED,
    Action.MEETING_AGREED,
    Action.MEETING_ENDED,
)
_JOINED = (Action.JOIN_ASKED, Action.JOIN_SEEN, Action.VAULT_JOINED)
_TRUST = (
    Action.TRUSTED_NAMED,
    Action.TRUSTED_SEEN,
    Action.TRUSTED_ACCEPTED,
    Action.TRUSTED_ENDED,
    Action.TRUSTED_VOUCHED,
)
_PROTECTED = (Action.PROTECTION_NOTED, Action.PROTECTION_ENDED)
_REPRESENTED = (
    Action.REPRESENTATION_NAMED,
    Action.REPRESENTATION_SEEN,
    Action.REPRESENTATION_SHOWN,
    Action.REPRESENTATION_ENTERED,
    Action.REPRESENTATION_ENDED,
)
_FOR_THEM = (Action.DEPOSIT, Action.LOG_READ, Action.CORRECT, Action.RESTORE, Action.NEW_VERSION)
TUTOR = {"kind": "representative", "name": "Jeanne Petit"}
_OWN = (
    *_REPRESENTED,
    *_PROTECTED,
    *_TRUST,
    *_MET,
    *_JOINED,
    *_ON_DOCUMENTS,
    *_KEPT,
    *_ANSWERS,
    *_GIVEN,
)
RECORDED = [
    *((action, OWNER, "allowed") for action in _OWN),
    *((action, OWNER, "refused") for action in (*_OWN, Action.REQUEST)),
    *(
        (action, OWNER, "allowed")
        for action in (Action.DEPOSIT, Action.VAULT_OPENED, Action.LOG_READ)
    ),
    *((action, OWNER, "allowed") for action in (Action.SIGN_IN, Action.SIGN_OUT)),
    (Action.SIGN_IN_CODE, STRANGER, "allowed"),
    (Action.SIGN_IN_CODE, STRANGER, "refused"),
    (Action.SIGN_IN_FAILED, STRANGER, "refused"),
    (Action.VAULT_LEFT, OWNER, "allowed"),
    (Action.JOIN_SEEN, STRANGER, "allowed"),
    *((action, STRANGER, "allowed") for action in _TRUST[1:]),
    *(
        (action, STRANGER, "allowed")
        for action in (Action.REPRESENTATION_SEEN, Action.REPRESENTATION_ENDED)
    ),
    (Action.REPRESENTATION_BEGAN, ENTRY.actor, "allowed"),
    (Action.REPRESENTATION_ENTERED, TUTOR, "allowed"),
    *((action, TUTOR, "allowed") for action in (*_FOR_THEM, *_ANSWERS, *_GIVEN, *_MET)),
    (Action.PURGE, {"kind": "service"}, "allowed"),
    *((action, STRANGER, "refused") for action in (*_ANSWERS, Action.REVOKE, Action.GRANT_SEEN)),
    *(
        (action, ENTRY.actor, "allowed")
        for action in (*_ON_DOCUMENTS, Action.DEPOSIT, Action.ATTEST)
    ),
    *(
        (action, ENTRY.actor, "refused")
        for action in (*_ON_DOCUMENTS, Action.DEPOSIT, Action.ATTEST)
    ),
    *((Action.REQUEST, ENTRY.actor, outcome) for outcome in ("allowed", "refused")),
    *(
        (action, ENTRY.actor, outcome)
        for action in (Action.GRANT_SEEN, Action.GIVE_BACK, Action.WITHDRAW)
        for outcome in ("allowed", "refused")
    ),
    (Action.PERSON_SEEN, ENTRY.actor, "refused"),
    *((action, ENTRY.actor, outcome) for action in _MET for outcome in ("allowed", "refused")),
    *((action, STRANGER, "refused") for action in _MET),
    *(
        (action, ENTRY.actor, outcome)
        for action in (Action.RECOVERY_BEGUN, Action.RECOVERY_SECOND, Action.RECOVERY_MEANS)
        for outcome in ("allowed", "refused")
    ),
    *((action, ENTRY.actor, "allowed") for action in (Action.SIGN_IN, Action.SIGN_OUT)),
    (Action.TOKEN_ISSUED, ENTRY.actor, "allowed"),
]


@pytest.mark.parametrize(("action", "actor", "outcome"), RECORDED)
def test_what_is_recorded_has_a_sentence_of_its_own(
    action: Action, actor: dict[str, str], outcome: str
) -> None:
    sentence = describe(replace(ENTRY, action=action.value, outcome=outcome, actor=actor), "fr")
    assert "action" not in sentence


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("outcome", ["allowed", "refused"])
@pytest.mark.parametrize("kind", ["owner", "worker", "client", "service", "anonymous"])
@pytest.mark.parametrize("action", list(Action))
def test_every_action_has_a_whole_sentence(
    action: Action, kind: str, outcome: str, language: str
) -> None:
    actor = {**ENTRY.actor, "kind": kind} if kind in {"worker", "client"} else {"kind": kind}
    sentence = describe(replace(ENTRY, action=action.value, outcome=outcome, actor=actor), language)
    assert sentence[0].isupper()
    assert "{" not in sentence
    assert "Vous a " not in sentence
