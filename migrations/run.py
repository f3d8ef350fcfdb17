"""Running the migrations from the service's commands."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from pydantic import SecretStr


def _config(url: SecretStr) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["url"] = url.get_secret_value()
    return config


def upgrade(url: SecretStr, revision: str = "head") -> str | None:
    """Upgrade a database to a revision; `url` is that of the owner of its tables. Returns the
    revision that it was at, or None for a new one."""
    config = _config(url)
    command.upgrade(config, revision)
    before: str | None = config.attributes["before"]
    return before


def check(url: SecretStr) -> None:
    """Raise unless the tables in the code equal those of the migrated database."""
    command.check(_config(url))
