"""A recovery is stopped, in one gesture, or confirmed: by the person whose vault it would open, by
who they trust, by the digits of a warning, by its agents, by who asked for it."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import StringConstraints

from vault.recovery import confirmations, stops
from vault.recovery.recovery_codes import DIGITS, STOP_DIGITS
from web.api.holder_proofs import ProvedIn, proof_in
from web.api.shapes import Strict
from web.http.dependencies import PersonDep, ServicesDep, WorkerDep
from web.http.openapi_problems import problem_response
from web.http.path_ids import PathId
from web.http.visitor import VisitorDep

router = APIRouter(prefix="/v1", tags=["recovery"])
_DONE = {"Cache-Control": "no-store"}


class StopCodeIn(Strict):
    """The eight digits of the message."""

    code: Annotated[str, StringConstraints(max_length=4 * STOP_DIGITS)]


class SlipIn(Strict):
    """The code of the slip."""

    code: Annotated[str, StringConstraints(max_length=4 * DIGITS)]


@router.post(
    "/me/recoveries/{recovery_id}/stop",
    operation_id="stopRecovery",
    status_code=204,
    responses={409: problem_response(409)},
)
async def stop(
    recovery_id: PathId, services: ServicesDep, person: PersonDep, body: ProvedIn | None = None
) -> Response:
    """Stop what would open my vault: « it is not me ». One that `needs_proof` takes a proof.
    Stopped without one, the next one is harder to open. A second time changes nothing."""
    await stops.stop(services, person, recovery_id, proof_in(body))
    return Response(status_code=204, headers=_DONE)


@router.post(
    "/me/recoveries/{recovery_id}/confirm",
    operation_id="confirmRecovery",
    status_code=204,
    responses={409: problem_response(409)},
)
async def confirm(
    recovery_id: PathId, services: ServicesDep, person: PersonDep, body: ProvedIn | None = None
) -> Response:
    """« It is me »: what waits may be opened now. It takes a proof of this vault."""
    await confirmations.confirm(services, person, recovery_id, proof_in(body))
    return Response(status_code=204, headers=_DONE)


@router.delete(
    "/me/recovery",
    operation_id="giveUpRecovery",
    status_code=204,
    responses={404: problem_response(404), 409: problem_response(409)},
)
async def give_up(services: ServicesDep, person: PersonDep) -> Response:
    """Ask no more for what I had. What I added since stays here."""
    await stops.give_up(services, person)
    return Response(status_code=204, headers=_DONE)


@router.post("/trusted/{naming_id}/stop", operation_id="stopRecoveryOfTrusting", status_code=204)
async def stop_by_trusted(naming_id: PathId, services: ServicesDep, person: PersonDep) -> Response:
    """Stop what would open the vault of who trusts me, if there is something: it is not them."""
    await stops.stop_by_trusted(services, person, naming_id)
    return Response(status_code=204, headers=_DONE)


@router.post(
    "/recoveries/stop",
    operation_id="stopRecoveryByCode",
    status_code=204,
    responses={429: problem_response(429)},
)
async def stop_by_code(body: StopCodeIn, services: ServicesDep, visitor: VisitorDep) -> Response:
    """Stop a recovery by the digits of its message, without a session. The same answer whether or
    not they stop something."""
    await stops.stop_by_code(services, body.code, visitor.network)
    return Response(status_code=204, headers=_DONE)


@router.post("/desk/recoveries/end", operation_id="withdrawRecovery", status_code=204)
async def withdraw(body: SlipIn, services: ServicesDep, worker: WorkerDep) -> Response:
    """As one of its agents, end what was begun by mistake, or with a slip that was lost."""
    await stops.withdraw(services, worker, body.code)
    return Response(status_code=204, headers=_DONE)
