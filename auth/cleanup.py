"""Deleting expired rows: sign-ins, forms of the desk, browsers, sessions, assertions, messages,
signing keys."""

from auth.browsers import BROWSER_LIFE
from auth.code_limits import HOUR
from auth.desk_vaults import FORMS_KEPT
from auth.message_delivery import MAX_ATTEMPTS
from auth.oauth import records as oauth_records
from auth.records import browsers, desk_forms, messages, pin_steps, sessions, sign_ins
from auth.services import CoreServices
from auth.wrong_codes import WRONG_CODES_KEPT


async def delete_expired(services: CoreServices) -> dict[str, int]:
    """Delete rows that no rule reads any more; returns how many of each kind.

    No rule depends on it: each row has already expired by the database's clock. It is repeated
    after a crash.
    """
    async with services.database.transaction() as tx:
        return {
            "sign_ins": await sign_ins.delete_old_codes(tx, 2 * HOUR),
            "pin_steps": await pin_steps.delete_old_steps(tx),
            "desk_forms": await desk_forms.delete_old_forms(tx, FORMS_KEPT),
            "wrong_codes": await sign_ins.delete_old_wrong_codes(tx, WRONG_CODES_KEPT),
            "browsers": await browsers.delete_unused_browsers(tx, BROWSER_LIFE),
            "sessions": await sessions.delete_dead_sessions(tx),
            "assertions": await oauth_records.delete_expired_assertions(tx),
            "messages": await messages.delete_late_messages(tx, MAX_ATTEMPTS),
            "signing_keys": await oauth_records.delete_retired_signing_keys(tx),
        }
