"""The texts of the desk's pages: what was done, whatever the card is; and which field is wrong."""

from web.i18n.error_messages import _

DONE = {
    "desk_freed": _("C’est noté. Si cette carte était bloquée, elle ne l’est plus."),
    "desk_stopped": _("C’est noté. Si cette carte marchait, elle est arrêtée."),
}
FIELDS = {
    "card_typo": "card",
    "card_of_another": "card",
    "document_kind": "kind",
    "paper_not_compared": "compared",
    "recovery_code_wrong": "code",
    "pin_digits": "pin",
    "pin_weak": "pin",
    "pin_again": "again",
}
