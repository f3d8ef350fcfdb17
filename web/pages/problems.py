"""What each problem of the API means: where its `type` leads, for people and for programs.

The same for everyone, and made once for each language.
"""

import json
from collections import defaultdict
from functools import cache
from typing import Any

from fastapi import APIRouter, Request, Response

from base.errors import not_found
from vault.services import Services
from web.http.content_policy import PAGE_POLICY
from web.http.problem_codes import STATUS_OF, type_of
from web.http.public_resources import TEN_MINUTES, public_answer
from web.i18n.error_messages import error_messages
from web.i18n.languages import languages
from web.i18n.translations import translations
from web.pages import cookies
from web.pages.page import failure_page
from web.pages.rendering import render

router = APIRouter(include_in_schema=False)

ADDRESS = "/problems"
_VARY = "Accept, Accept-Language, Cookie"


@router.get(ADDRESS)
async def see_all(request: Request) -> Response:
    """Every code, with its status and its title."""
    return _answer(request, None)


@router.get(f"{ADDRESS}/{{code}}")
async def see(code: str, request: Request) -> Response:
    """One code: what happened, and what to do."""
    if code not in STATUS_OF:
        if _reads_json(request):
            raise not_found()
        return await failure_page(request, not_found())
    return _answer(request, code)


def explanation(code: str, language: str) -> dict[str, Any]:
    """What a code means: as JSON values, in one language."""
    message = error_messages()[code]
    translate = translations(language).gettext
    # What differs from one answer to the next: limits, names of fields.
    anything: defaultdict[str, str] = defaultdict(lambda: "…")

    def said(words: str) -> str:
        return translate(words).format_map(anything).replace("….", "…")

    return {
        "type": type_of(code),
        "code": code,
        "status": STATUS_OF[code],
        "title": said(message.title),
        "detail": said(message.detail),
        "what_to_do": said(message.what_to_do),
    }


def _answer(request: Request, code: str | None) -> Response:
    services: Services = request.app.state.services
    language = cookies.language_of(request, services.settings)
    headers = {"Vary": _VARY, "Content-Language": languages()[language].tag}
    if _reads_json(request):
        content, media_type = _json(code, language), "application/json"
    else:
        content, media_type = _html(code, language), "text/html; charset=utf-8"
        headers["Content-Security-Policy"] = PAGE_POLICY
    return public_answer(request, content, media_type, cache=TEN_MINUTES, headers=headers)


def _reads_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "json" in accepted and "text/html" not in accepted


@cache
def _json(code: str | None, language: str) -> bytes:
    values = (
        {"items": _explanations(language), "next": None}
        if code is None
        else explanation(code, language)
    )
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


@cache
def _html(code: str | None, language: str) -> bytes:
    shown: dict[str, Any] = {"area": "visit", "form_token": "", "done": ""}
    shown["here"] = ADDRESS if code is None else type_of(code)
    if code is None:
        problems = _explanations(language)
        html = render("problems.html", language, path=ADDRESS, problems=problems, **shown)
    else:
        problem = explanation(code, language)
        html = render("problem.html", language, path=type_of(code), problem=problem, **shown)
    return html.encode()


def _explanations(language: str) -> list[dict[str, Any]]:
    return [explanation(code, language) for code in sorted(STATUS_OF)]
