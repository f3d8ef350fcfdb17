"""One request for a page: who it is for, its forms, its language, and how it is shown.

`PersonPageDep` or `WorkerPageDep` in a handler's signature is the sign-in check itself.
"""

import hashlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from auth import sessions
from auth.bearer import unauthenticated
from auth.shared_devices import is_shared
from auth.subjects import Person, Worker
from auth.time_zones import zone_of_person
from base import clock
from base.clock import rfc3339
from base.errors import ErrorKind, ServiceError, not_found
from base.outages import unavailable
from base.time_zones import PARIS
from storage.row_macs import RowAltered
from vault.decisions import record_altered_row
from vault.recovery import recovery_views
from vault.services import Services
from web.http.dependencies import ServicesDep
from web.http.failure_limit import RECORDED, TOLD, FailureLimit
from web.http.problems import STATUS
from web.http.uploads import MultipartForm
from web.pages import cookies, failure_notes, forms, preloads, return_address, script_answers
from web.pages.closing_banner import shown_to
from web.pages.page_address import address_of, shown_at
from web.pages.page_response import page_response, say_when
from web.pages.rendering import render
from web.speech.sound_library import tags_with_sounds

Area = Literal["person", "worker", "visit"]
_LED_HERE = ("cross-site", "same-site", "none")
SIGN_IN_PAGES: dict[Area, str] = {"person": "/", "worker": "/pro", "visit": "/"}
_FAILED: dict[Area, str] = {"person": "/failed", "worker": "/pro/failed", "visit": "/failed"}


@dataclass(kw_only=True)
class Page:
    """One request for a page. `secret`: what its forms are bound to; `beside`: the worker on whose
    device a person is; `represents`: whom the reader acts for, as they call them; or nobody."""

    request: Request = field(repr=False)
    services: Services = field(repr=False)
    language: str
    area: Area
    secret: str = field(repr=False)
    new_visit: bool = False
    zone: ZoneInfo = PARIS
    ends_at: datetime | None = None
    beside: str = ""
    represents: str = ""

    @property
    def seconds_left(self) -> int:
        """Until the reader's session ends; 0 without one."""
        left = self.ends_at - clock.now() if self.ends_at else timedelta()
        return max(int(left.total_seconds()), 0)

    @property
    def who(self) -> str:
        """Whose page it is, for its script: a form goes to nobody else. Empty for a visitor."""
        return ""

    @property
    def device(self) -> str:
        """`own` or `shared`, as the person said when they entered; empty for anyone else."""
        if self.area != "person":
            return ""
        return "shared" if is_shared(self.secret) else "own"

    @property
    def done(self) -> str:
        """The code of what was just done here, which a page of ours leads to; nothing where the
        browser says that another site or a message led here: what it says would be believed."""
        if self.area != "visit" and self.request.headers.get("sec-fetch-site") in _LED_HERE:
            return ""
        return self.request.query_params.get("done", "")

    async def show(
        self,
        template: str,
        *,
        status: int = 200,
        with_forms: bool = True,
        **values: Any,
    ) -> Response:
        """The page itself. Without forms, it needs neither the database nor a key. No page with
        something to fill in loads itself again: its reader does that, by a button."""
        fails, note = bool(values.get("failures")), None
        if not fails:
            note = await failure_notes.waiting(self.request, self.services, self.secret)
        if note is not None:
            self.request.scope[TOLD], status = 200, note.status
            values = note.added_to(values)
        url = shown_at(self.request)
        shown: dict[str, Any] = {
            "area": self.area,
            "zone": self.zone,
            "path": url.path if url else "",
            "here": address_of(url) if url else "",
            "form_token": await forms.token_for(self.services, self.secret) if with_forms else "",
            "done": "" if note else self.done,
            "seconds_left": self.seconds_left,
            "who": self.who,
            "beside": self.beside,
            "represents": self.represents,
            "closes_at": rfc3339(self.ends_at) if self.beside and self.ends_at else "",
            "device": self.device,
            "elsewhere": self.services.settings.quick_exit_url,
            "discreet": cookies.is_discreet(self.request, self.services.settings),
            "voices": tags_with_sounds(self.services.settings, self.languages),
            "closing": await shown_to(self.services, getattr(self, "person", None)),
            **values,
        }
        html = render(template, self.language, self.second, **shown).encode()
        private = self.area != "visit" or note is not None
        response = page_response(self.request, html, self.languages, status, private=private)
        if fails or note is not None:
            failure_notes.forget(self.request, response, self.services)
        if note is not None:
            say_when(response, note.failures)
        return self._of_visit(response)

    def _of_visit(self, response: Response) -> Response:
        if self.new_visit:
            cookies.put(response, self.services.settings, "visit", self.secret)
        return response

    @property
    def second(self) -> str:
        """The language under the first one, line by line; empty for none."""
        return cookies.second_language_of(self.request, self.services.settings, self.language)

    @property
    def languages(self) -> tuple[str, ...]:
        """What its reader reads: one language, or two."""
        return tuple(filter(None, (self.language, self.second)))

    async def show_failure(
        self, failure: ServiceError, template: str, *, at: str = "", **values: Any
    ) -> Response:
        """The page again, with what went wrong and what to do."""
        return await self.show_failures((failure,), template, at=at, **values)

    async def show_failures(
        self, failures: Sequence[ServiceError], template: str, *, at: str = "", **values: Any
    ) -> Response:
        """The page again, with all that went wrong at once; without failures, the page itself.

        `at`: the page's address, where the form's is another: one with a secret in it is led there.
        """
        status = STATUS[failures[0].kind] if failures else 200
        if failures and script_answers.asked_by_script(self.request):
            response = script_answers.problems(failures, self.languages, status)
        elif failures and await failure_notes.holds_secret(self.request):
            address, secret = at or self.request.url.path, self.secret
            return self._of_visit(
                await failure_notes.lead_to(
                    self.request, self.services, secret, address, failures, values
                )
            )
        else:
            response = await self.show(template, status=status, failures=tuple(failures), **values)
        say_when(response, failures)
        return response

    async def form(self) -> forms.Form:
        """The form that was sent, once it is known to be ours. Raises `form_expired`."""
        forms.check_origin(self.request, self.services.settings)
        sent = await forms.read(self.request)
        await forms.check(self.services, self.secret, sent.get(forms.TOKEN))
        return sent

    def upload(self) -> forms.UploadForm:
        """The form with files that is arriving. Raises `form_expired`."""
        return self._upload(None)

    def _upload(self, person: Person | None) -> forms.UploadForm:
        forms.check_origin(self.request, self.services.settings)
        limit = self.services.settings.max_document_bytes
        form = MultipartForm(self.request, limit)
        return forms.UploadForm(form, self.services, self.secret, person)


