"""Who is calling, in a handler's signature: `person: PersonDep` is the sign-in check itself.

A token with two dots is an access token of an administration; any other is a session's.
"""

import re
from functools import partial
from typing import Annotated

from fastapi import Depends, Request

from auth import sessions
from auth.bearer import Bearer, SessionToken, unauthenticated, wrong_caller
from auth.oauth import clients
from auth.session_start import NewSession
from auth.subjects import Client, Person, Recipient, Worker
from base import connections
from vault.services import Services
from web.http.failure_limit import Account, AccountOf, FailureLimit

_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/=-]{1,4096})")

Caller = Person | Worker | Client


async def services_of(request: Request) -> Services:
    """The services of this process. A coroutine: FastAPI runs any other function in a thread."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(services_of)]


async def caller(request: Request, services: ServicesDep) -> Caller:
    """The subject of the token, as the database has it now. Raises `unauthenticated`."""
    token = bearer_token(request)
    subject = await subject_of(services, token)
    if subject is None:
        raise unauthenticated()
    failures: FailureLimit = request.app.state.failures
    failures.remember(token, subject.id)
    if isinstance(subject, Client):
        # It asks for as many tokens as it wants: they have one part of the connections together.
        connections.caller.set(subject.id.bytes)
    return subject


async def subject_of(services: Services, token: str, *, locked_too: bool = False) -> Caller | None:
    """The subject of a token, or None, looked up in a transaction of its own. Raises
    `session_locked` for a worker's, unless `locked_too`."""
    async with services.database.transaction() as tx:
        return await (
            clients.client_of(services, tx, token)
            if token.count(".") == 2
            else sessions.subject_of(services, tx, token, locked_too=locked_too)
        )


def remember_session(request: Request, opened: NewSession) -> None:
    """A session just opened here, and its browser, are known to the limit of failures: whoever
    floods from the same network keeps neither out."""
    failures: FailureLimit = request.app.state.failures
    failures.remember(opened.token, opened.subject_id)
    if opened.browser:
        failures.remember(opened.browser, opened.subject_id)


def account_of(services: Services) -> AccountOf:
    """What looks an account up for the limit of failures."""

    async def look_up(token: str) -> Account | None:
        subject = await subject_of(services, token, locked_too=True)
        return None if subject is None else subject.id

    return look_up


def bearer_token(request: Request) -> str:
    """The token of the one `Authorization` header (RFC 6750 §2.1). Raises `unauthenticated`."""
    headers = request.headers.getlist("authorization")
    shape = _BEARER.fullmatch(headers[0]) if len(headers) == 1 else None
    if shape is None:
        raise unauthenticated()
    return shape[1]


CallerDep = Annotated[Caller, Depends(caller)]


async def person(subject: CallerDep) -> Person:
    """A person, in their own vault."""
    if not isinstance(subject, Person):
        raise wrong_caller()
    return subject


async def recipient(subject: CallerDep) -> Recipient:
    """A subject that may hold a grant: a worker or a client."""
    if isinstance(subject, Person):
        raise wrong_caller()
    return subject


async def worker(subject: CallerDep) -> Worker:
    """A professional, under their own name."""
    if not isinstance(subject, Worker):
        raise wrong_caller()
    return subject


async def worker_beside(request: Request, services: ServicesDep) -> Worker:
    """The same, also while their session is locked: to end what it waits for."""
    subject = await subject_of(services, bearer_token(request), locked_too=True)
    if subject is None:
        raise unauthenticated()
    return await worker(subject)


async def bearer(request: Request) -> Bearer:
    """As `recipient`, for a use case that looks a session up in its own transaction.

    An access token is checked here, and gives its client. Raises `unauthenticated` for what cannot
    be a token.
    """
    token = bearer_token(request)
    if token.count(".") == 2:
        return await recipient(await caller(request, await services_of(request)))
    hashed = sessions.token_hash(token)
    if hashed is None:
        raise unauthenticated()
    # Known to the limit of failures once the use case has authenticated it.
    failures: FailureLimit = request.app.state.failures
    return SessionToken(hashed, partial(failures.remember, token))


PersonDep = Annotated[Person, Depends(person)]
WorkerDep = Annotated[Worker, Depends(worker)]
WorkerBesideDep = Annotated[Worker, Depends(worker_beside)]
RecipientDep = Annotated[Recipient, Depends(recipient)]
BearerDep = Annotated[Bearer, Depends(bearer)]
