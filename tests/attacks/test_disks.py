"""Invariant 5: a thief of every disk finds nobody's words, numbers, names or content."""

import base64
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass

import httpx
import psycopg
import pytest

from base.embedded.server import Addresses
from tests.fixtures import (
    STORES,
    MakeClient,
    MakeOrganisation,
    MakePerson,
    MakeWorker,
    SomePerson,
    new_phone,
)
from tests.steps import (
    CONTACT,
    Document,
    Headers,
    approve,
    ask,
    client_headers,
    deposit,
    drawn,
    revoke,
)
from tests.vault.decoding import corpus
from vault.services import Services


@dataclass(frozen=True)
class Words:
    """What must not be found, by its kind. Each value is unique."""

    marks: dict[str, bytes]

    def found_in(self, data: bytes) -> list[str]:
        """The names of the marks that the data contains, in any usual encoding."""
        return [
            name
            for name, mark in self.marks.items()
            if any(shape in data for shape in encodings_of(mark))
        ]


def encodings_of(mark: bytes) -> Iterator[bytes]:
    """UTF-8, UTF-16 in both byte orders, hexadecimal in both cases, base64 at its three offsets."""
    yield mark
    text = mark.decode("latin-1")
    yield text.encode("utf-16-le")
    yield text.encode("utf-16-be")
    yield mark.hex().encode()
    yield mark.hex().upper().encode()
    for before in range(3):
        whole = base64.b64encode(bytes(before) + mark)
        # The first and last group also encode bytes beside the mark.
        yield whole[4:-4]
        yield whole[4:-4].replace(b"+", b"-").replace(b"/", b"_")


def _word(name: str) -> str:
    return f"{name}-{secrets.token_hex(8)}"


def test_the_search_finds_what_it_should() -> None:
    words = Words({"mark": b"Titre-0123456789abcdef"})
    for data in (
        b"xx Titre-0123456789abcdef",
        "Titre-0123456789abcdef".encode("utf-16-le"),
        b"\\x" + b"..Titre-0123456789abcdef..".hex().encode(),
        base64.b64encode(b"?" + b"Titre-0123456789abcdef" + b"???"),
        base64.b64encode(b"Titre-0123456789abcdef" + b"?"),
    ):
        assert words.found_in(data) == ["mark"]
    assert words.found_in(b"Titre-0123456789abcdeX") == []


@pytest.mark.parametrize("store", STORES, indirect=True)
async def test_a_thief_of_the_disks_finds_nothing(
    services: Services,
    client: httpx.AsyncClient,
    postgres: Addresses,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_client: MakeClient,
    make_organisation: MakeOrganisation,
) -> None:
    """The whole story with marked words; then every table, every file of the home, every blob."""
    texts = {
        name: _word(name)
        for name in ("Titre", "Fichier", "Armoire", "Nom", "Metier", "Structure", "Motif", "Clef")
    }
    phone = new_phone()
    person = await make_person(phone)
    organisation = await make_organisation(texts["Structure"], contact=_word("Contact"))
    email = f"{secrets.token_hex(8)}@structure.example"
    worker = await make_worker(organisation, name=texts["Nom"], job=texts["Metier"], email=email)
    system = await make_client(organisation, name=texts["Structure"])
    headers = await client_headers(client, system)
    content = secrets.token_hex(24).encode()

    await _journey(services, client, person, [worker.headers, headers], texts, content)

    marks = {name: word.encode() for name, word in texts.items()}
    marks |= {
        "content": content,
        "phone": phone.encode(),
        "phone as dialled": ("0" + phone[3:]).encode(),
        "email": email.encode(),
        "token of the person": person.token.encode(),
        "token of the worker": worker.token.encode(),
        "private key": system.private_key_pem[40:90].encode(),
        "type": b"multi_year_residence_permit",
        "other type": b"family_quotient_certificate",
        "contact's hours": CONTACT["hours"].encode(),
    }
    await _nothing_is_found(services, postgres, Words(marks))


async def _nothing_is_found(services: Services, postgres: Addresses, words: Words) -> None:
    """In no table, no file of the home, no blob."""
    total = 0
    for where, data in _tables(postgres):
        assert words.found_in(data) == [], where
        total += len(data)
    assert total > 50_000
    for where, data in _files(services):
        assert words.found_in(data) == [], where
    kept = [words.found_in(data) async for data in _blobs(services)]
    assert len(kept) >= 4
    assert not any(kept)


