"""« Tout emporter » on the pages, without script: asked for, watched, taken in parts, gone."""

import re
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from storage.blobs import BlobUnavailable
from tests.fixtures import MakePerson, MoveClock, Served, SomePerson, sign_in
from tests.steps import deposit
from tests.uploads import padded_pdf
from tests.vault.decoding import corpus
from tests.web.pages.test_joins import code_proof, post
from tests.web.pages.test_own_means import said
from tests.web.pages.test_pages import browser_of
from vault.exports import archives, export_job, exports

EXPORT = "/me/export"


async def asked(served: Served, person: SomePerson, at: httpx.AsyncClient) -> UUID:
    """By the form, with a code that was sent for it."""
    proof = await code_proof(served, person, at, EXPORT)
    sent = await post(served, person, at, EXPORT, **proof)
    assert sent.headers["location"] == EXPORT, said(sent)
    export = await exports.latest(served.services, person.subject)
    assert export is not None
    return export.id


async def test_it_is_asked_for_watched_and_taken_in_parts(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    await deposit(client, person, corpus.pdf())
    async with browser_of(served, person) as at:
        assert f'href="{EXPORT}"' in (await at.get("/me")).text
        first = said(await at.get(EXPORT))
        assert "Cette copie n’est pas fermée à clé." in first
        export = await asked(served, person, at)
        making = said(await at.get(EXPORT))
        assert "Papiers prêts : 0 sur 1" in making
        assert "Un SMS vous dira quand la copie est prête." in making
        await export_job.make(served.services, person.id, export)
        page = await at.get(EXPORT)
        assert "Votre copie est prête" in said(page)
        (address,) = re.findall(r'href="(/me/export/[^"]+)"', page.text)
        whole = await at.get(address)
        assert whole.headers["content-type"] == "application/zip"
        assert whole.headers["content-disposition"].startswith('attachment; filename="mes-papiers-')
        cut = await at.get(address, headers={"Range": "bytes=100-"})
        assert (cut.status_code, cut.content) == (206, whole.content[100:])
        assert cut.headers["etag"] == whole.headers["etag"]
        ended = await post(served, person, at, f"{EXPORT}/end")
        assert "Il n’y a plus de copie ici." in said(await at.get(ended.headers["location"]))
        assert (await at.get(address)).status_code == 404
        again = await post(served, person, at, f"{EXPORT}/end")  # twice changes nothing
        assert again.status_code == 303


async def test_a_wrong_code_begins_nothing(served: Served, make_person: MakePerson) -> None:
    person = await make_person()
    async with browser_of(served, person) as at:
        proof = await code_proof(served, person, at, EXPORT)
        refused = await post(served, person, at, EXPORT, **{**proof, "proof": "000000"})
        assert refused.status_code in (303, 403)
        assert await exports.latest(served.services, person.subject) is None


async def test_another_device_proves_it_again(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as at:
        export = await asked(served, person, at)
    await export_job.make(served.services, person.id, export)
    token = await sign_in(served.services, phone=person.phone)
    other = SomePerson(person.id, person.phone, token, person.subject, served.services)
    async with browser_of(served, other) as at:
        page = await at.get(EXPORT)
        assert "Elle a été demandée sur un autre appareil" in said(page)
        assert "/content" not in page.text
        assert (await at.get(f"{EXPORT}/{export}/content")).status_code == 403
        proof = await code_proof(served, other, at, EXPORT)
        await post(served, other, at, EXPORT, **proof)
        assert (await at.get(f"{EXPORT}/{export}/content")).status_code == 200


async def test_progress_and_a_full_disk(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was made stays; the page says why it does not move, and how far it is."""
    monkeypatch.setattr(archives, "PIECE_BYTES", 30_000)
    monkeypatch.setattr(archives, "SAFE_BYTES", 8_000)
    person = await make_person()
    for _ in range(3):
        await deposit(client, person, padded_pdf(20_000 + _))
    store = type(served.services.storage.blobs)
    writer, left = store.writer, 2

    def full(*given: object) -> object:
        nonlocal left
        left -= 1
        if left < 0:
            raise BlobUnavailable("ENOSPC")
        return writer(*given)  # type: ignore[arg-type]

    async with browser_of(served, person) as at:
        export = await asked(served, person, at)
        with monkeypatch.context() as broken:
            broken.setattr(store, "writer", full)
            with pytest.raises(BlobUnavailable):
                await export_job.make(served.services, person.id, export)
        page = said(await at.get(EXPORT))
        assert "Cela n’avance pas en ce moment" in page
        assert "Papiers prêts : 2 sur 3" in page
        await export_job.make(served.services, person.id, export)
        assert "Votre copie est prête" in said(await at.get(EXPORT))


async def test_it_is_gone_after_seven_days(
    served: Served, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    person = await make_person()
    async with browser_of(served, person) as at:
        export = await asked(served, person, at)
    await export_job.make(served.services, person.id, export)
    moved_clock(timedelta(days=7, minutes=1))
    token = await sign_in(served.services, phone=person.phone)
    other = SomePerson(person.id, person.phone, token, person.subject, served.services)
    async with browser_of(served, other) as at:
        assert "Vous pouvez prendre une copie de tout" in said(await at.get(EXPORT))
        assert (await at.get(f"{EXPORT}/{export}/content")).status_code == 404
