"""What is printed: the log, a grant's receipt, a request, a paper's sheet; each as a PDF."""

from fastapi import Response

from web.http.path_ids import PathId
from web.http.pdf_response import pdf_response
from web.pages.page import PersonPageDep, WorkerPageDep, page_router
from web.printouts.access_log import print_log
from web.printouts.grant_receipt import print_receipt
from web.printouts.paper_sheet import print_paper
from web.printouts.request_sheet import print_request

router = page_router()


@router.get("/access-log.pdf")
async def log(page: PersonPageDep) -> Response:
    """My log."""
    return pdf_response(await print_log(page.services, page.person, page.language), "journal")


@router.get("/grants/{grant_id}/receipt.pdf")
async def receipt(grant_id: PathId, page: PersonPageDep) -> Response:
    """The receipt of a grant that I gave."""
    pdf = await print_receipt(page.services, page.person, grant_id, page.language)
    return pdf_response(pdf, "recu")


@router.get("/pro/grants/{grant_id}/receipt.pdf")
async def received_receipt(grant_id: PathId, page: WorkerPageDep) -> Response:
    """The receipt of a grant that I was given."""
    pdf = await print_receipt(page.services, page.worker, grant_id, page.language)
    return pdf_response(pdf, "recu")


@router.get("/requests/{request_id}/sheet.pdf")
async def request(request_id: PathId, page: PersonPageDep) -> Response:
    """A request that I received."""
    pdf = await print_request(page.services, page.person, request_id, page.language)
    return pdf_response(pdf, "demande")


@router.get("/documents/{document_id}/sheet.pdf")
async def paper(document_id: PathId, page: PersonPageDep) -> Response:
    """The sheet of a paper of mine."""
    pdf = await print_paper(page.services, page.person, document_id, page.language)
    return pdf_response(pdf, "fiche")
