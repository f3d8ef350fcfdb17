"""« Ce n’est pas normal » on any screen: the line, the form, what was sent, its answer."""

import httpx
import pytest

from tests.fixtures import MakeOrganisation, MakeWorker, Served, new_phone
from tests.journeys.phones import OpenPhone, every_way, open_phone
from tests.steps import ask
from vault.access_log import reports

__all__ = ["open_phone"]

pytestmark = pytest.mark.browser


@every_way
async def test_a_line_is_reported(
    open_phone: OpenPhone,
    served: Served,
    client: httpx.AsyncClient,
    make_worker: MakeWorker,
    make_organisation: MakeOrganisation,
) -> None:
    number, phone = new_phone(), await open_phone()
    await phone.sign_in("/", "#phone", number)
    worker = await make_worker(await make_organisation("Maison des solidarités des Tilleuls"))
    await ask(client, worker.headers, number, "payslip")
    await phone.go("/access-log")
    await phone.press("a[href$='/report']")
    assert await phone.says("Camille Moreau")
    await phone.fill("#text", "Je ne connais pas cette personne.")
    await phone.press("main form button.main")
    assert await phone.says("C’est envoyé")
    assert await phone.says("Je ne connais pas cette personne.")
    made = (await reports.list_reports(served.services))[-1]
    await reports.answer_report(served.services, made.id, "Elle a demandé au mauvais numéro.")
    await phone.press("main a.button:has-text('Revenir à la liste')")
    assert await phone.says("Elle a demandé au mauvais numéro.")
