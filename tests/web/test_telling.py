"""Each line of the log is a sentence that reads well, to the person and of others."""

from dataclasses import replace

import pytest

from audit.events import Action
from base.ids import new_id
from vault.journal import Entry
from web.telling import tell

LINE = Entry(
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
    assert tell(LINE, "fr") == (
        "Camille Moreau (Assistante sociale, CCAS de Lille) a ouvert un document."
        " Pourquoi : Demande de logement."
    )


def test_the_person_is_spoken_to() -> None:
    own = replace(LINE, actor={"kind": "owner"}, purpose=None)
    assert tell(own, "fr") == "Vous avez ouvert un document."


def test_a_stranger_is_given_no_reason_of_someone_else() -> None:
    refused = replace(LINE, outcome="refused", reason="not_recipient", confirmed="not_sent")
    assert tell(refused, "fr") == (
        "Camille Moreau (Assistante sociale, CCAS de Lille) a voulu ouvrir un document : refusé."
    )


def test_a_cut_download_is_said() -> None:
    assert tell(replace(LINE, confirmed="interrupted"), "fr").endswith("a été interrompu.")


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("outcome", ["allowed", "refused"])
@pytest.mark.parametrize("kind", ["owner", "worker", "client", "service", "anonymous"])
@pytest.mark.parametrize("action", list(Action))
def test_every_action_has_a_whole_sentence(
    action: Action, kind: str, outcome: str, language: str
) -> None:
    actor = {**LINE.actor, "kind": kind} if kind in {"worker", "client"} else {"kind": kind}
    sentence = tell(replace(LINE, action=action.value, outcome=outcome, actor=actor), language)
    assert sentence[0].isupper()
    assert "{" not in sentence
    assert "Vous a " not in sentence
