"""What time has ended, swept: sign-ins, sessions, assertions, messages, signing keys."""

from auth.desk import Desk
from auth.messages import MOST_ATTEMPTS
from auth.records import messages, sessions, sign_ins, tokens
from auth.sign_ins import WRONG_WINDOW


async def delete_expired(desk: Desk) -> dict[str, int]:
    """Delete what no rule looks at any more; how many rows of each kind.

    Nothing waits for it: each was already dead by the database's clock. A crash repeats it.
    """
    async with desk.database.transaction() as tx:
        return {
            "sign_ins": await sign_ins.delete_old_sign_ins(tx, WRONG_WINDOW),
            "sessions": await sessions.delete_dead_sessions(tx),
            "assertions": await tokens.delete_expired_assertions(tx),
            "messages": await messages.delete_late_messages(tx, MOST_ATTEMPTS),
            "signing_keys": await tokens.delete_retired_signing_keys(tx),
        }
