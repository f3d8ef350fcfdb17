"""What an administration's access token lets it see in a list: only what its scope names.

People and workers have sessions, which have no scopes: they see everything of theirs.
"""

from audit.events import Action
from auth.subjects import Client, Person, Recipient
from vault.rules import GrantAction

# What each word of `auth.oauth.clients.SCOPES` lets a client do under a grant.
_USES = {
    "evidence": frozenset({GrantAction.ATTEST, GrantAction.READ}),
    "documents": frozenset({GrantAction.READ}),
    "deposits": frozenset({GrantAction.DEPOSIT}),
}
_ANY_GRANT = frozenset(_USES)
# What each act of a client needs; a line that is not here is of no person.
_NEEDED: dict[str, frozenset[str]] = {
    Action.ATTEST: frozenset({"evidence"}),
    Action.LIST: frozenset({"documents"}),
    Action.READ: frozenset({"documents"}),
    Action.PREVIEW: frozenset({"documents"}),
    Action.DEPOSIT: frozenset({"deposits"}),
    Action.NEW_VERSION: frozenset({"deposits"}),
    Action.REQUEST: frozenset({"consent_requests"}),
    Action.WITHDRAW: frozenset({"consent_requests"}),
    # The line names a grant, whatever that allows.
    Action.GRANT_SEEN: _ANY_GRANT,
    Action.GIVE_BACK: _ANY_GRANT,
}


def grant_actions(subject: Person | Recipient) -> frozenset[GrantAction] | None:
    """A grant is seen if it allows one of these; None: each one of theirs."""
    if not isinstance(subject, Client):
        return None
    return frozenset().union(*(_USES.get(word, frozenset()) for word in subject.scope))


def sees_act(subject: Recipient, action: str) -> bool:
    """Whether the caller sees a line of their own log about `action`."""
    if not isinstance(subject, Client):
        return True
    return _NEEDED.get(action, frozenset()) <= subject.scope
