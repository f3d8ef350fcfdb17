"""In Chromium, in Arabic with French beside: a person adds the scan of a mandate and says yes to
what they ticked, stops one part of it; then says yes to a request aloud, before an interpreter."""

from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.journeys.phones import SMALL, OpenPhone, Phone, Way, open_phone
from tests.mandates import prepare, printed, scan_of
from tests.steps import ask

__all__ = ["open_phone"]

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    "open_phone", [Way(SMALL, script=True, language="ar")], ids=["small-script-ar"], indirect=True
)
async def test_a_mandate_is_signed_for_and_a_yes_is_said_aloud(
    open_phone: OpenPhone,
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    tmp_path: Path,
) -> None:
    person, worker = await make_person(), await make_worker(name="Camille Moreau")
    mandate = await prepare(client, worker, person)
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(scan_of(await printed(client, worker, mandate["id"])))
    phone = await open_phone()
    for name, value in (("person", person.token), ("language", "ar")):
        cookie = {"name": f"unefois-{name}", "value": value, "url": served.base_url}
        await phone.context.add_cookies([cookie])  # type: ignore[list-item]
    await signs_for_it(phone, mandate["id"], scan)
    await stops_one(phone)
    grants = (await client.get("/v1/grants", headers=person.headers)).json()["items"]
    assert {one["mandate_id"] for one in grants} == {mandate["id"]}
    assert Counter(one["state"] for one in grants) == {"live": 2, "revoked": 1}
    request = await ask(client, worker.headers, person.phone, "payslip")
    await says_yes_aloud(phone, request)
    grants = (await client.get("/v1/grants", headers=person.headers)).json()["items"]
    (given,) = (one for one in grants if one["mandate_id"] is None)
    receipt = await client.get(f"/v1/grants/{given['id']}/receipt", headers=person.headers)
    (evidence,) = receipt.json()["evidence"]
    assert evidence["kind"] == "spoken"
    assert evidence["heard_by"] == {"role": "interpreter", "name": "Amélie Diallo"}


async def signs_for_it(phone: Phone, mandate: str, scan: Path) -> None:
    """From the list of requests: each box by hand, then the scan."""
    await phone.go("/requests")
    await phone.press(f"main a[href='/mandates/{mandate}']")
    boxes = await phone.page.locator("input[name^=ticked_]").all()
    assert [await box.is_checked() for box in boxes] == [False, False, False]
    for box in boxes:
        await phone.tick(box)
    await phone.page.set_input_files("#files", scan)
    await phone.press("main button.send")
    await phone.page.wait_for_url("**/grants?done=approved")


async def stops_one(phone: Phone) -> None:
    """One of the three, from the list; the others go on."""
    stops = phone.page.locator("main a.danger[href$='/stop']")
    assert await stops.count() == 3
    await phone.press("main a.danger[href$='/stop']")
    await phone.press("main button.danger")
    assert await stops.count() == 2


async def says_yes_aloud(phone: Phone, request: str) -> None:
    """On the last page of a request, each sentence in both languages."""
    await phone.go(f"/requests/{request}/check?type=payslip&duration=asked")
    await phone.press(f"main a[href^='/requests/{request}/aloud']")
    button = phone.page.locator(".together button.yes")
    assert "La personne a dit oui" in await button.locator("[lang=fr]").inner_text()
    assert "قال الشخص نعم" in await button.inner_text()
    for box in await phone.page.locator("#worker_here").all():
        await phone.tick(box)
    await phone.tick("input[name=heard_role][value=interpreter]")
    await phone.fill("input[name=heard_name]", "Amélie Diallo")
    await phone.press(".together button.yes")
    await phone.page.wait_for_url("**/grants?done=approved")
