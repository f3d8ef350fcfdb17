"""One caller who sends hundreds at once: they wait for each other, and nobody waits for them."""

import asyncio
from collections import Counter

import httpx

from tests.fixtures import MakeClient, MakePerson, Served, new_phone
from tests.steps import client_headers, request_body

MANY = 150


async def test_a_senders_requests_take_no_connection_while_they_wait(
    served: Served, client: httpx.AsyncClient, make_client: MakeClient, make_person: MakePerson
) -> None:
    """Each waits for the sender's lock. On connections, they had all of them: whoever came then
    was answered 503, and so were most of their own."""
    headers, person = await client_headers(client, await make_client()), await make_person()
    body = request_body(new_phone(), "income_tax_notice")
    limits = httpx.Limits(max_connections=MANY)
    async with httpx.AsyncClient(
        base_url=served.base_url, timeout=60, limits=limits, trust_env=False
    ) as busy:

        async def ask() -> int:
            return (await busy.post("/v1/consent-requests", headers=headers, json=body)).status_code

        asked = asyncio.gather(*(ask() for _ in range(MANY)))
        while not asked.done():
            read = await client.get("/v1/documents", headers=person.headers)
            assert read.status_code == 200
        assert Counter(await asked) == {202: MANY}
