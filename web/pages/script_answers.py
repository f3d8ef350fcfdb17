"""What a page's own script is answered when it sends a form: where to go, or what is wrong. A page
could not be shown by it: the policy lets no text become a page (`require-trusted-types-for`)."""

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from base.errors import ServiceError
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


def problem(failure: ServiceError, language: str, status: int) -> Response:
    """`{"title", "detail", "what_to_do"}`: the sentences of the page, in its language."""
    failed = labels.failure_message(failure)
    translate = translations(language).gettext
    texts = {name: getattr(failed.message, name) for name in ("title", "detail", "what_to_do")}
    said = {name: fill(translate(text), failed.values) for name, text in texts.items()}
    if failed.before:
        before = fill(translate(failed.before), failed.values)
        said["detail"] = f"{before} {said['detail']}"
    return JSONResponse(said, status, _NO_STORE)
