"""The proof of a log entry: a page to print, its QR code, and the file to verify it with."""

import json
from typing import Any

from fastapi import Response

from base.errors import not_found
from vault.access_log import entries, inclusion_proof
from web.http.inclusion_receipt import qr_code, tree_of
from web.http.path_ids import PathId
from web.pages.access_log import back_to, documents_of, named
from web.pages.page import PersonPage, PersonPageDep, page_router

router = page_router()
KEPT = "proof"
"""What the page was opened for: it then begins the download, and says where the file is."""


@router.get("/access-log/{event_id}/receipt")
async def receipt(event_id: PathId, page: PersonPageDep) -> Response:
    """The entry and its proof; `done=proof`: its file too. Until the entry is in a signed tree, the
    page says to look again."""
    entry = await entries.see_for_person(page.services, page.person, event_id)
    proof = await _receipt(event_id, page)
    documents = await documents_of(page, [entry])
    response = await page.show(
        "receipt.html",
        entry=entry,
        back=back_to(page, event_id),
        documents=documents,
        of_entry=named(entry, set(documents)),
        receipt=proof,
        tree=None if proof is None else tree_of(proof),
    )
    if proof is not None and page.done == KEPT and page.device != "shared":
        # The browser keeps the file, and stays on the page that says so. Not where others sit
        # down next: there `base.html` loads the page's end in the same way.
        response.headers["Refresh"] = f"0;url=/access-log/{event_id}/receipt.json"
    return response


@router.get("/access-log/{event_id}/receipt.svg")
async def drawing(event_id: PathId, page: PersonPageDep) -> Response:
    """The QR code of the essentials."""
    return Response(qr_code(await _ready(event_id, page)), media_type="image/svg+xml")


@router.get("/access-log/{event_id}/receipt.json")
async def download(event_id: PathId, page: PersonPageDep) -> Response:
    """The file that `unefois verify --receipt` reads, on any machine."""
    content = json.dumps(await _ready(event_id, page), ensure_ascii=False, indent=1)
    headers = {"Content-Disposition": f'attachment; filename="preuve-{event_id}.json"'}
    return Response(content, media_type="application/json", headers=headers)


async def _receipt(event_id: PathId, page: PersonPage) -> dict[str, Any] | None:
    proof = await inclusion_proof.prove_inclusion(page.services, page.person, event_id)
    return inclusion_proof.receipt_of(proof)


async def _ready(event_id: PathId, page: PersonPage) -> dict[str, Any]:
    proof = await _receipt(event_id, page)
    if proof is None:
        raise not_found()
    return proof
