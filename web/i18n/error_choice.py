"""Which message tells a failure: that of its code, or of what the refused file is."""

from collections import defaultdict
from collections.abc import Mapping

from base.errors import ServiceError
from web.i18n import refused_types
from web.i18n.error_messages import ErrorMessage, _, error_messages

ONE_OF_SEVERAL = _("C’est la photo ou le fichier {part} sur {parts}.")
"""Before what happened, where one of several files is refused: their names stay unsaid."""


def message_of(code: str, values: Mapping[str, str | int]) -> ErrorMessage:
    """The message of a code, with what was refused; `KeyError` for a code without one."""
    if code == "type_not_allowed" and values.get("what") in refused_types.MESSAGES:
        return refused_types.MESSAGES[str(values["what"])]
    return error_messages()[code]


def filled_in(values: Mapping[str, str | int]) -> Mapping[str, str]:
    """What stands in the places of a message; nothing in those without a value."""
    return defaultdict(str, {name: str(value) for name, value in values.items()})


def failure_line(failure: ServiceError) -> str:
    """A failure as one line in French, for a command."""
    message = error_messages()[failure.code]
    return f"{message.detail} {message.what_to_do}".format_map(filled_in(failure.values))
