"""Sentences of the log of what a judge decided for a person: who assists them."""

from web.i18n.error_messages import _

YOU_DID = {
    "protection.note": _("Vous avez écrit qui vous assiste (curatelle)."),
    "protection.end": _("Vous avez retiré le nom de qui vous assiste (curatelle)."),
}
YOU_TRIED = {
    "protection.note": _("Vous avez essayé d’écrire qui vous assiste : ce n’était pas possible."),
    "protection.end": _("Vous avez essayé de retirer qui vous assiste : ce n’était pas possible."),
}
