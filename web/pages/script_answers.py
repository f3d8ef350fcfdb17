"""What a page's own script is answered when it sends a form: where to go, or what is wrong. A page
could not be shown by it: the policy lets no text become a page (`require-trusted-types-for`)."""

from collections.abc import Sequence

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from base.errors import ServiceError
from web.i18n.languages import languages as all_languages
from web.i18n.translations import translations
from web.pages import labels
from web.pages.rendering import fill

_NO_STORE = {"Cache-Control": "no-store"}


def asked_by_script(request: Request) -> bool:
    """Whether it reads JSON: a browser that follows a link or sends a form reads pages."""
    return request.headers.get("accept", "") == "application/json"


def leading_on(request: Request, response: Response) -> Response:
    """An answer that leads elsewhere, as `{"go": address}`; any other as it is."""
    if response.status_code != 303 or not asked_by_script(request):
        return response
    answer = JSONResponse({"go": response.headers["location"]}, headers=_NO_STORE)
    for cookie in response.headers.getlist("set-cookie"):
        answer.headers.append("set-cookie", cookie)
    return answer


def session_over() -> Response:
    """`{"ended": true}`: to sign in again, beside the page that keeps what was to be sent."""
    return JSONResponse({"ended": True}, 401, _NO_STORE)


def problems(failures: Sequence[ServiceError], languages: Sequence[str], status: int) -> Response:
    """`{"problems": [[tag, [{"lang", "dir", "text"}, …]], …]}`: the sentences of the page, each in
    each of its languages. `tag`: `h2` or `p`."""
    lines: list[tuple[str, list[dict[str, str]]]] = []
    for failure in failures:
        told = [_sentences(failure, language) for language in languages]
        for place, tag in enumerate(("h2", "p", "p")):
            line = (tag, _in_each(languages, [texts[place] for texts in told]))
            # What two failures say alike is said once.
            if line not in lines and line[1][0]["text"]:
                lines.append(line)
    return JSONResponse({"problems": lines}, status, _NO_STORE)


def _sentences(failure: ServiceError, language: str) -> tuple[str, str, str]:
    """Title, detail and what to do."""
    failed = labels.failure_message(failure)
    translate = translations(language).gettext

    def said(text: str) -> str:
        return fill(translate(text), failed.values)

    message = failed.message
    detail = said(message.detail)
    if failed.before:
        detail = f"{said(failed.before)} {detail}"
    return said(message.title), detail, said(message.what_to_do)


def _in_each(languages: Sequence[str], texts: Sequence[str]) -> list[dict[str, str]]:
    """The texts that differ, each with its language."""
    said: dict[str, str] = {}
    for code, text in zip(languages, texts, strict=True):
        said.setdefault(text, code)
    spoken = {code: all_languages()[code] for code in languages}
    return [
        {"lang": spoken[code].tag, "dir": spoken[code].direction, "text": text}
        for text, code in said.items()
    ]
