"""How a mandate is prepared, printed, signed and scanned, in steps of a story."""

import io
import random
from typing import Any

import httpx
import pypdfium2
from PIL import Image, ImageDraw

from tests.fixtures import SomePerson, SomeWorker
from tests.steps import CONTACT

DPI = 200


def authorisation(*types: str, duration: str = "P12M", **changes: Any) -> dict[str, Any]:
    """One of the things on the paper."""
    asked: dict[str, Any] = {
        "document_types": list(types),
        "actions": ["read"],
        "purpose": {"code": "housing", "text": "Demande de logement social"},
        "legal_basis": "consent",
        "duration": duration,
    }
    return asked | changes


THREE = (
    authorisation("payslip"),
    authorisation("lease", duration="P6M"),
    authorisation("rent_receipt", duration="P1M", actions=["attest", "deposit"]),
)


def mandate_body(
    person: SomePerson, *authorisations: dict[str, Any], **changes: Any
) -> dict[str, Any]:
    body = {
        "person": {"phone": person.phone},
        "language": "ar",
        "authorisations": list(authorisations or THREE),
        "contact": CONTACT,
    }
    return body | changes


async def prepare(
    client: httpx.AsyncClient,
    worker: SomeWorker,
    person: SomePerson,
    *authorisations: dict[str, Any],
    whom: dict[str, str] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """The worker prepares it; returns the answer. `whom`: in the place of the phone."""
    body = mandate_body(person, *authorisations, **changes)
    body["person"] = whom or body["person"]
    answer = await client.post("/v1/mandates", headers=worker.headers, json=body)
    assert answer.status_code == 202, answer.text
    prepared: dict[str, Any] = answer.json()
    return prepared


async def printed(client: httpx.AsyncClient, worker: SomeWorker, mandate: str) -> bytes:
    """The page to sign."""
    answer = await client.get(f"/v1/mandates/{mandate}/sheet.pdf", headers=worker.headers)
    assert answer.status_code == 200, answer.text
    return answer.content


def scan_of(pdf: bytes, *, dpi: int = DPI, without: int | None = None, seed: int = 1) -> bytes:
    """Its pages as a scanner gives them, in grey, in one PDF, with noise all over and some ink:
    `without` a page, from 1."""
    chance = random.Random(seed)
    pages = []
    for number, page in enumerate(pypdfium2.PdfDocument(pdf), 1):
        if number == without:
            continue
        grey = page.render(scale=dpi / 72).to_pil().convert("L")
        spots = Image.frombytes("L", grey.size, chance.randbytes(grey.width * grey.height))
        noisy = Image.blend(grey, spots, 0.2)
        ImageDraw.Draw(noisy).line((300, 2000, 700, 1900, 900, 2050), fill=40, width=6)
        pages.append(noisy)
    out = io.BytesIO()
    pages[0].save(out, "PDF", save_all=True, append_images=pages[1:], resolution=dpi)
    return out.getvalue()


async def keep_scan(client: httpx.AsyncClient, person: SomePerson, scan: bytes) -> str:
    """The person adds the scan to their papers; returns its id."""
    answer = await client.post(
        "/v1/documents",
        headers=person.headers,
        files=[("file", ("scan.pdf", scan))],
        data={"type": "power_of_attorney"},
    )
    assert answer.status_code in {200, 201}, answer.text
    return str(answer.json()["id"])


async def sign(
    client: httpx.AsyncClient,
    person: SomePerson,
    mandate: str,
    document: str,
    ticked: list[str],
    **headers: str,
) -> httpx.Response:
    """The person says yes to what they ticked."""
    return await client.post(
        f"/v1/mandates/{mandate}/sign",
        headers=person.headers | headers,
        json={"document_id": document, "authorisations": ticked},
    )


async def signed(
    client: httpx.AsyncClient,
    worker: SomeWorker,
    person: SomePerson,
    *authorisations: dict[str, Any],
    whom: dict[str, str] | None = None,
) -> dict[str, Any]:
    """A mandate that was prepared, printed, scanned and signed, all of it; returns the answer."""
    prepared = await prepare(client, worker, person, *authorisations, language="fr", whom=whom)
    scan = scan_of(await printed(client, worker, prepared["id"]))
    document = await keep_scan(client, person, scan)
    answer = await sign(client, person, prepared["id"], document, prepared["request_ids"])
    assert answer.status_code == 201, answer.text
    mandate: dict[str, Any] = answer.json()
    return mandate
