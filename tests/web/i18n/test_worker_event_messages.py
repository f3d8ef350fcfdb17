"""A worker reads what they did without their own name; what has no such sentence is said as to
everybody."""

from dataclasses import replace

import pytest

from audit.events import Action
from tests.web.i18n.test_event_messages import ENTRY
from web.i18n.event_messages import describe
from web.i18n.worker_event_messages import describe_to_worker

WHY = " Pourquoi : Trouver un logement : « Demande de logement »."
DONE = {
    Action.DEPOSIT: "Vous avez ajouté un papier.",
    Action.LIST: "Vous avez vu la liste des papiers.",
    Action.READ: "Vous avez ouvert un papier.",
    Action.PREVIEW: "Vous avez vu l’aperçu d’un papier.",
    Action.TYPE_SUGGESTED: "Vous avez proposé une sorte de papier.",
    Action.ATTEST: "Vous avez demandé si un papier existe, sans le voir.",
    Action.GRANT_SEEN: "Vous avez regardé ce qui vous est permis.",
    Action.GIVE_BACK: "Vous avez rendu un accès.",
    Action.PERSON_SEEN: "Vous avez regardé ce qui vous est permis.",
    Action.MEETING_OPENED: "Vous avez demandé un code de rencontre.",
    Action.MEETING_ANSWERED: "Vous avez tapé un code de rencontre.",
    Action.MEETING_AGREED: "Vous avez dit oui à une rencontre.",
    Action.MEETING_ENDED: "Vous avez arrêté une rencontre.",
}
TRIED = {
    Action.DEPOSIT: "Vous avez essayé d’ajouter un papier : ce n’était pas possible.",
    Action.LIST: "Vous avez essayé de voir la liste : ce n’était pas possible.",
    Action.READ: "Vous avez essayé d’ouvrir un papier : ce n’était pas possible.",
    Action.PREVIEW: "Vous avez essayé de voir un papier : ce n’était pas possible.",
    Action.GRANT_SEEN: "Vous avez essayé de voir un accès : ce n’était pas possible.",
    Action.MEETING_ANSWERED: "Vous avez tapé un code de rencontre qui ne marche pas.",
    Action.ATTEST: "Vous avez essayé une action : elle n’a pas été possible.",
}
CASES = [(action, "allowed", said) for action, said in DONE.items()]
CASES += [(action, "refused", said) for action, said in TRIED.items()]


@pytest.mark.parametrize(("action", "outcome", "said"), CASES)
def test_an_act_is_said_without_name_and_work(action: Action, outcome: str, said: str) -> None:
    entry = replace(ENTRY, action=action.value, outcome=outcome)
    assert describe_to_worker(entry, "fr") == said + WHY


def test_the_end_of_other_sessions_is_said_as_to_everybody() -> None:
    entry = replace(ENTRY, action=Action.SIGN_OUT.value, purpose=None, details={"sessions": 2})
    assert describe_to_worker(entry, "fr") == describe(entry, "fr")
    assert "(2)" in describe_to_worker(entry, "fr")


def test_a_device_is_named_and_a_code_that_anybody_may_ask_for_is_not_said_to_be_theirs() -> None:
    entry = replace(ENTRY, purpose=None, details={"device": "unknown"})
    opened = describe_to_worker(replace(entry, action=Action.SIGN_IN.value), "fr")
    assert opened == "Vous avez ouvert votre page avec un code, sur un appareil inconnu."
    for outcome in ("allowed", "refused"):
        asked = replace(entry, action=Action.SIGN_IN_CODE.value, outcome=outcome)
        assert describe_to_worker(asked, "fr").startswith("Quelqu’un a demandé un code")
