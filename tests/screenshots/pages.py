"""The pages there are, and who sees them."""

import re
from collections.abc import Iterable

Reader = str
"""`visitor`, `person` or `worker`: whose session the browser has."""

# In the order in which one leads to the next: an id is taken from a link of a page before.
PAGES: dict[Reader, tuple[str, ...]] = {
    "visitor": (
        "/language",
        "/",
        "/card",
        "/stop-recovery",
        "/pro",
        "/problems",
        "/problems/{code}",
        "/styles",
        "/offline",
    ),
    "person": (
        "/documents",
        "/documents/deleted",
        "/documents/add",
        "/documents/add/{draft_id}/check",
        "/documents/add/{draft_id}/pictures",
        "/documents/add/{draft_id}/pictures/{picture_id}",
        "/documents/add/{draft_id}/type",
        "/documents/add/{draft_id}/details",
        "/documents/add/{draft_id}/discard",
        "/documents/{document_id}",
        "/documents/{document_id}/correct",
        "/documents/{document_id}/show",
        "/documents/{document_id}/version",
        "/documents/{document_id}/delete",
        "/meetings/code",
        "/requests",
        "/requests/{request_id}",
        "/requests/{request_id}/why",
        "/requests/{request_id}/papers",
        "/grants",
        "/grants/new",
        "/grants/stop-all",
        "/grants/{grant_id}/stop",
        "/access-log",
        "/access-log/{event_id}/report",
        "/access-log/{event_id}/receipt",
        "/me",
        "/me/anchor",
        "/me/name",
        "/me/means",
        "/me/cards/new",
        "/me/pin",
        "/me/phone",
        "/me/export",
        "/me/joins",
        "/me/joins/code",
        "/me/import",
        "/me/trusted",
        "/me/trusted/new",
        "/trusted/code",
        "/me/protection",
        "/me/representative",
        "/me/representative/new",
        "/represented/code",
        "/represented/new",
        "/sessions",
        "/pages",
        "/erasure",
    ),
    "worker": (
        "/pro/people",
        "/pro/people/{person_id}",
        "/pro/people/{person_id}/label",
        "/pro/requests",
        "/pro/requests/new",
        "/pro/meetings/code",
        "/pro/requests/{request_id}",
        "/pro/requests/{request_id}/withdraw",
        "/pro/grants/{grant_id}",
        "/pro/grants/{grant_id}/documents/{document_id}",
        "/pro/grants/{grant_id}/evidence",
        "/pro/grants/{grant_id}/add",
        "/pro/grants/{grant_id}/give-back",
        "/pro/desk",
        "/pro/desk/has-card",
        "/pro/desk/vault",
        "/pro/desk/free",
        "/pro/desk/judgement",
        "/pro/desk/stop",
        "/pro/desk/stop/sure",
        "/pro/desk/stop/code",
        "/pro/desk/recovery",
        "/pro/desk/recovery/language",
        "/pro/desk/recovery/second",
        "/pro/desk/recovery/cancel",
        "/pro/doings",
        "/pro/account",
        "/pro/beside",
        "/pro/sessions",
        "/pro/pages",
    ),
}
# Reached by a form, not by a link.
# `versions`: of a paper that has been replaced; `type`: of one of which nobody said what it is.
# `over`: instead of a page that nobody touched.
BY_A_FORM = {
    "/recovery",
    "/recoveries/{recovery_id}",
    "/pro/grants/{grant_id}/documents/{document_id}/type",
    "/documents/{document_id}/versions",
    "/sign-in/{sign_in_id}",
    "/card/{step_id}",
    "/me/phone/{sign_in_id}",
    "/me/means/{means_id}/remove",
    "/me/anchor/remove",
    "/me/protection/remove",
    "/me/means/{means_id}/free",
    "/pro/sign-in/{sign_in_id}",
    "/session/over",
    "/grants/new/why",
    "/grants/new/until",
    "/grants/new/who",
    "/grants/new/check",
    "/requests/{request_id}/actions",
    "/requests/{request_id}/until",
    "/requests/{request_id}/copy",
    "/requests/{request_id}/check",
    "/requests/{request_id}/aloud",
    "/mandates/{mandate_id}",
    "/mandates/{mandate_id}/signed",
    "/pro/mandates/{mandate_id}",
    "/me/joins/{join_id}",
    "/me/representative/{representation_id}",
    "/me/representative/{representation_id}/remove",
    "/represented/{representation_id}",
    "/me/trusted/{naming_id}",
    "/me/trusted/{naming_id}/remove",
    "/trusted/{naming_id}",
    "/me/joins/{join_id}/log",
    "/meetings/{meeting_id}",
    "/pro/meetings/{meeting_id}",
    "/invitations/{invitation_id}",
    "/pro/invitations/{invitation_id}",
}
# Addresses that answer with something else than a page.
NO_PAGES = {
    "/recovery/receipt.pdf",
    "/static/{fingerprint}/{name:path}",
    "/language/{language}",
    "/second-language/{language}",
    "/quick-exit",
    "/documents/add/{draft_id}/pictures/{picture_id}/preview",
    "/uploads/{upload_id}",
    "/session",
    "/pro/session",
    "/service-worker.js",
    "/manifest.webmanifest",
    "/voices/{name}",
    "/documents/{document_id}/preview",
    "/documents/{document_id}/thumbnail",
    "/documents/{document_id}/pages/{number}",
    "/documents/{document_id}/content",
    "/documents/{document_id}/versions/{number}/content",
    "/documents/{document_id}/versions/{number}/preview",
    "/me/export/{export_id}/content",
    "/me/import/parts/{import_id}",
    "/access-log/{event_id}/receipt.svg",
    "/access-log/{event_id}/receipt.json",
    "/pro/grants",
    "/pro/doings.csv",
    "/pro/desk/vault/{step}",
    "/pro/grants/{grant_id}/add/dates",
    "/pro/grants/{grant_id}/add/check",
    # What came of a form with a PIN in it, said once to who sent it.
    "/failed",
    "/pro/failed",
    # Its code stands on paper, and no page leads there.
    "/verify/{code}",
    "/me/cards/ready",
    "/pro/desk/vault/anchor",
    "/pro/desk/vault/opened",
    "/pro/desk/vault/pin",
    "/pro/desk/vault/turn",
    "/pro/desk/recovery/{step}",
    "/pro/desk/recovery/agree",
    "/pro/desk/recovery/left",
    "/pro/desk/recovery/noted",
    "/pro/desk/recovery/phone",
    "/pro/desk/recovery/opened",
    "/pro/desk/recovery/pin",
    "/pro/desk/recovery/who",
    "/pro/grants/{grant_id}/documents/{document_id}/preview",
    "/pro/grants/{grant_id}/documents/{document_id}/pages/{number}",
    "/pro/grants/{grant_id}/documents/{document_id}/content",
    "/access-log.pdf",
    "/grants/{grant_id}/receipt.pdf",
    "/pro/grants/{grant_id}/receipt.pdf",
    "/requests/{request_id}/sheet.pdf",
    "/pro/mandates/{mandate_id}/sheet.pdf",
    "/requests/{request_id}/add",
    "/documents/{document_id}/sheet.pdf",
    "/{address:elsewhere}",
}
_ID = r"[A-Za-z0-9_-]{4,}"


def address_of(template: str, links: Iterable[str]) -> str | None:
    """The address of a page: itself, or the first of the links that fits its template."""
    if "{" not in template:
        return template
    parts = re.split(r"\{[^}]*\}", template)
    pattern = re.compile(_ID.join(map(re.escape, parts)) + r"(?:\?.*)?")
    words = {one.split("{")[0].rstrip("/") for one in NO_PAGES}
    known = (
        link
        for link in links
        if pattern.fullmatch(link) and link not in words | _named_below(template)
    )
    return next(known, None)


def _named_below(template: str) -> set[str]:
    """The pages whose own name stands where this one has an id: `/documents/add`."""
    named = {page for pages in PAGES.values() for page in pages if "{" not in page}
    return {page for page in named if page.startswith(template.split("{", maxsplit=1)[0])}


def name_of(template: str) -> str:
    """The name of a page's file."""
    words = re.sub(r"\{[^}]*\}", "one", template).strip("/").replace("/", "-")
    return words or "first"
