"""What `make lighthouse` measures is the page itself."""

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.lighthouse.pages import PAGES
from tests.steps import ask


@pytest.mark.parametrize(("reader", "page"), PAGES)
async def test_no_measured_page_leads_to_another(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    reader: str,
    page: str,
) -> None:
    """The browser that measures has the cookie for one address: where that leads, nobody is signed
    in any more."""
    person, worker = await make_person(), await make_worker()
    request = await ask(client, worker.headers, person.phone, "payslip")
    tokens = {"person": person.token, "worker": worker.token}
    cookies = {"unefois-language": "fr"}
    if reader in tokens:
        cookies[f"unefois-{reader}"] = tokens[reader]
    async with httpx.AsyncClient(base_url=served.base_url, cookies=cookies) as browser:
        answer = await browser.get(page.replace("{request_id}", str(request)))
    assert answer.status_code == 200
