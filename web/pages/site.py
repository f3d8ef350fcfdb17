"""All the pages: what `web/app.py` includes."""

from fastapi import Request, Response
from starlette.convertors import Convertor, register_url_convertor

from base.errors import not_found
from web.http.methods import CATCH_ALL
from web.pages import (
    access_log,
    asked_recoveries,
    assets,
    assisted_sessions,
    card_sign_in,
    deposits,
    desk_cards,
    desk_judgements,
    desk_vaults,
    documents,
    draft_pictures,
    drafts,
    erasure,
    failure_pages,
    grant_steps,
    grants,
    installation,
    invitations,
    mandates,
    me,
    meetings,
    own_anchor,
    own_cards,
    own_exports,
    own_imports,
    own_joins,
    own_means,
    own_name,
    own_phone,
    own_proofs,
    own_protection,
    own_recovery,
    own_representation,
    own_trust,
    own_viewer,
    printouts,
    problems,
    quick_exit,
    receipt_checks,
    receipts,
    recoveries,
    recovery_means,
    requests,
    session_check,
    sessions,
    sign_in,
    site_map,
    stop_recovery,
    styles,
    top_bar,
    type_suggestions,
    uploads,
    voices,
    worker_account,
    worker_deposit_steps,
    worker_deposits,
    worker_documents,
    worker_doings,
    worker_grants,
    worker_mandates,
    worker_people,
    worker_requests,
)
from web.pages.page import failure_page, page_router


class _Elsewhere(Convertor[str]):
    """Any address but those of the machine interfaces, which have their own error answers."""

    regex = r"(?!(?:v1|oauth|log|\.well-known|healthz)(?:/|$)).*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("elsewhere", _Elsewhere())
router = page_router()
assets.add_to(router)
for _part in (
    sign_in,
    card_sign_in,
    sessions,
    me,
    own_means,
    own_joins,
    own_imports,
    own_cards,
    own_phone,
    own_proofs,
    own_recovery,
    asked_recoveries,
    stop_recovery,
    own_anchor,
    own_trust,
    own_protection,
    own_representation,
    desk_judgements,
    own_name,
    own_exports,
    erasure,
    failure_pages,
    drafts,  # before `documents`: "add" is not an id
    draft_pictures,
    uploads,
    deposits,
    own_viewer,
    documents,
    type_suggestions,
    meetings,
    requests,
    mandates,
    grant_steps,
    grants,
    receipts,
    receipt_checks,
    printouts,
    access_log,
    problems,
    top_bar,
    quick_exit,
    session_check,
    installation,
    voices,
    site_map,
    styles,
    worker_people,
    assisted_sessions,
    invitations,
    worker_requests,
    worker_mandates,
    worker_grants,
    worker_documents,
    worker_deposit_steps,
    worker_deposits,
    worker_doings,
    worker_account,
    desk_cards,
    desk_vaults,
    recovery_means,
    recoveries,
):
    router.include_router(_part.router)


@router.get("/{address:elsewhere}", name=CATCH_ALL)
async def no_such_page(request: Request) -> Response:
    """The page for an address where there is nothing."""
    return await failure_page(request, not_found())
