"""The application of one process: wiring, nothing else."""

from fastapi import APIRouter, FastAPI

from vault.house import House
from web import health, log, openapi, problems
from web.api import (
    access_log,
    access_log_files,
    activity,
    catalogue,
    consent_requests,
    documents,
    grant_documents,
    grants,
    me,
    oauth,
    sign_ins,
)
from web.edge import Edge
from web.measures import Measures
from web.pacing import SignInPace
from web.pages import site

VERSION = "0.1.0"
DESCRIPTION = (
    "A consent-based encrypted vault: documents kept once, opened with consent, every access on a"
    " log that its owner can read."
)

# In the order that they are tried: what is asked for most comes first.
API: tuple[APIRouter, ...] = (
    grant_documents.contents,
    grant_documents.router,
    catalogue.router,
    sign_ins.router,
    oauth.router,
    documents.router,
    consent_requests.router,
    grants.router,
    access_log.router,
    access_log_files.router,
    activity.router,
    me.router,
)


def bare_app() -> FastAPI:
    """The routes, their problems and their description; it serves nobody yet."""
    app = FastAPI(
        title="Unefois",
        version=VERSION,
        description=DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    problems.install(app)
    openapi.install(app)
    for router in (*API, log.router, health.router, site.router):
        app.include_router(router)
    return app


def create_app(house: House) -> FastAPI:
    """The application that serves a house already open."""
    app = bare_app()
    app.state.house = house
    app.state.measures = Measures()
    app.state.readinesses = health.Readinesses()
    app.state.sign_in_pace = SignInPace(house.settings.sign_ins_per_hour_from_one_address)
    app.add_middleware(Edge, settings=house.settings, measure=app.state.measures.answer)
    return app
