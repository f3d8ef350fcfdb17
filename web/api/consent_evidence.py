"""What the API is told of the act of a yes, where a person was not alone with it."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from auth.subjects import Person
from vault.consent.consent_acts import (
    Beside,
    ConsentAct,
    EvidenceKind,
    HeardBy,
    told_by_the_api,
)
from web.api.shapes import Strict


class HeardByIn(Strict):
    """Who heard it: never the worker beside, nor who receives."""

    role: Literal["witness", "interpreter"]
    name: Annotated[str, StringConstraints(min_length=1, max_length=480)]


class EvidenceIn(Strict):
    """Without it, the person was alone with their own session. `spoken` names who heard it; the
    other two say how the session was entered, and are refused for one that was entered otherwise.
    """

    kind: Literal["code_read_out", "card_pin_on_workers_screen", "spoken"]
    worker_id: UUID = Field(description="Who was beside the person.")
    heard_by: HeardByIn | None = None

    def beside(self) -> Beside:
        told = self.heard_by
        heard = None if told is None else HeardBy(told.role, told.name)
        return Beside(EvidenceKind(self.kind), self.worker_id, heard)


def act_of(person: Person, evidence: EvidenceIn | None) -> ConsentAct:
    """The act that a request says."""
    beside = None if evidence is None else evidence.beside()
    return ConsentAct(told_by_the_api(person.language), beside)
