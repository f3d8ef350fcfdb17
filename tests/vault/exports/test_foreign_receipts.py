"""The receipts that come along with a copy: kept as a paper, with the signed files in it, which the
key of who signed them verifies, alone."""

import io
import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pikepdf
import pytest

from auth.oauth.tokens import SigningKey
from base import clock
from tests.fixtures import SomePerson
from tests.vault.exports.import_steps import ORIGIN, an_export, brought, papers_of
from tests.web.printouts.reading import text_of
from vault.consent.signed_receipts import NotGenuine, signed, verified
from web.printouts import typesetter

KEY = SigningKey.generate()
KEYS = json.dumps({"keys": [KEY.public_jwk()]}).encode()


def _record(name: str, **more: Any) -> dict[str, Any]:
    return {
        "dpv:hasStatus": "dpv:ConsentGiven",
        "dpv:hasRecipient": {"name": name, "job": "Assistante sociale", "organisation": "CCAS"},
        "dpv:hasPurpose": {"code": "housing", "dct:description": "Demande de logement"},
        "dpv:hasDuration": {"given_at": "2026-01-05T09:00:00Z", "ends_at": "2026-07-05T09:00:00Z"},
        **more,
    }


def _signed(name: str, **more: Any) -> bytes:
    record = signed(_record(name, **more), KEY.private_key, KEY.kid)
    return json.dumps(record, indent=1).encode()


_NEVER = {"given_at": "0001-01-01T00:00:00+14:00"}
RECEIPTS = {
    "reçus/1.json": _signed("Camille Moreau"),
    "reçus/2.json": _signed("Camille Moreau").replace(b"Camille", b"Camilla"),
    "reçus/3.json": _signed("<b>\u202eABC " + "x" * 400, **{"dpv:hasDuration": _NEVER}),
    "reçus/4.json": _signed("Camille Moreau", **{"dpv:hasPurpose": [], "dpv:hasRecipient": 7}),
}  # fmt: skip


async def test_they_are_a_paper_once(
    client: httpx.AsyncClient, person: SomePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = an_export(RECEIPTS, [], key=KEY)
    done = await brought(client, person, data)
    assert (done["summary"]["receipts"], done["added"], done["not_taken"]) == (4, 1, 0)
    (paper,) = await papers_of(client, person)
    assert paper["title"] == "Ce que j’avais donné ailleurs"
    assert (paper["type"], paper["sensitive"]) == ("other", True)
    assert paper["deposited_by"]["imported_from"] == ORIGIN

    answer = await client.get(f"/v1/documents/{paper['id']}/content", headers=person.headers)
    with pikepdf.open(io.BytesIO(answer.content)) as printed:
        inside = {name: one.get_file().read_bytes() for name, one in printed.attachments.items()}
    assert inside.pop("keys.json") == KEYS
    assert inside == {path.removeprefix("reçus/"): raw for path, raw in RECEIPTS.items()}
    assert verified(inside["1.json"], KEYS) == _record("Camille Moreau")
    with pytest.raises(NotGenuine):
        verified(inside["2.json"], KEYS)
    said = " ".join(text_of(answer.content).split())
    assert ORIGIN in said
    assert said.count("Elle tient, avec la clé qui est dans la copie.") == 3
    assert said.count("Elle ne tient pas") == 1
    assert "Camilla" not in said, "nothing of one that was changed is told"
    assert "Camille Moreau, Assistante sociale, CCAS" in said

    another_day = SimpleNamespace(now=lambda: clock.now() + timedelta(days=1))
    monkeypatch.setattr(typesetter, "clock", another_day)
    again = await brought(client, person, data)
    assert (again["added"], again["held"]) == (0, 1)


async def test_many_of_them_are_several_papers(
    client: httpx.AsyncClient, person: SomePerson
) -> None:
    many = {f"reçus/{number:03}.json": RECEIPTS["reçus/1.json"] for number in range(101)}
    done = await brought(client, person, an_export(many, [], key=KEY))
    assert (done["summary"]["receipts"], done["added"]) == (101, 2)
    titles = {one["title"] for one in await papers_of(client, person)}
    assert titles == {f"Ce que j’avais donné ailleurs ({number}/2)" for number in (1, 2)}
