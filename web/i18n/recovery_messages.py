"""Sentences of the log of a vault that is opened again."""

from web.i18n.error_messages import _

YOU_DID = {
    "recovery.open": _(
        "Vos papiers ont été rouverts, comme demandé avec {agents}. Les anciennes cartes sont"
        " arrêtées."
    ),
}
YOU_TRIED = {
    "recovery.open": _(
        "Vous avez essayé de rouvrir vos papiers d’avant : ce n’était pas possible."
    ),
}
