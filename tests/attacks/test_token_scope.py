"""A client's access token shows what its scope names, in every list, and nothing beside it."""

from dataclasses import dataclass

import httpx
import pytest

from storage.providers import KeyProviderError
from tests.fixtures import MakeClient, MakePerson, MakeWorker, SomeClient
from tests.steps import Headers, client_headers, deposit, granted, is_problem, log_of
from tests.vault.decoding import corpus
from vault.services import Services

GRANTS = ("attest", "read", "deposit")
SEEN = {
    "evidence": {"attest", "read"},
    "documents": {"read"},
    "deposits": {"deposit"},
    "consent_requests": set(),
    "evidence deposits": {"attest", "read", "deposit"},
}
ACTS = {
    "evidence": {"document.attest"},
    "documents": {"document.list"},
    "deposits": {"document.deposit"},
    "consent_requests": {"consent.withdraw"},
}


@dataclass(frozen=True)
class Story:
    """A client with a grant for each action, having used each of them."""

    client: httpx.AsyncClient
    system: SomeClient
    person: Headers
    grants: dict[str, str]

    async def get(self, scope: str, path: str) -> httpx.Response:
        headers = await client_headers(self.client, self.system, scope=scope)
        return await self.client.get(path, headers=headers)


@pytest.fixture
async def story(
    client: httpx.AsyncClient, make_person: MakePerson, make_client: MakeClient
) -> Story:
    person, system = await make_person(), await make_client()
    await deposit(client, person, corpus.pdf())
    headers = await client_headers(client, system)
    grants = {
        action: await granted(client, person, headers, "income_tax_notice", actions=[action])
        for action in GRANTS
    }
    read = f"/v1/grants/{grants['read']}"
    attested = f"/v1/grants/{grants['attest']}/evidence?type=income_tax_notice"
    for path in (attested, f"{read}/documents", read):
        assert (await client.get(path, headers=headers)).status_code == 200, path
    added = await client.post(
        f"/v1/grants/{grants['deposit']}/documents",
        headers=headers,
        files={"file": ("a.pdf", corpus.pdf(2))},
        data={"type": "income_tax_notice"},
    )
    assert added.status_code == 201, added.text
    missing = await client.get(f"/v1/consent-requests/{grants['read']}", headers=headers)
    is_problem(missing, 404, "not_found")
    sent = (await client.get("/v1/consent-requests", headers=headers)).json()["items"]
    late = await client.post(f"/v1/consent-requests/{sent[0]['id']}/withdraw", headers=headers)
    is_problem(late, 409, "request_approved")
    return Story(client, system, person.headers, grants)


@pytest.mark.parametrize("scope", SEEN)
async def test_a_token_sees_the_grants_that_it_can_use(story: Story, scope: str) -> None:
    listed = (await story.get(scope, "/v1/grants")).json()["items"]
    assert {grant["id"] for grant in listed} == {story.grants[action] for action in SEEN[scope]}
    for action, grant in story.grants.items():
        for path in (f"/v1/grants/{grant}", f"/v1/grants/{grant}/receipt"):
            answer = await story.get(scope, path)
            if action in SEEN[scope]:
                assert answer.status_code == 200, answer.text
            else:
                is_problem(answer, 404, "not_found")
                assert story.system.client_id not in answer.text


async def test_a_grant_outside_the_token_answers_as_one_that_does_not_exist(story: Story) -> None:
    nothing = "01890000-0000-7000-8000-000000000000"
    hidden = await story.get("deposits", f"/v1/grants/{story.grants['read']}")
    unknown = await story.get("deposits", f"/v1/grants/{nothing}")
    own = {"request_id"}
    assert {key: value for key, value in hidden.json().items() if key not in own} == {
        key: value for key, value in unknown.json().items() if key not in own
    }
    reasons = [entry["reason"] for entry in await log_of(story.client, story.person)]
    assert "outside_token" in reasons


async def test_nothing_of_a_grant_outside_the_token_is_opened(
    story: Story, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the person's key cannot be had, what is there would answer 503, and the rest 404."""
    keys = services.storage.keys

    async def away(*_: object) -> None:
        raise KeyProviderError("timeout")

    monkeypatch.setattr(keys, "owner", away)
    hidden = await story.get("deposits", f"/v1/grants/{story.grants['read']}")
    is_problem(hidden, 404, "not_found")
    seen = await story.get("deposits", f"/v1/grants/{story.grants['deposit']}")
    assert seen.status_code == 503


@pytest.mark.parametrize("scope", ["evidence", "documents", "deposits"])
async def test_requests_need_their_word(story: Story, scope: str) -> None:
    for path in ("/v1/consent-requests", f"/v1/consent-requests/{story.grants['read']}"):
        is_problem(await story.get(scope, path), 403, "token_scope_missing")
    assert (await story.get("consent_requests", "/v1/consent-requests")).json()["items"]


@pytest.mark.parametrize("scope", ACTS)
async def test_a_token_reads_of_its_log_what_it_may_do(story: Story, scope: str) -> None:
    items = (await story.get(scope, "/v1/access-log")).json()["items"]
    seen = {item["action"] for item in items if not item["action"].startswith("token.")}
    assert seen == ACTS[scope]
    everything = " ".join(ACTS)
    items = (await story.get(everything, "/v1/access-log")).json()["items"]
    assert {item["action"] for item in items} >= set.union(*ACTS.values()) | {"grant.see"}


async def test_pages_come_to_an_end_though_some_are_empty(story: Story) -> None:
    headers = await client_headers(story.client, story.system, scope="evidence")
    path = "/v1/access-log?limit=1"
    actions, pages, cursor = [], 0, ""
    while pages == 0 or cursor:
        answer = await story.client.get(f"{path}{cursor}", headers=headers)
        page = answer.json()
        actions += [entry["action"] for entry in page["items"]]
        cursor = f"&cursor={page['next']}" if page["next"] else ""
        pages += 1
        assert pages < 50
    assert actions.count("document.attest") == 1
    assert len(actions) < pages


async def test_a_worker_sees_all_of_theirs(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    given = {
        await granted(client, person, worker.headers, "income_tax_notice", actions=[action])
        for action in GRANTS
    }
    listed = (await client.get("/v1/grants", headers=worker.headers)).json()["items"]
    assert {grant["id"] for grant in listed} == given
