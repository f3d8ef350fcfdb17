"""A grant's receipt, for its two sides: made and signed when it is asked for, as the grant stands
then. Each grant, change and end gives another; none is stored, so grants of before have theirs too.
"""

from typing import Any
from uuid import UUID

from auth.services import CoreServices
from auth.subjects import Person, Recipient
from vault.consent import grants, receipt_keys
from vault.consent.receipt_codes import code_of
from vault.consent.receipts import consent_record, evidence_record


async def signed_receipt(
    services: CoreServices, subject: Person | Recipient, grant_id: UUID
) -> dict[str, Any]:
    """The receipt with its `jws`; recorded as a look at the grant. Raises `ServiceError`
    `not_found`."""
    grant, acts = await grants.see_with_evidence(services, subject, grant_id)
    code = await code_of(services, grant.id)
    record = consent_record(grant, services.settings.public_url, code)
    evidence = evidence_record(acts, to_its_person=isinstance(subject, Person))
    record |= {"evidence": evidence} if evidence else {}
    return await receipt_keys.sign(services, record)
