"""Events as OCSF 1.8: every action, what its class requires, and what is never exported."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from audit.events import Action, Actor, ActorKind, Event, Outcome, as_values
from audit.ocsf import as_ocsf
from base.ids import new_id

PERSON, DOCUMENT, GRANT, WORKER, STRUCTURE = (new_id() for _ in range(5))
AT = datetime(2026, 3, 2, 9, 30, 0, 250_999, UTC)

# From the published schema, version 1.8.0: activities and required attributes, by class.
CLASSES: dict[int, tuple[int, set[int], set[str]]] = {
    6003: (6, {1, 2, 3, 4, 99}, {"actor", "api", "src_endpoint"}),
    3004: (3, set(range(1, 14)), {"entity"}),
    3002: (3, {1, 2, 3, 4, 5, 6, 7}, {"user", "service"}),
}
ALWAYS = {
    "activity_id",
    "category_uid",
    "class_uid",
    "metadata",
    "severity_id",
    "time",
    "type_uid",
}


def event(action: Action, outcome: Outcome = Outcome.ALLOWED, **fields: Any) -> dict[str, Any]:
    worker = Actor(
        ActorKind.WORKER,
        WORKER,
        name="Camille Moreau",
        job="Assistante sociale",
        organisation="CCAS de Lille",
        organisation_id=STRUCTURE,
        contact="03 20 00 00 01",
    )
    known: dict[str, Any] = {
        "actor": worker,
        "person": PERSON,
        "grant": GRANT,
        "documents": (DOCUMENT,),
        "purpose_code": "housing",
        "purpose": "Demande de logement de Mme Diallo",
        "details": {"document_type": "medical-certificate"},
    }
    made = Event(id=new_id(), at=AT, action=action, outcome=outcome, **(known | fields))
    return as_values(made)


def mapped(values: dict[str, Any], consumer: str = "soc") -> dict[str, Any]:
    shown: dict[str, Any] = as_ocsf(
        values,
        index=41,
        release="0.1.0",
        pseudonym=lambda kind, one: f"{consumer}-{kind}-{UUID(one).int % 9973}",
    )
    assert json.loads(json.dumps(shown)) == shown
    return shown


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("kind", ActorKind)
@pytest.mark.parametrize("action", Action)
def test_every_event_has_what_its_class_requires(
    action: Action, kind: ActorKind, outcome: Outcome
) -> None:
    known = None if kind is ActorKind.ANONYMOUS else WORKER
    shown = mapped(event(action, outcome, actor=Actor(kind, known)))

    category, activities, required = CLASSES[shown["class_uid"]]
    assert shown["category_uid"] == category
    assert shown["activity_id"] in activities
    assert shown["type_uid"] == shown["class_uid"] * 100 + shown["activity_id"]
    assert set(shown) >= ALWAYS | required
    assert shown["metadata"]["version"] == "1.8.0"
    assert shown["metadata"]["product"]["name"]
    assert shown["status_id"] == (1 if outcome is Outcome.ALLOWED else 2)
    user = shown["user"] if shown["class_uid"] == 3002 else shown["actor"]["user"]
    assert user.get("uid") or user.get("name")
    if shown["class_uid"] == 6003:
        assert shown["api"]["operation"] == action.value
    if shown["class_uid"] == 3004:
        assert shown["entity"]["name"] or shown["entity"]["uid"]


def test_the_time_is_in_milliseconds_and_kept_as_it_was_said() -> None:
    shown = mapped(event(Action.READ))
    assert shown["time"] == 1_772_443_800_250
    assert shown["metadata"]["original_time"] == "2026-03-02T09:30:00.250999Z"
    assert shown["metadata"]["sequence"] == 41


def test_a_refusal_says_why_and_weighs_more() -> None:
    shown = mapped(event(Action.READ, Outcome.REFUSED, reason="revoked"))
    assert (shown["severity_id"], shown["status_detail"]) == (2, "revoked")
    assert mapped(event(Action.READ))["severity_id"] == 1
    assert mapped(event(Action.REPORT))["severity_id"] == 3


@pytest.mark.parametrize("action", Action)
def test_nothing_of_the_person_leaves(action: Action) -> None:
    for actor in (event(action)["actor"], {"kind": "owner", "id": str(PERSON)}):
        exported = json.dumps(mapped(event(action) | {"actor": actor}), ensure_ascii=False)
        for secret in (
            str(PERSON),
            str(DOCUMENT),
            str(GRANT),
            "Camille",
            "Moreau",
            "Diallo",
            "logement",
            "medical",
            "03 20",
            "Assistante",
        ):
            assert secret not in exported


def test_a_professional_is_an_account_of_a_structure() -> None:
    user = mapped(event(Action.READ))["actor"]["user"]
    assert user["uid"] == str(WORKER)
    assert user["org"] == {"uid": str(STRUCTURE), "name": "CCAS de Lille"}


def test_the_subject_is_one_pseudonym_a_consumer() -> None:
    read, listed = event(Action.READ), event(Action.LIST)
    owner = event(Action.READ, actor=Actor(ActorKind.OWNER, PERSON))

    def vault(values: dict[str, Any], consumer: str) -> object:
        return mapped(values, consumer)["resources"][0]

    assert vault(read, "soc") == vault(listed, "soc")
    assert vault(read, "soc") != vault(read, "auditor")
    # An owner who acts is the subject.
    assert mapped(owner)["actor"]["user"]["uid"] == mapped(owner)["resources"][0]["uid"]
    assert [one["type"] for one in mapped(read)["resources"]] == ["vault", "document", "grant"]