@dataclass(kw_only=True)
class PersonPage(Page):
    """A page of a person's own."""

    person: Person

    @property
    def who(self) -> str:
        return _tag(self.person.id)

    async def show(self, template: str, **values: Any) -> Response:
        """The same; whoever asks at a desk for what is here is named on every page."""
        if values.get("with_forms", True):
            values["recoveries"] = await recovery_views.on_my_vault(self.services, self.person)
        return await super().show(template, **values)

    def upload(self) -> forms.UploadForm:
        """The same; it may name finished uploads of the person."""
        return self._upload(self.person)


@dataclass(kw_only=True)
class WorkerPage(Page):
    """A page of a worker's own."""

    worker: Worker

    @property
    def who(self) -> str:
        return _tag(self.worker.id)


def _tag(id_: UUID) -> str:
    return hashlib.sha256(id_.bytes).hexdigest()[:16]


async def visitor(request: Request, services: ServicesDep) -> Page:
    """A page for a visitor, signed in or not."""
    secret, new = cookies.visit_of(request, services.settings)
    language = cookies.language_of(request, services.settings)
    return Page(
        request=request,
        services=services,
        language=language,
        area="visit",
        secret=secret,
        new_visit=new,
    )


async def person_page(request: Request, services: ServicesDep) -> PersonPage:
    """A page for a person in their own vault. Raises `unauthenticated`."""
    subject, secret = await signed_in(request, services, "person")
    if not isinstance(subject, Person):
        raise unauthenticated()
    language = cookies.language_of(request, services.settings)
    return PersonPage(
        request=request,
        services=services,
        language=language,
        area="person",
        secret=secret,
        person=subject,
        beside=subject.beside.name if subject.beside else "",
        represents=subject.represented_by.calls if subject.represented_by else "",
        ends_at=subject.session_ends_at,
        zone=await zone_of_person(services, subject),
    )


async def worker_page(request: Request, services: ServicesDep) -> WorkerPage:
    """A page for a worker. Raises `unauthenticated`."""
    subject, secret = await signed_in(request, services, "worker")
    if not isinstance(subject, Worker):
        raise unauthenticated()
    language = cookies.language_of(request, services.settings)
    return WorkerPage(
        request=request,
        services=services,
        language=language,
        area="worker",
        secret=secret,
        worker=subject,
        ends_at=subject.session_ends_at,
        zone=subject.zone,
    )


