"""A printed page as an answer: a file to keep or to print, which no browser runs."""

from typing import Any

from starlette.responses import Response

from web.i18n.translations import quality_of

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
    """Whether an `Accept` (RFC 9110 §12.5.1) wants a PDF more than JSON: it names it. Whoever takes
    anything gets JSON."""
    weights: dict[str, float] = {}
    for item in accept.split(",")[:20]:
        kind, _, parameters = item.partition(";")
        weights[kind.strip().lower()] = quality_of(parameters)
    ranges = ("application/json", "application/*", "*/*")
    json = next((weights[one] for one in ranges if one in weights), 0.0)
    return weights.get("application/pdf", 0.0) > json
