"""A form is accepted only from our own pages, in the session that it was made for."""

import httpx
import pytest

from base.errors import ServiceError
from tests.fixtures import MakePerson, Served
from vault.documents import own_documents
from vault.services import Services
from web.pages import forms

JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 64


async def test_a_token_is_good_for_its_secret_alone(services: Services) -> None:
    token = await forms.token_for(services, "mine")
    await forms.check(services, "mine", token)
    for secret, wrong in (
        ("other", token),
        ("mine", ("B" if token.startswith("A") else "A") + token[1:]),
        ("mine", ""),
        ("mine", "é"),
    ):
        with pytest.raises(ServiceError) as failure:
            await forms.check(services, secret, wrong)
        assert failure.value.code == "form_expired"


async def test_a_token_is_never_twice_the_same(services: Services) -> None:
    assert await forms.token_for(services, "mine") != await forms.token_for(services, "mine")


def signed_in(served: Served, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=served.base_url, cookies={"unefois-person": token}, trust_env=False
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
    ],
)
async def test_another_site_s_form_is_refused_even_with_a_good_token(
    served: Served, make_person: MakePerson, headers: dict[str, str]
) -> None:
    person = await make_person()
    token = await forms.token_for(served.services, person.token)
    async with signed_in(served, person.token) as browser:
        answer = await browser.post("/sign-out", data={"form": token}, headers=headers)
        assert answer.status_code == 403
        assert "Cette page est trop ancienne" in answer.text
        assert (await browser.get("/documents")).status_code == 200


async def test_a_form_without_its_token_does_nothing(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with signed_in(served, person.token) as browser:
        assert (await browser.post("/sign-out", data={})).status_code == 403
        stranger = await forms.token_for(served.services, "uf_somebody-else")
        assert (await browser.post("/sign-out", data={"form": stranger})).status_code == 403
        assert (await browser.get("/documents")).status_code == 200


async def test_an_upload_without_its_token_keeps_nothing(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with signed_in(served, person.token) as browser:
        answer = await browser.post(
            "/documents/add", data={"type": "payslip"}, files={"file": ("a.jpg", JPEG)}
        )
    assert answer.status_code == 403
    kept = await own_documents.list_own(served.services, person.subject, cursor=None, limit=10)
    assert kept.items == []


async def test_a_form_too_long_is_not_read_to_its_end(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with signed_in(served, person.token) as browser:
        answer = await browser.post("/sign-out", data={"form": "x" * 100_000})
    assert answer.status_code == 413
