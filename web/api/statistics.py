"""What my organisation did, in counts."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from vault.access_log import statistics
from web.api.vocabulary import LoggedAction, LoggedOutcome
from web.http.dependencies import ServicesDep, WorkerDep

router = APIRouter(prefix="/v1/organisation", tags=["access log"])

Month = Annotated[str, Query(max_length=20, description="`YYYY-MM`, in UTC, once it is over.")]


class CountOut(BaseModel):
    """How often, and on how many people's vaults."""

    times: int
    people: int


class ActionCountOut(CountOut):
    """The same, of one act."""

    action: LoggedAction
    outcome: LoggedOutcome


class ActivityOut(BaseModel):
    """A month. Counts that would single out fewer than five people are kept back."""

    month: str
    items: list[ActionCountOut]
    kept_back: bool = Field(description="Whether some acts are not shown.")
    total: CountOut | None = Field(description="All acts together; null when that is too few.")


@router.get("/activity", operation_id="getOrganisationActivity")
async def see(services: ServicesDep, worker: WorkerDep, month: Month) -> ActivityOut:
    """What the accounts of my organisation did on people's vaults in a month; consent requests are
    not counted."""
    activity = await statistics.organisation_statistics(services, worker, month)
    total = activity.total
    return ActivityOut(
        month=activity.month,
        items=[
            ActionCountOut(action=action, outcome=outcome, times=count.times, people=count.people)
            for (action, outcome), count in activity.counts.items()
        ],
        kept_back=activity.kept_back,
        total=None if total is None else CountOut(times=total.times, people=total.people),
    )
