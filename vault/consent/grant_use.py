"""The access attempt of an act under a grant, recorded in the same way for every use."""

from typing import Any

from audit.events import Action
from auth.services import CoreServices
from auth.subjects import Party, Recipient
from base.errors import ServiceError
from base.key_names import GRANT
from base.pipeline import Transaction
from storage.providers import KeyProviderError
from vault.decisions import AccessAttempt
from vault.rules import Judgement, Refused


async def attempt_under(
    services: CoreServices,
    tx: Transaction,
    grant: Any | None,
    recipient: Recipient,
    action: Action,
    judgement: Judgement,
) -> AccessAttempt:
    """What to record about an act under a grant, allowed or refused. Call it after the judgement.

    The event goes to the log of the vault that the grant is for, if the grant exists. For the
    grant's own recipient only, it includes the purpose that the person agreed to, so that it can be
    understood alone: the person's secret then opens the grant's terms and nothing else. For the
    attempt of anyone else nothing is opened.

    Raises what opening the terms raises, except for a refusal: it is recorded without its purpose
    while the terms cannot be opened (invariant 2).
    """
    if grant is None:
        return AccessAttempt(action=action, actor=recipient.actor())
    code = purpose = ""
    if Party(grant.recipient_kind, grant.recipient_id) == recipient.party:
        try:
            code, purpose = await _open_purpose(services, tx, grant)
        except (ServiceError, KeyProviderError):
            if not isinstance(judgement, Refused):
                raise
    return AccessAttempt(
        action=action,
        actor=recipient.actor(),
        person=grant.person_id,
        grant=grant.id,
        purpose_code=code,
        purpose=purpose,
    )


async def _open_purpose(services: CoreServices, tx: Transaction, grant: Any) -> tuple[str, str]:
    """The code and the words. Of the terms nothing else is read: this runs at each access."""
    reader = await services.field_encryption.reader(grant.person_id, tx)
    terms = reader.open(GRANT, grant.id, grant.sealed)
    return terms["purpose_code"], terms["purpose"]
