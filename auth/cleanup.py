"""What time has ended, swept: sign-ins, sessions, assertions, messages, signing keys."""

from auth.messages import MOST_ATTEMPTS
from auth.oauth import records as oauth_records
from auth.one_time_codes import WRONG_WINDOW
from auth.records import messages, sessions, sign_ins
from auth.services import CoreServices


async def delete_expired(services: CoreServices) -> dict[str, int]:
    """Delete what no rule looks at any more; how many rows of each kind.

    Nothing waits for it: each was already dead by the database's clock. A crash repeats it.
    """
    async with services.database.transaction() as tx:
        return {
            "sign_ins": await sign_ins.delete_old_sign_ins(tx, WRONG_WINDOW),
            "sessions": await sessions.delete_dead_sessions(tx),
            "assertions": await oauth_records.delete_expired_assertions(tx),
            "messages": await messages.delete_late_messages(tx, MOST_ATTEMPTS),
            "signing_keys": await oauth_records.delete_retired_signing_keys(tx),
        }
