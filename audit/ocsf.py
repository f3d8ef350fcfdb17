"""An event of the log as an OCSF 1.8 event, for tools that monitor a whole organisation. Pure.

Only what monitoring needs is exported: what was attempted, by whose account, the outcome, on which
pseudonyms. Never a person's name, a contact, a purpose in words or details, and no network address:
the log has none. People, documents and grants are pseudonyms, different for each consumer.
See docs/formats/ocsf.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit.events import Action, ActorKind, Outcome

VERSION = "1.8.0"
PRODUCT = "Unefois"
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MILLISECOND = timedelta(milliseconds=1)

Pseudonym = Callable[[str, str], str]
"""`pseudonym(kind, id)`: stable for one consumer, different for each consumer."""


@dataclass(frozen=True, slots=True)
class _Class:
    category: int
    uid: int
    name: str
    activities: dict[int, str]


_API = _Class(
    6, 6003, "API Activity", {1: "Create", 2: "Read", 3: "Update", 4: "Delete", 99: "Other"}
)
_ENTITY = _Class(
    3, 3004, "Entity Management", {1: "Create", 3: "Update", 4: "Delete", 9: "Disable"}
)
_AUTHENTICATION = _Class(3, 3002, "Authentication", {1: "Logon", 2: "Logoff", 6: "Preauth"})

_CREATE, _READ, _UPDATE, _DELETE, _DISABLE = 1, 2, 3, 4, 9
_LOGON, _LOGOFF, _PREAUTH = 1, 2, 6
_OTHER = 99
_OAUTH = 6

_MAPPED: dict[Action, tuple[_Class, int]] = {
    Action.SIGN_IN_CODE: (_AUTHENTICATION, _PREAUTH),
    Action.SIGN_IN: (_AUTHENTICATION, _LOGON),
    Action.SIGN_IN_FAILED: (_AUTHENTICATION, _LOGON),
    Action.SIGN_OUT: (_AUTHENTICATION, _LOGOFF),
    Action.MEANS_ADDED: (_ENTITY, _CREATE),
    Action.MEANS_REMOVED: (_ENTITY, _DELETE),
    Action.MEANS_FREED: (_ENTITY, _UPDATE),
    Action.MEANS_WAIT: (_ENTITY, _UPDATE),
    Action.MEANS_WAIT_ENDED: (_ENTITY, _UPDATE),
    Action.MEANS_STOPPED: (_ENTITY, _UPDATE),
    Action.PIN_SET: (_ENTITY, _UPDATE),
    Action.ANCHOR_ENROLLED: (_ENTITY, _CREATE),
    Action.ANCHOR_REMOVED: (_ENTITY, _DELETE),
    Action.TRUSTED_NAMED: (_ENTITY, _UPDATE),
    Action.TRUSTED_SEEN: (_API, _READ),
    Action.TRUSTED_ACCEPTED: (_ENTITY, _CREATE),
    Action.TRUSTED_ENDED: (_ENTITY, _DELETE),
    Action.TRUSTED_VOUCHED: (_ENTITY, _UPDATE),
    Action.REPRESENTATION_NAMED: (_ENTITY, _UPDATE),
    Action.REPRESENTATION_SEEN: (_API, _READ),
    Action.REPRESENTATION_SHOWN: (_ENTITY, _UPDATE),
    Action.REPRESENTATION_BEGAN: (_ENTITY, _CREATE),
    Action.REPRESENTATION_ENTERED: (_AUTHENTICATION, _LOGON),
    Action.REPRESENTATION_ENDED: (_ENTITY, _DELETE),
    Action.PROTECTION_NOTED: (_ENTITY, _UPDATE),
    Action.PROTECTION_ENDED: (_ENTITY, _DELETE),
    Action.TOKEN_ISSUED: (_AUTHENTICATION, _LOGON),
    Action.TOKEN_REFUSED: (_AUTHENTICATION, _LOGON),
    Action.VAULT_OPENED: (_ENTITY, _CREATE),
    Action.VAULT_ERASED: (_ENTITY, _DELETE),
    Action.JOIN_ASKED: (_ENTITY, _UPDATE),
    Action.JOIN_SEEN: (_API, _READ),
    Action.JOIN_WITHDRAWN: (_ENTITY, _UPDATE),
    Action.VAULT_JOINED: (_ENTITY, _UPDATE),
    Action.VAULT_LEFT: (_ENTITY, _DISABLE),
    Action.RECOVERY_BEGUN: (_ENTITY, _CREATE),
    Action.RECOVERY_SECOND: (_ENTITY, _UPDATE),
    Action.RECOVERY_OPENED: (_ENTITY, _UPDATE),
    Action.RECOVERY_MEANS: (_ENTITY, _UPDATE),
    Action.RECOVERY_STOPPED: (_ENTITY, _UPDATE),
    Action.RECOVERY_CONFIRMED: (_ENTITY, _UPDATE),
    Action.ERASE_CODE: (_AUTHENTICATION, _PREAUTH),
    Action.ERASE_ASKED: (_ENTITY, _DISABLE),
    Action.ERASE_CANCELLED: (_ENTITY, _UPDATE),
    Action.CLOSING_ANNOUNCED: (_ENTITY, _UPDATE),
    Action.CLOSING_CANCELLED: (_ENTITY, _UPDATE),
    Action.ORGANISATION_ADDED: (_ENTITY, _CREATE),
    Action.ORGANISATION_CHANGED: (_ENTITY, _UPDATE),
    Action.WORKER_ADDED: (_ENTITY, _CREATE),
    Action.CLIENT_ADDED: (_ENTITY, _CREATE),
    Action.WORKER_BARRED: (_ENTITY, _DISABLE),
    Action.CLIENT_BARRED: (_ENTITY, _DISABLE),
    Action.KEYS_ROTATED: (_ENTITY, _UPDATE),
    Action.KEY_DESTROYED: (_ENTITY, _DELETE),
    Action.ROWS_BOUND: (_ENTITY, _UPDATE),
    Action.ROW_REFUSED: (_ENTITY, _UPDATE),
    Action.VAULT_EXPORTED: (_API, _READ),
    Action.EXPORT_ASKED: (_API, _READ),
    Action.VAULT_IMPORTED: (_API, _CREATE),
    Action.DEPOSIT: (_API, _CREATE),
    Action.NEW_VERSION: (_API, _UPDATE),
    Action.CORRECT: (_API, _UPDATE),
    Action.TYPE_SUGGESTED: (_API, _UPDATE),
    Action.SUGGESTION_REFUSED: (_API, _UPDATE),
    Action.DELETE: (_API, _DELETE),
    Action.RESTORE: (_API, _UPDATE),
    Action.PURGE: (_API, _DELETE),
    Action.INFECTED: (_API, _UPDATE),
    Action.LIST: (_API, _READ),
    Action.READ: (_API, _READ),
    Action.PREVIEW: (_API, _READ),
    Action.ATTEST: (_API, _READ),
    Action.REQUEST: (_API, _CREATE),
    Action.APPROVE: (_API, _CREATE),
    Action.REFUSE: (_API, _UPDATE),
    Action.NOT_ME: (_API, _UPDATE),
    Action.WITHDRAW: (_API, _UPDATE),
    Action.GIVE: (_API, _CREATE),
    Action.REVOKE: (_API, _DELETE),
    Action.GIVE_BACK: (_API, _DELETE),
    Action.GRANT_SEEN: (_API, _READ),
    Action.NARROW: (_API, _UPDATE),
    Action.GO_ON: (_API, _UPDATE),
    Action.PERSON_SEEN: (_API, _READ),
    Action.MEETING_OPENED: (_API, _CREATE),
    Action.MEETING_ANSWERED: (_API, _UPDATE),
    Action.MEETING_AGREED: (_API, _UPDATE),
    Action.MEETING_ENDED: (_API, _UPDATE),
    Action.LOG_READ: (_API, _READ),
    Action.REPORT: (_API, _CREATE),
    Action.REPORT_SEEN: (_API, _READ),
    Action.REPORT_ANSWERED: (_API, _UPDATE),
    Action.PACED: (_API, _OTHER),
    Action.PADDING: (_API, _CREATE),
}
# OCSF's type number and word for each managed entity.
_ENTITIES = {
    "vault": (99, "Vault"),
    "organisation": (4, "Organization"),
    "worker": (2, "User"),
    "client": (2, "User"),
    "means": (99, "Means"),
    "pin": (99, "PIN"),
    "anchor": (99, "Anchor"),
    "service": (99, "Service"),
    "recovery": (99, "Recovery"),
    "trusted": (99, "Trusted person"),
    "representation": (99, "Legal representation"),
    "protection": (99, "Legal protection"),
    "keys": (99, "Key"),
    "rows": (99, "Row"),
}
_INFORMATIONAL, _LOW, _MEDIUM = 1, 2, 3


def as_ocsf(values: dict[str, Any], *, index: int, release: str, pseudonym: Pseudonym) -> Any:
    """An event's values (`audit.events.as_values`) as one OCSF event, ready for JSON.

    `index` is that of its leaf in the public log; `release` is this software's version.
    """
    action = Action(values["action"])
    class_, activity = _MAPPED[action]
    allowed = values["outcome"] == Outcome.ALLOWED.value
    mapped: dict[str, Any] = {
        "category_uid": class_.category,
        "class_uid": class_.uid,
        "class_name": class_.name,
        "activity_id": activity,
        "activity_name": class_.activities[activity],
        "type_uid": class_.uid * 100 + activity,
        "time": _milliseconds(values["at"]),
        "severity_id": _severity(action, allowed),
        "status_id": 1 if allowed else 2,
        "metadata": {
            "version": VERSION,
            "product": {"name": PRODUCT, "vendor_name": PRODUCT, "version": release},
            "uid": values["id"],
            "sequence": index,
            "event_code": action.value,
            "original_time": values["at"],
            "log_name": "access",
        },
    }
    if values.get("reason"):
        mapped["status_detail"] = values["reason"]
    actor = _actor(values["actor"], pseudonym)
    resources = _resources(values, pseudonym)
    if class_ is _AUTHENTICATION:
        mapped |= _authentication(action, actor)
    elif class_ is _ENTITY:
        mapped |= {"actor": actor, "entity": _entity(action, values, pseudonym)}
    else:
        mapped |= {**_api(action, actor), "resources": resources}
    unmapped = _unmapped(values, [] if class_ is _API else resources)
    return mapped | ({"unmapped": unmapped} if unmapped else {})


def _unmapped(values: dict[str, Any], resources: list[dict[str, Any]]) -> dict[str, Any]:
    """What the class has no attribute for."""
    return {
        **({"resources": resources} if resources else {}),
        **({"purpose_code": values["purpose_code"]} if values.get("purpose_code") else {}),
    }


def _api(action: Action, actor: dict[str, Any]) -> dict[str, Any]:
    # API Activity requires a source endpoint, and the log holds no network address.
    return {
        "actor": actor,
        "api": {"operation": action.value, "service": {"name": PRODUCT}},
        "src_endpoint": {"name": "not recorded"},
    }


def _authentication(action: Action, actor: dict[str, Any]) -> dict[str, Any]:
    mapped: dict[str, Any] = {"user": actor["user"], "service": {"name": PRODUCT}}
    if action in {Action.TOKEN_ISSUED, Action.TOKEN_REFUSED}:
        mapped |= {"auth_protocol_id": _OAUTH, "auth_protocol": "OAUTH 2.0"}
    return mapped


def _entity(action: Action, values: dict[str, Any], pseudonym: Pseudonym) -> dict[str, Any]:
    kind = action.value.partition(".")[0]
    number, word = _ENTITIES[kind]
    entity: dict[str, Any] = {"type_id": number, "type": word, "name": kind}
    if values.get("person"):
        entity["uid"] = pseudonym("person", values["person"])
    return entity


def _actor(actor: dict[str, Any], pseudonym: Pseudonym) -> dict[str, Any]:
    """A professional by account id and organisation; a person by a pseudonym."""
    kind = actor["kind"]
    user: dict[str, Any] = {"name": kind, "type_id": _user_type(kind), "type": kind.title()}
    if actor.get("id"):
        owner = kind == ActorKind.OWNER.value
        user["uid"] = pseudonym("person", actor["id"]) if owner else actor["id"]
    if actor.get("organisation_id"):
        user["org"] = {"uid": actor["organisation_id"]}
        if actor.get("organisation"):
            user["org"]["name"] = actor["organisation"]
    return {"user": user}


def _user_type(kind: str) -> int:
    """OCSF's account types: 0 unknown, 1 user, 2 admin, 3 system, 4 service."""
    return {
        ActorKind.OWNER.value: 1,
        ActorKind.WORKER.value: 1,
        ActorKind.OPERATOR.value: 2,
        ActorKind.SERVICE.value: 3,
        ActorKind.CLIENT.value: 4,
    }.get(kind, 0)


def _resources(values: dict[str, Any], pseudonym: Pseudonym) -> list[dict[str, Any]]:
    """What the event is about, as pseudonyms: the vault, the documents, the grant, the request."""
    ids = [("vault", values["person"])] if values.get("person") else []
    ids += [("document", document_id) for document_id in values.get("documents", ())]
    ids += [(kind, values[kind]) for kind in ("grant", "request") if values.get(kind)]
    # A vault and its person share one pseudonym.
    return [
        {"type": kind, "uid": pseudonym("person" if kind == "vault" else kind, id_)}
        for kind, id_ in ids
    ]


def _severity(action: Action, allowed: bool) -> int:
    if action is Action.REPORT:
        return _MEDIUM
    return _INFORMATIONAL if allowed else _LOW


def _milliseconds(at: str) -> int:
    """RFC 3339 with `Z`, as milliseconds since 1970."""
    return (datetime.fromisoformat(at.replace("Z", "+00:00")) - _EPOCH) // _MILLISECOND
