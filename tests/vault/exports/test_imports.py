"""A copy of elsewhere, over HTTP: looked at, agreed to, its papers come in as their person's own
word, once."""

import httpx

from tests.fixtures import MakePerson, SomePerson
from tests.steps import deposit, log_of
from tests.uploads import padded_pdf
from tests.vault.decoding import corpus
from tests.vault.exports.import_steps import (
    ORIGIN,
    agreed,
    an_export,
    brought,
    gone_on,
    looked_at,
    paper,
    papers_of,
)
from tests.vault.exports.steps import made, taken


async def test_what_was_exported_comes_in_once(
    client: httpx.AsyncClient, person: SomePerson, make_person: MakePerson
) -> None:
    photo = corpus.phone_jpeg()
    await deposit(client, person, corpus.pdf(), title="Mon avis", name="a.pdf")
    await deposit(client, person, photo, type_="payslip", name="IMG_1.jpg")
    gone = await deposit(client, person, corpus.plain_jpeg(), title="Vieux")
    await client.delete(f"/v1/documents/{gone['id']}", headers=person.headers)
    export = await made(client, person)
    data = (await taken(client, person, export["id"])).content

    other = await make_person()
    found = await looked_at(client, other, data)
    assert found["state"] == "asked"
    summary = found["summary"]
    assert (summary["papers"], summary["left"]) == (2, 1)
    assert summary["origin"] == person.services.settings.public_url
    assert await papers_of(client, other) == [], "before the yes"
    assert (await agreed(client, other, found["id"])).status_code == 202
    done = await gone_on(client, other, found["id"])
    assert (done["state"], done["added"], done["held"]) == ("done", 2, 0)

    first, second = sorted(await papers_of(client, other), key=lambda one: one["type"])
    assert (first["title"], first["type"]) == ("Mon avis", "income_tax_notice")
    assert first["deposited_by"] == {"kind": "owner", "imported_from": summary["origin"]}
    assert second["file"]["file_name"] == "IMG_1.jpg"
    path = f"/v1/documents/{second['id']}/content"
    assert (await client.get(path, headers=other.headers)).content == photo

    again = await brought(client, other, data)
    assert (again["state"], again["added"], again["held"]) == ("done", 0, 2)
    assert len(await papers_of(client, other)) == 2
    lines = [one for one in await log_of(client, other) if one["action"] == "vault.import"]
    assert [one["sentence"] for one in lines] == [
        "Vous avez fait venir ici vos papiers d’ailleurs."
    ] * 2


async def test_what_is_said_of_a_paper_is_kept_where_it_can_be_said_here(
    client: httpx.AsyncClient, person: SomePerson
) -> None:
    files = {f"papiers/{n}/original-1.pdf": padded_pdf(9_000 + n) for n in range(3)}
    paths = list(files)
    papers = [
        paper(paths[0], title="Loyer", issued_on="2026-01-05", expires_on="2027-01-05",
              income_year=2025, paper_location="le tiroir", sensitive=True),
        paper(paths[1], type="of_a_later_release", title="x" * 5000, issued_on="hier"),
        paper(paths[2], type=["payslip"], issued_on="2026-05-05", expires_on="2026-01-01",
              deposited_by={"kind": "client", "name": "La CAF"}),
    ]  # fmt: skip
    done = await brought(client, person, an_export(files, papers))
    assert (done["added"], done["not_taken"]) == (3, 0)
    found = {one["title"]: one for one in await papers_of(client, person)}
    first = found["Loyer"]
    assert (first["type"], first["issued_on"], first["sensitive"]) == (
        "payslip",
        "2026-01-05",
        True,
    )
    assert (first["income_year"], first["paper_location"]) == (2025, "le tiroir")
    assert found["x" * 100]["type"] == "other"
    assert found["x" * 100]["sensitive"], "nobody knows what it is"
    assert found[None]["deposited_by"] == {"kind": "owner", "imported_from": ORIGIN}
    assert (found[None]["issued_on"], found[None]["expires_on"]) == (None, None)
