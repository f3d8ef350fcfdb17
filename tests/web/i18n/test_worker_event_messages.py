"""A worker reads what they did without their own name; what has no such sentence is said as to
everybody."""

from dataclasses import replace

import pytest

from audit.events import Action
from tests.web.i18n.test_event_messages import ENTRY
from web.i18n.worker_event_messages import describe_to_worker


@pytest.mark.parametrize("outcome", ["allowed", "refused"])
@pytest.mark.parametrize(
    "action",
    [Action.DEPOSIT, Action.LIST, Action.READ, Action.PREVIEW, Action.ATTEST, Action.GIVE_BACK],
)
def test_an_act_is_said_without_name_and_work(action: Action, outcome: str) -> None:
    said = describe_to_worker(replace(ENTRY, action=action.value, outcome=outcome), "fr")
    assert said.startswith("Vous avez ")
    assert "Camille" not in said
    assert said.endswith("Pourquoi : « Demande de logement ».")


def test_a_device_is_named_and_a_code_that_anybody_may_ask_for_is_not_said_to_be_theirs() -> None:
    entry = replace(ENTRY, purpose=None, details={"device": "unknown"})
    opened = describe_to_worker(replace(entry, action=Action.SIGN_IN.value), "fr")
    assert opened == "Vous avez ouvert votre page avec un code, sur un appareil inconnu."
    for outcome in ("allowed", "refused"):
        asked = replace(entry, action=Action.SIGN_IN_CODE.value, outcome=outcome)
        assert describe_to_worker(asked, "fr").startswith("Quelqu’un a demandé un code")
