"""`index.html` of an export: all of it, read without the installation and without a network."""

import io
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import pytest

from tests.browsers import Chromium
from tests.fixtures import MakePerson, MakeWorker, SomePerson
from tests.steps import ask, deposit, granted
from tests.vault.decoding import corpus
from tests.vault.exports.steps import made, taken, unpacked
from web.i18n.languages import languages, offered


class _Page(HTMLParser):
    """The addresses that a page names, its tags, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ids: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.text += " "
        self.tags.append((tag, values))
        self.ids.add(values.get("id") or "")
        if tag == "a":
            self.links.append(values["href"] or "")
        assert "src" not in values
        assert tag not in ("script", "link", "iframe", "object", "form")

    def handle_data(self, data: str) -> None:
        self.text += data


async def vault_of(
    client: httpx.AsyncClient, person: SomePerson, make_worker: MakeWorker
) -> tuple[str, str]:
    """With papers whose names are hard, a grant and a request; who has the grant."""
    worker = await make_worker(name="Camille <Moreau> & Cie")
    await deposit(
        client,
        person,
        [corpus.phone_jpeg(), corpus.plain_jpeg()],
        type_="payslip",
        title="Paie 100 % #1 « d'août » <b>",
        issued_on="2026-08-31",
    )
    await deposit(client, person, corpus.pdf(), type_="income_tax_notice", title="إشعار الضريبة")
    gone = await deposit(client, person, corpus.pdf(2), title="Vieux")
    await client.delete(f"/v1/documents/{gone['id']}", headers=person.headers)
    grant = await granted(client, person, worker.headers, "payslip")
    await ask(client, worker.headers, person.phone, "income_tax_notice")
    return worker.subject.name, grant


@pytest.mark.parametrize("language", offered())
async def test_it_is_read_in_the_persons_language(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker, language: str
) -> None:
    person = await make_person(language=language)
    name, grant = await vault_of(client, person, make_worker)
    files = await unpacked(client, person, (await made(client, person))["id"])
    page = _Page(files["index.html"].decode())
    spoken = languages()[language]
    html = next(values for tag, values in page.tags if tag == "html")
    assert (html["lang"], html["dir"]) == (spoken.tag, spoken.direction)
    # Each link leads to a file beside it, or to a place in it: nothing is asked of a network.
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        else:
            assert urlsplit(link) == ("", "", link, "", ""), link
            assert unquote(link) in files, link
    linked = {unquote(link) for link in page.links}
    assert {path for path in files if path.startswith(("papiers/", "corbeille/"))} <= linked
    assert f"reçus/{grant}.json" in linked
    assert "http" not in " ".join(page.links)
    text = _joined(page.text)
    for said in ("Paie 100 % #1", "<b>", "إشعار الضريبة", name):
        assert _joined(said) in text
    assert ("Quiapuvoirmespapiers" in text) is (spoken.tag == "fr")


def _joined(text: str) -> str:
    """Without white space, of which typography has its own, and without isolates."""
    return "".join(one for one in text if not one.isspace() and one not in "\u2068\u2069")


async def test_it_tells_all_of_it_in_french(
    client: httpx.AsyncClient, person: SomePerson, make_worker: MakeWorker
) -> None:
    await vault_of(client, person, make_worker)
    files = await unpacked(client, person, (await made(client, person))["id"])
    text = " ".join(_Page(files["index.html"].decode()).text.replace("\u00a0", " ").split())
    for said in (
        "Date écrite sur le papier 31 août 2026",
        "photo 1",
        "Ce que les autres reçoivent : PDF",
        "Papiers supprimés, encore là ce jour-là Vieux",
        "Demande de logement social",
        "En cours",
        "En attente de réponse",
        "Vous avez ajouté un papier.",
        "Vous avez supprimé un papier. – Vieux",
        "Vous avez demandé une copie de tous vos papiers.",
    ):
        assert said in text, said


@pytest.mark.browser
async def test_it_opens_in_a_browser_without_a_network(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    chromium: Chromium,
    tmp_path: Path,
) -> None:
    """Unpacked on a computer that is not connected, by somebody who reads Arabic."""
    person = await make_person(language="ar")
    await vault_of(client, person, make_worker)
    whole = await taken(client, person, (await made(client, person))["id"])
    with zipfile.ZipFile(io.BytesIO(whole.content)) as found:
        found.extractall(tmp_path)
        names = found.namelist()
    browser = await chromium.running()
    context = await browser.new_context(
        offline=True, java_script_enabled=False, viewport={"width": 360, "height": 640}
    )
    try:
        page = await context.new_page()
        asked: list[str] = []
        failed: list[str] = []
        page.on("request", lambda one: asked.append(one.url))
        page.on("console", lambda one: failed.append(one.text))
        await page.goto((tmp_path / "index.html").as_uri())
        assert [url for url in asked if not url.startswith("file:")] == []
        assert failed == []
        photo = page.locator("#papers a").first
        box = await photo.bounding_box()
        assert box is not None
        assert box["height"] >= 24
        width = await page.locator("body").bounding_box()
        assert width is not None
        assert width["width"] <= 360, "it scrolls sideways"
        await photo.click()
        opened = urlsplit(page.url)
        assert opened.fragment == ""
        assert unquote(opened.path) in {f"{tmp_path}/{name}" for name in names}
    finally:
        await context.close()
