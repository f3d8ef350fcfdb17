"""The application of one process: wiring, nothing else."""

from fastapi import APIRouter, Depends, FastAPI

from vault.services import Services
from web.api import (
    access_log,
    access_log_files,
    anchors,
    assisted_sessions,
    catalogue,
    consent_requests,
    desk_vaults,
    documents,
    exports,
    grant_documents,
    grants,
    imports,
    invitations,
    joins,
    mandates,
    me,
    means,
    meetings,
    oauth,
    own_recovery,
    people,
    protection,
    receipts,
    recoveries,
    recovery_stops,
    representations,
    sessions,
    sign_ins,
    statistics,
    trusted,
    type_suggestions,
    upload_deposits,
    uploads,
)
from web.http import health, openapi, problems, public_log
from web.http.dependencies import account_of
from web.http.failure_limit import FailureLimit
from web.http.metrics import Metrics
from web.http.middleware import Middleware
from web.http.proxy_check import ProxyCheck, ProxyCheckAnswer
from web.http.query_parameters import known_parameters_only
from web.http.rate_limit import SignInRateLimit
from web.pages import cookies, site
from web.pages.page import failure_page

VERSION = "0.1.0"
DESCRIPTION = (
    "A consent-based encrypted vault: documents kept once, opened with consent, every access on a"
    " log that its owner can read."
)

# In matching order: the most frequent requests first.
API: tuple[APIRouter, ...] = (
    grant_documents.router,
    catalogue.router,
    sessions.router,
    sign_ins.router,
    upload_deposits.router,
    documents.router,
    uploads.router,
    consent_requests.router,
    desk_vaults.router,
    recoveries.router,
    own_recovery.router,
    recovery_stops.router,
    assisted_sessions.router,
    invitations.router,
    mandates.router,
    grants.router,
    receipts.router,
    people.router,
    meetings.router,
    type_suggestions.router,
    access_log.router,
    access_log_files.router,
    statistics.router,
    me.router,
    exports.router,
    imports.router,
    means.router,
    anchors.router,
    joins.router,
    trusted.router,
    protection.router,
    representations.router,
)


def bare_app() -> FastAPI:
    """The routes, their error handlers and their description, without services."""
    app = FastAPI(
        title="Unefois",
        version=VERSION,
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    problems.install(app)
    openapi.install(app)
    app.routes.extend(grant_documents.get_routes)
    for router in API:
        app.include_router(router, dependencies=[Depends(known_parameters_only)])
    for router in (oauth.router, public_log.router, health.router, site.router):
        app.include_router(router)
    return app


def create_app(services: Services) -> FastAPI:
    """The application over services that are already open."""
    app = bare_app()
    app.state.services = services
    app.state.metrics = Metrics()
    app.state.proxy_check = ProxyCheck()
    settings = services.settings
    app.state.sign_in_limit = SignInRateLimit(services)
    person, worker, browser = (
        cookies.name_of(settings, kind) for kind in ("person", "worker", "browser")
    )
    names = (person, worker, browser)
    app.state.failures = FailureLimit(services, account_of(services), names)
    # Inside the other one, which gives its answer the headers of every answer.
    app.add_middleware(ProxyCheckAnswer, check=app.state.proxy_check)
    app.add_middleware(
        Middleware,
        settings=settings,
        measure=app.state.metrics.answer,
        failures=app.state.failures,
        failure_page=failure_page,
    )
    return app


def create_management_app(services: Services, metrics: Metrics, proxy: ProxyCheck) -> FastAPI:
    """Liveness, readiness and these metrics, for a listener that strangers do not reach. `proxy`:
    what was found of the one before the application."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    problems.install(app)
    app.state.services = services
    app.state.metrics = metrics
    app.state.readiness = health.ReadinessCache()
    app.state.proxy_check = proxy
    for router in (health.router, health.management_router):
        app.include_router(router)
    return app
