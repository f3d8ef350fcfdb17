"""A mandate that a worker prepares: several requests put on one paper, printed, to be signed."""

from urllib.parse import parse_qsl, urlencode

from fastapi import Response

from base import clock
from base.errors import ServiceError, invalid
from vault.consent import mandates
from vault.consent.assisted_grants import too_long
from vault.consent.mandate_papers import MAX_AUTHORISATIONS
from vault.consent.terms import Terms
from web.http.path_ids import PathId
from web.http.pdf_response import pdf_response
from web.i18n.languages import languages
from web.i18n.translations import LANGUAGES
from web.pages import request_form
from web.pages.forms import MAX_FIELDS, TOKEN, Form
from web.pages.page import WorkerPage, WorkerPageDep, go, page_router
from web.pages.request_form import (
    MORE,
    known_person,
    met_person,
    phone_in,
    terms_of,
    whom_in,
)
from web.printouts.mandate_sheet import form_in, print_mandate

router = page_router()
_WITHOUT = "without"
"""The field that names an authorisation to take off, by what `MORE` carries of it."""
_OF_ONE = ("type", "action", "purpose_code", "purpose", "duration", "may_store", "legal_basis")


@router.post("/pro/mandates/new")
async def gather(page: WorkerPageDep) -> Response:
    """What stands on the paper so far, with what was just read again, without what is taken off;
    then another, or send."""
    form = await page.form()
    return await _gathered(page, _with_this(form))


@router.post("/pro/mandates/send")
async def send(page: WorkerPageDep) -> Response:
    """Prepare the mandate. The answer is the same whether or not the phone has a vault."""
    form = await page.form()
    try:
        language = form.get("mandate_language")
        if language not in LANGUAGES:
            raise invalid("invalid_field", field="language")
        prepared = await mandates.prepare(
            page.services,
            page.worker,
            whom_in(form),
            each_of(form),
            form_in(language),
            idempotency_key=form.get("once")[:64] or None,
        )
    except ServiceError as failure:
        return await _gathered(page, request_form.refused(form, failure), failure)
    return go(f"/pro/mandates/{prepared.paper.id}", done="prepared")


@router.get("/pro/mandates/{mandate_id}")
async def see(mandate_id: PathId, page: WorkerPageDep) -> Response:
    """A mandate that I prepared: to print, and what comes next."""
    mandate = await mandates.see_prepared(page.services, page.worker, mandate_id)
    return await page.show("pro/mandate.html", mandate=mandate)


@router.get("/pro/mandates/{mandate_id}/sheet.pdf")
async def printed(mandate_id: PathId, page: WorkerPageDep) -> Response:
    """The paper to sign."""
    return pdf_response(await print_mandate(page.services, page.worker, mandate_id), "mandat")


def each_of(form: Form) -> list[Terms]:
    """The authorisations on the paper, in the order in which they were put there."""
    contact = [pair for pair in form.pairs if pair[0].startswith("contact_")]
    return [terms_of(Form((*_read(one), *contact))) for one in form.all(MORE)]


def _read(text: str) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(text, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise invalid("mandate_choice") from None
    return [pair for pair in pairs if pair[0] in _OF_ONE]


def _with_this(form: Form) -> Form:
    """The form, with the request that it is put among the others, and those left on the paper."""
    off = {(MORE, one) for one in form.all(_WITHOUT)}
    own = [pair for pair in form.pairs if pair[0] in _OF_ONE]
    kept = [pair for pair in form.pairs if pair[0] not in (*_OF_ONE, _WITHOUT) and pair not in off]
    return Form((*kept, (MORE, urlencode(own)))) if own else Form(tuple(kept))


async def _gathered(page: WorkerPage, form: Form, *failures: ServiceError) -> Response:
    each, phone = each_of(form), phone_in(form)
    known = await known_person(page, form.get("person"))
    return await page.show_failures(
        failures or _refused(each),
        "pro/mandate_gathered.html",
        each=list(zip(form.all(MORE), each, strict=True)),
        kept=[pair for pair in form.pairs if pair[0] not in (TOKEN, "mandate_language")],
        alone=any(too_long(terms, clock.now()) for terms in each),
        full=len(each) >= MAX_AUTHORISATIONS,
        offered=[languages()[code] for code in LANGUAGES],
        chosen=form.get("mandate_language") or page.language,
        met=await met_person(page, form.get("meeting")),
        known=known,
        whose=request_form.whose(known, phone),
        phone=phone,
    )


def _refused(each: list[Terms]) -> tuple[ServiceError, ...]:
    """Why what stands on the paper may not be prepared, said while it is gathered."""
    try:
        if each:
            mandates.check_authorisations(each)
    except ServiceError as failure:
        return (failure,)
    return ()
