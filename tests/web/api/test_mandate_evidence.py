"""What a mandate's evidence and its receipts say: which paper, how its person came in, and who was
beside them, which is not who prepared it."""

from dataclasses import replace

import httpx
import pytest

from tests.assisted import card_of, enter_beside
from tests.auth.means_steps import add_card, enter, pin_of
from tests.fixtures import MakePerson, MakeWorker
from tests.mandates import authorisation, signed
from tests.meetings import met
from tests.web.api.test_consent_evidence import rows_of
from tests.web.api.test_receipts import receipt_of
from tests.web.printouts.reading import text_of
from vault.services import Services


def glued(text: str) -> str:
    """Without what a line's end is made of."""
    return "".join(text.split())


async def test_by_card_and_pin_and_the_receipt_says_so(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Of whom has no phone: on the worker's screen."""
    holder, worker = await make_person(), await make_worker()
    pin = await pin_of(services, holder)
    card = await add_card(client, holder, pin)
    opened = await enter(client, card["code"], pin)
    person = replace(holder, token=opened.json()["token"])
    mandate = await signed(client, worker, person, authorisation("payslip"))
    grant = mandate["grants"][0]["id"]
    (row,) = await rows_of(services, grant)
    assert (row.kind, row.level) == ("signed_mandate", "card_pin")
    pdf = await client.get(f"/v1/grants/{grant}/receipt.pdf", headers=person.headers)
    said = glued(text_of(pdf.content))
    then = "puis la personne a dit oui, avec une carte et un code secret"
    assert glued(f"Papier signé (mandat {mandate['id']}), {then}") in said
    assert glued("avec un code reçu par téléphone") not in said
    assert (
        glued(f"Modèle printouts/mandate/2, empreinte SHA-256 {mandate['template_sha256']}") in said
    )


@pytest.mark.parametrize("how", ["from home", "after a meeting", "beside a colleague"])
async def test_who_prepared_it_is_not_beside_by_that(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    how: str,
) -> None:
    person, worker = await make_person(), await make_worker()
    whom, expected = None, None
    if how == "after a meeting":
        whom = {"meeting": await met(client, worker, person)}
        expected = "Camille Moreau"
    if how == "beside a colleague":
        colleague = await make_worker(worker.organisation_id, name="Nadia Benali")
        card = await card_of(client, services, person)
        person = await enter_beside(client, colleague, person, card)
        expected = "Nadia Benali"
    mandate = await signed(client, worker, person, authorisation("payslip"), whom=whom)
    grant = mandate["grants"][0]["id"]
    (row,) = await rows_of(services, grant)
    assert row.worker_id == worker.id
    (evidence,) = (await receipt_of(client, worker, grant))["evidence"]
    assert evidence["mandate"]["prepared_by"]["name"] == "Camille Moreau"
    assert evidence.get("beside", {}).get("name") == expected
    pdf = await client.get(f"/v1/grants/{grant}/receipt.pdf", headers=worker.headers)
    said = glued(text_of(pdf.content))
    assert glued("Mandat préparé par Camille Moreau") in said
    assert (glued("À côté de la personne") in said) is (expected is not None)
