"""Add a structure and many of its workers, for the settings of the environment.

`python -m tests.faults.add_workers COUNT` prints their e-mail addresses. One address gets only a
few codes an hour of its own, so a load of sign-ins by e-mail needs many.
"""

import asyncio
import sys
from secrets import token_hex

from auth import administration
from base.settings import Settings
from web.process.services import open_services


async def _add(count: int) -> None:
    async with open_services(Settings()) as services:
        organisation = await administration.add_organisation(
            services, name="CCAS", contact="03 20 00 00 00"
        )
        for _ in range(count):
            email = f"m{token_hex(6)}@structure.example"
            await administration.add_worker(
                services,
                organisation_id=organisation,
                email=email,
                name="Camille Moreau",
                job="Assistante sociale",
                phone="03 20 00 00 01",
                hours="9 h - 17 h",
            )
            print(email)


if __name__ == "__main__":
    asyncio.run(_add(int(sys.argv[1])))
