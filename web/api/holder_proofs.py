"""What a caller shows of themselves again, in the bodies of what asks for it."""

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from auth.holder_proofs import NO_PROOF, Proof
from web.api.shapes import Strict


class ProofIn(Strict):
    """That it is me, now: `pin`; or `card` (its code, or what its QR holds) and `pin`; or `code`,
    with the `id` and the `secret` that sending it gave. `GET /v1/me/means` says which one."""

    pin: Annotated[str, StringConstraints(max_length=32)] = ""
    card: Annotated[str, StringConstraints(max_length=320)] = ""
    code: Annotated[str, StringConstraints(max_length=32)] = ""
    id: UUID | None = None
    secret: Annotated[str, StringConstraints(max_length=64)] = ""


class ProvedIn(Strict):
    """A change of a means. Without a `proof`, only once a wait is over."""

    proof: ProofIn | None = None


def proof_in(body: ProvedIn | None) -> Proof:
    """As use cases take it."""
    shown = None if body is None else body.proof
    if shown is None:
        return NO_PROOF
    return Proof(shown.pin, shown.card, shown.code, shown.id, shown.secret)
