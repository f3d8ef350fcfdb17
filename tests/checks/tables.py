"""`python -m tests.checks.tables`: the migrations make the tables that the code declares."""

import sys
import tempfile
from pathlib import Path

from pydantic import SecretStr

from base.embedded.server import EmbeddedPostgres
from migrations.run import check, upgrade


def main() -> int:
    """Migrate an empty database, and compare."""
    with tempfile.TemporaryDirectory(prefix="unefois-") as folder:
        postgres = EmbeddedPostgres(Path(folder) / "home")
        try:
            url = SecretStr(postgres.start().owner_url)
            upgrade(url)
            check(url)
        finally:
            postgres.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