async def signed_in(
    request: Request,
    services: Services,
    kind: Literal["person", "worker"],
    *,
    used: bool = True,
    locked_too: bool = False,
) -> tuple[Person | Worker | None, str]:
    """The subject of the browser's cookie of that kind, and the cookie itself. `used`: this counts
    as use of the session. Raises `session_locked` for a worker's, unless `locked_too`."""
    token = cookies.read(request, services.settings, kind)
    if token is None:
        return None, ""
    async with services.database.transaction() as tx:
        subject = await sessions.subject_of(services, tx, token, used=used, locked_too=locked_too)
    failures: FailureLimit = request.app.state.failures
    if subject is None:
        failures.forget(token)
    else:
        failures.remember(token, subject.id)
    return subject, token


async def worker_beside(request: Request, services: Services) -> bool:
    """Whether a worker is signed in in the same browser, locked or not; looking is no use of their
    session."""
    subject, _ = await signed_in(request, services, "worker", used=False, locked_too=True)
    return isinstance(subject, Worker)


VisitorPageDep = Annotated[Page, Depends(visitor)]
PersonPageDep = Annotated[PersonPage, Depends(person_page)]
WorkerPageDep = Annotated[WorkerPage, Depends(worker_page)]


def go(address: str, *, done: str = "", of: UUID | None = None) -> RedirectResponse:
    """Redirect to another page by GET, with a code for what was done, and to which thing."""
    target = f"{address}?done={done}" if done else address
    target += f"&of={of}" if of else ""
    return RedirectResponse(target, 303, {"Cache-Control": "no-store"})


class PageRoute(APIRoute):
    """A route whose failures are pages: a sentence, what to do, and a link."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with its failures turned into pages."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            if preloads.is_unread(request):
                return preloads.nothing()
            try:
                return script_answers.leading_on(request, await handle(request))
            except ServiceError as failure:
                if isinstance(failure, RowAltered):
                    await record_altered_row(request.app.state.services, failure)
                    request.scope[RECORDED] = True
                return await failure_page(request, failure)
            except RequestValidationError:
                return await failure_page(request, not_found())
            except Exception as error:
                failed = unavailable(error)
                if failed is None:
                    raise
                return await failure_page(request, failed)

        return answer


async def _to_sign_in(request: Request, services: Services, area: Area) -> Response:
    """To sign in, and back here after it; what was sent has to be sent again."""
    if script_answers.asked_by_script(request):
        return script_answers.session_over()
    settings, sent = services.settings, request.method == "POST"
    if area == "person" and (own := cookies.read(request, settings, "own")):
        # The papers of whom one represents are closed: back to one's own.
        return cookies.put_back_own(go("/documents", done="represented_over"), settings, own)
    if area == "person" and cookies.on_shared_device(request, settings):
        response = go(SIGN_IN_PAGES[area], done="lost" if sent else "signed_out")
        beside = await worker_beside(request, services)
        return cookies.leaving(request, settings, response, beside=beside)
    response = go(SIGN_IN_PAGES[area], done="not_sent" if sent else "signed_out")
    if "text/html" in request.headers.get("accept", ""):
        return_address.keep(request, response, settings, area, shown_at(request))
    return response


def page_router() -> APIRouter:
    """A router of pages; the description of the JSON API leaves them out."""
    return APIRouter(route_class=PageRoute, include_in_schema=False)


async def failure_page(request: Request, failure: ServiceError) -> Response:
    """What went wrong, in plain words. A session that is over leads back to signing in."""
    services: Services = request.app.state.services
    area: Area = "worker" if f"{request.url.path}/".startswith("/pro/") else "person"
    if failure.kind is ErrorKind.UNAUTHENTICATED:
        return await _to_sign_in(request, services, area)
    values = {"back": SIGN_IN_PAGES[area], "at": _FAILED[area]}
    page = await visitor(request, services)
    if failure.kind is ErrorKind.UNAVAILABLE:
        # Without forms, whose tokens take a key: what gives it is perhaps what fails.
        return await page.show_failure(failure, "failure.html", with_forms=False, **values)
    page = with_secret(page, area)
    if failure.code == "session_locked":
        locked = replace(page, area="visit")
        return await locked.show_failure(failure, "pro/locked.html", at="/pro/people")
    return await page.show_failure(failure, "failure.html", **values)


def with_secret(page: Page, area: Area) -> Page:
    """The page, bound to the browser's session of that area, live or not, where it has one."""
    secret = cookies.read(page.request, page.services.settings, area)
    return page if secret is None else replace(page, area=area, secret=secret, new_visit=False)