async def _journey(
    services: Services,
    client: httpx.AsyncClient,
    person: SomePerson,
    recipients: list[dict[str, str]],
    texts: dict[str, str],
    content: bytes,
) -> None:
    """Deposits, correction, requests, grants, retrieval, refusal, preview, revocation."""
    first = await _deposits(client, person, texts, content)
    await drawn(services, person, first)
    await client.patch(
        f"/v1/documents/{first['id']}", headers=person.headers, json={"title": texts["Titre"]}
    )
    for headers in recipients:
        await _asks_and_opens(client, person, headers, texts, first)


async def _deposits(
    client: httpx.AsyncClient, person: SomePerson, texts: dict[str, str], content: bytes
) -> Document:
    """A PDF and a photo, both with the content; the PDF's document."""
    made = corpus.blank_pdf(2)
    made.Root.Mark = made.make_indirect(made.make_stream(content * 20))
    pdf = corpus.pdf_bytes(made, compress_streams=False)
    assert content in pdf
    photo = corpus.plain_jpeg()
    photo = photo[:2] + corpus.segment(0xFE, content) + photo[2:]
    metadata = {"title": texts["Titre"], "paper_location": texts["Armoire"]}
    first = await deposit(
        client, person, pdf, type_="multi_year_residence_permit", name=f"{texts['Fichier']}.pdf",
        **metadata,
    )  # fmt: skip
    await deposit(
        client, person, photo, type_="family_quotient_certificate", name=f"{texts['Fichier']}.jpg",
        **metadata,
    )  # fmt: skip
    return first


async def _asks_and_opens(
    client: httpx.AsyncClient,
    person: SomePerson,
    headers: Headers,
    texts: dict[str, str],
    first: Document,
) -> None:
    """One recipient asks, is granted less, opens, is revoked; and asks someone without a vault."""
    purpose = {"code": "housing", "text": texts["Motif"]}
    request = await ask(
        client,
        {**headers, "Idempotency-Key": texts["Clef"]},
        person.phone,
        "family_quotient_certificate",
        "multi_year_residence_permit",
        purpose=purpose,
        contact={**CONTACT, "name": texts["Nom"], "job": texts["Metier"]},
        actions=["read", "attest"],
    )
    keyed = {**person.headers, "Idempotency-Key": texts["Clef"]}
    assert (await client.get("/v1/consent-requests", headers=keyed)).status_code == 200
    scope = {
        "document_types": ["family_quotient_certificate"],
        "document_ids": [first["id"]],
    }
    grant = (await approve(client, person, request, scope=scope))["id"]
    under = f"/v1/grants/{grant}"
    for path in (
        f"{under}/documents",
        f"{under}/documents/{first['id']}/content",
        f"{under}/documents/{first['id']}/preview",
        f"{under}/evidence?type=family_quotient_certificate",
    ):
        assert (await client.get(path, headers=headers)).status_code == 200, path
    await revoke(client, person, grant)
    assert (await client.get(f"{under}/documents", headers=headers)).status_code == 403
    stranger = await ask(client, headers, new_phone(), "payslip", purpose=purpose)
    assert stranger


def _tables(postgres: Addresses) -> Iterable[tuple[str, bytes]]:
    """Every table of every schema as its owner can dump it; bytes in hexadecimal."""
    with psycopg.connect(postgres.owner_url.replace("+psycopg", "")) as owner:
        names = owner.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert len(names) > 25
        for (name,) in names:
            with owner.cursor().copy(f"COPY {name} TO STDOUT".encode()) as copied:
                yield name, b"".join(bytes(row) for row in copied)


def _files(services: Services) -> Iterable[tuple[str, bytes]]:
    """Every file of the home: PostgreSQL's pages, its journal and its log, the store, the keys."""
    seen = 0
    for path in services.settings.home.rglob("*"):
        if path.is_file() and not path.is_socket():
            seen += 1
            yield str(path.relative_to(services.settings.home)), path.read_bytes()
    assert seen > 500


async def _blobs(services: Services) -> AsyncIterator[bytes]:
    """Each blob as the store returns it."""
    after = None
    while page := await services.storage.blobs.page("", after, 500):
        after = page[-1].key
        for one in page:
            yield await services.storage.blobs.read(one.key, 0, one.size)
