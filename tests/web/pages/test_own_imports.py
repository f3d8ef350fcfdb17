"""« Reprendre mes papiers d’ailleurs » on the pages, without script: chosen, looked at, agreed to,
come in; each refusal in words."""

import httpx

from tests.fixtures import MakePerson, Served, SomePerson
from tests.vault.exports.import_steps import ORIGIN, PATH, PDF, an_export, good, job_of, paper
from tests.web.pages.test_joins import code_proof, post
from tests.web.pages.test_own_means import said
from tests.web.pages.test_pages import browser_of
from vault.exports import imports
from vault.exports.records import document_ids
from web.pages import forms

IMPORT = "/me/import"


async def chosen(
    served: Served, person: SomePerson, at: httpx.AsyncClient, data: bytes
) -> httpx.Response:
    token = await forms.token_for(served.services, person.token)
    files = {"file": ("copie.zip", data, "application/zip")}
    return await at.post(IMPORT, data={"form": token}, files=files)


async def looked_at(served: Served, person: SomePerson, at: httpx.AsyncClient, data: bytes) -> str:
    """Sent by the form, and looked at."""
    sent = await chosen(served, person, at, data)
    assert sent.headers["location"] == IMPORT, said(sent)
    assert "La copie est arrivée." in said(await at.get(IMPORT))
    found = await imports.latest(served.services, person.subject)
    assert found is not None
    await job_of(person, str(found.id))
    return str(found.id)


async def test_papers_come_in_after_a_yes(served: Served, make_person: MakePerson) -> None:
    person = await make_person()
    files = {PATH: PDF, "papiers/2/original-1.pdf": b"MZ" + bytes(9000)}
    papers = [paper(path, title=f"Papier {n}") for n, path in enumerate(files, 1)]
    papers.append({"gone": True})
    async with browser_of(served, person) as at:
        assert f'href="{IMPORT}"' in (await at.get("/me")).text
        assert "Rien n’est ajouté tout de suite" in said(await at.get(IMPORT))
        found = await looked_at(served, person, at, an_export(files, papers))
        asked = said(await at.get(IMPORT))
        assert "Ces papiers sont à vous ?" in asked
        assert "elsewhere.example" in asked
        assert "1 papier jeté là-bas reste dans la copie." in asked
        assert "personne ne les a vérifiés ici" in asked
        proof = await code_proof(served, person, at, IMPORT)
        wrong = await post(served, person, at, f"{IMPORT}/{found}/yes", **{**proof, "proof": "000"})
        assert wrong.status_code == 403
        assert "Ces papiers sont à vous ?" in said(wrong)
        yes = await post(served, person, at, f"{IMPORT}/{found}/yes", **proof)
        assert yes.headers["location"] == IMPORT, said(yes)
        assert "Vos papiers arrivent : 0 sur 2." in said(await at.get(IMPORT))
        await job_of(person, found)
        done = said(await at.get(IMPORT))
        assert "Papiers ajoutés 1" in done
        assert "Pas ajoutés 1" in done
        assert "Papier 2" in done
        assert "Ce fichier n’est ni un PDF" in done or "programme" in done
        assert "Papier 1" in (await at.get("/documents")).text
        ended = await post(served, person, at, f"{IMPORT}/{found}/end")
        assert "C’est oublié." in said(await at.get(ended.headers["location"]))
        again = await post(served, person, at, f"{IMPORT}/{found}/end")  # twice changes nothing
        assert again.status_code == 303


async def test_it_says_where_a_paper_comes_from(served: Served, make_person: MakePerson) -> None:
    person = await make_person()
    async with browser_of(served, person) as at:
        found = await looked_at(served, person, at, good())
        proof = await code_proof(served, person, at, IMPORT)
        await post(served, person, at, f"{IMPORT}/{found}/yes", **proof)
        await job_of(person, found)
        async with served.services.database.transaction() as tx:
            (document,) = await document_ids(tx, person.id)
        shown = said(await at.get(f"/documents/{document}"))
        assert "avec une copie de" in shown
        assert ORIGIN in shown


async def test_what_is_refused_is_said(served: Served, make_person: MakePerson) -> None:
    person = await make_person()
    async with browser_of(served, person) as at:
        empty = await chosen(served, person, at, b"")
        assert empty.status_code == 422
        await looked_at(served, person, at, PDF)
        refused = said(await at.get(IMPORT))
        assert "Fichier incomplet" in refused
        assert "ce n’est pas un fichier zip" in refused
        # Another one may be chosen on the same page.
        await looked_at(served, person, at, good())
        under_way = await chosen(served, person, at, good())
        assert under_way.status_code == 409
        assert "Une copie arrive déjà" in said(under_way)


async def test_a_form_that_is_not_ours_brings_nothing(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as at:
        files = {"file": ("copie.zip", good(), "application/zip")}
        for data in ({}, {"form": "x"}):
            answer = await at.post(IMPORT, data=data, files=files)
            assert answer.status_code >= 400
    assert await imports.latest(served.services, person.subject) is None


async def test_its_script_sends_it_in_parts(served: Served, make_person: MakePerson) -> None:
    """What came before a cut is not sent again, by another visit to the page either."""
    person, data = await make_person(), good()
    parts = f"{IMPORT}/parts"
    async with browser_of(served, person) as at:
        token = await forms.token_for(served.services, person.token)
        ours = {"Tus-Resumable": "1.0.0", forms.HEADER: token}
        stream = ours | {"content-type": "application/offset+octet-stream"}
        length = {"Upload-Length": str(len(data))}
        assert (await at.post(parts, headers=length)).status_code >= 400, "not our page"
        begun = await at.post(parts, headers=ours | length)
        assert begun.status_code == 201
        address = begun.headers["location"]
        some = await at.patch(address, headers=stream | {"Upload-Offset": "0"}, content=data[:9000])
        assert (some.status_code, some.headers["upload-offset"]) == (204, "9000")
        page = (await at.get(IMPORT)).text
        assert f'data-begun="{address}" data-length="{len(data)}"' in page
        assert (await at.head(address)).headers["upload-offset"] == "9000"
        rest = {"Upload-Offset": "9000"}
        assert (await at.patch(address, headers=stream | rest, content=data[9000:])).is_success
        form = {"form": token, forms.UPLOADS: address.rpartition("/")[2]}
        sent = await at.post(IMPORT, data=form, files={"nothing": (None, b"")})
        assert sent.headers["location"] == IMPORT, said(sent)
        assert "La copie est arrivée." in said(await at.get(IMPORT))
