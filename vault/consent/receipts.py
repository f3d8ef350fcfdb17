"""A grant's receipt: a consent record in the W3C DPV vocabulary, after ISO/IEC TS 27560:2023.

Its fields follow the sections of the specification (record, processing, parties, event); a reader
must ignore those it does not know. `signed_receipts.py` signs it. Pure.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from base.clock import rfc3339
from vault.consent.consent_evidence import EvidenceView
from vault.consent.grants import GrantView
from vault.rules import GrantAction

_CONTEXT = {
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "dct": "http://purl.org/dc/terms/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "jws": "https://w3id.org/security#jws",
}
_BASES = {
    "consent": "eu-gdpr:A6-1-a",
    "legal_obligation": "eu-gdpr:A6-1-c",
    "public_task": "eu-gdpr:A6-1-e",
}
_PROCESSING = {
    GrantAction.ATTEST: "dpv:Query",
    GrantAction.READ: "dpv:Consult",
    GrantAction.DEPOSIT: "dpv:Collect",
}
_STATUS = {"live": "dpv:ConsentGiven", "expired": "dpv:ConsentExpired"}
# In the words of DPV a data subject withdraws their consent; anyone else revokes it.
_ENDED = {
    "owner": "dpv:ConsentWithdrawn",
    "recipient": "dpv:ConsentRevoked",
    "service": "dpv:ConsentRevoked",
}


def consent_record(grant: GrantView, public_url: str, code: str) -> dict[str, Any]:
    """The record as JSON-LD values, as the grant stands at `grant.as_of`: each change of it gives
    another. `public_url` is where the person can withdraw, `code` the receipt's own.

    It names the recipient, never the person: the holder of the receipt knows whose it is.
    """
    terms = grant.terms
    own = f"{public_url}/v1/grants/{grant.id}"
    record: dict[str, Any] = {
        "@context": _CONTEXT,
        "@id": own,
        "@type": "dpv:ConsentRecord",
        "dct:conformsTo": "ISO/IEC TS 27560:2023",
        "dct:identifier": str(grant.id),
        "dpv:hasStatus": _status(grant),
        "dct:issued": rfc3339(grant.as_of),
        "dct:publisher": public_url,
        "dpv:hasRecipient": {
            "@type": "dpv:Recipient",
            "kind": grant.recipient_kind,
            **grant.recipient,
            "contact_for_this": terms.contact,
        },
        "dpv:hasPurpose": {"code": terms.purpose_code, "dct:description": terms.purpose},
        # Processing under a grant rests on consent; the requester's claimed basis is separate.
        "dpv:hasLegalBasis": _BASES["consent"],
        "dpv:hasJustification": _BASES[terms.legal_basis],
        "dpv:hasProcessing": [_PROCESSING[action] for action in terms.scope.actions],
        "dpv:hasPersonalData": _personal_data(grant),
        "dpv:hasStorageCondition": {"may_store": terms.may_store, "store_for": terms.store_for},
        "dpv:hasDuration": {
            "dct:extent": terms.duration,
            "given_at": rfc3339(grant.given_at),
            "ends_at": rfc3339(grant.ends_at),
        },
        **_places(own, public_url, code),
    }
    return record | _early_end(grant)


def _places(own: str, public_url: str, code: str) -> dict[str, Any]:
    """Where the person withdraws, and where whoever holds the receipt checks it."""
    return {
        "dpv:isExercisedAt": {
            "right": "eu-gdpr:A7-3",
            "withdraw": f"{own}/revoke",
            "page": public_url,
            "without_a_screen": "at the desk of the service, or by asking the recipient",
        },
        "verification": {
            "keys": f"{public_url}/v1/receipt-keys",
            "state_now": verification_address(public_url, code),
        },
    }


def evidence_record(acts: Iterable[EvidenceView], *, to_its_person: bool) -> list[dict[str, Any]]:
    """The acts by which it was given and ended; of grants of before, none. The languages are for
    the person alone: they say where they come from."""
    return [
        {
            "change": act.change,
            "kind": act.kind,
            "level": act.level,
            "channel": act.channel,
            "at": rfc3339(act.at),
            "template": act.template,
            "template_sha256": act.template_hash.hex(),
            "wording_sha256": act.wording_hash.hex(),
        }
        | ({"languages": list(act.languages)} if to_its_person else {})
        | ({"beside": asdict(act.beside)} if act.beside else {})
        | ({"heard_by": asdict(act.heard_by)} if act.heard_by else {})
        | ({"assisted_by": asdict(act.assisted_by)} if act.assisted_by else {})
        | ({"represented_by": {"name": act.represented_by}} if act.represented_by else {})
        | _mandate(act)
        for act in acts
    ]


def _mandate(act: EvidenceView) -> dict[str, Any]:
    """The paper that was signed, by its id and the digest of its scan."""
    if act.paper is None:
        return {}
    scan = act.paper.scan_hash.hex()
    by = {"prepared_by": asdict(act.prepared_by)} if act.prepared_by else {}
    return {"mandate": {"id": str(act.paper.mandate_id), "scan_sha256": scan, **by}}


def verification_address(public_url: str, code: str) -> str:
    """Where whoever holds a receipt asks whether its grant is live."""
    return f"{public_url}/v1/verify/{code}"


def _early_end(grant: GrantView) -> dict[str, Any]:
    """Who ended it before its end, and when."""
    if grant.revoked_at is None:
        return {}
    word = "dpv:hasWithdrawal" if grant.ended_by == "owner" else "ended_early"
    return {word: {"at": rfc3339(grant.revoked_at), "ended_by": grant.ended_by}}


def _status(grant: GrantView) -> str:
    return _STATUS[grant.state] if grant.ended_by is None else _ENDED[grant.ended_by]


def _personal_data(grant: GrantView) -> dict[str, Any]:
    scope = grant.terms.scope
    return {
        "document_types": list(scope.document_types),
        "document_ids": [str(document_id) for document_id in scope.document_ids],
        "covers_documents_added_later": grant.covers_future,
    }
