"""A printed page as an answer: a file to keep or to print, which no browser runs."""

from typing import Any

from starlette.responses import Response

from web.http.accept_header import prefers

PDF: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}
}
"""How the description of the API says it."""


class PdfResponse(Response):
    """The bytes of a PDF."""

    media_type = "application/pdf"


def pdf_response(content: bytes, name: str) -> PdfResponse:
    """The answer with one PDF. `name` says what it is, for the name of the file: nothing of what
    is in it."""
    disposition = f'attachment; filename="unefois-{name}.pdf"'
    return PdfResponse(content, headers={"Content-Disposition": disposition})


def prefers_pdf(accept: str) -> bool:
    """Whether an `Accept` wants a PDF more than JSON."""
    return prefers(accept, "application/pdf")
