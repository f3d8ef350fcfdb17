"""The texts of the desk's pages: what was done, whatever the card is; and which field is wrong."""

from web.i18n.error_messages import _

DONE = {
    "judgement_read": _("C’est noté. Cette personne peut agir à la place de l’autre."),
    "desk_freed": _("C’est noté. Si cette carte était bloquée, elle ne l’est plus."),
    "desk_stopped": _("C’est noté. Si cette carte marchait, elle est arrêtée."),
    "recovery_withdrawn": _("La demande est annulée. Rien n’a été ouvert."),
}
FIELDS = {
    "judgement_names_you": "representative",
    "anchor_missing": "new",
    "card_typo": "card",
    "card_of_another": "card",
    "document_kind": "kind",
    "paper_not_compared": "compared",
    "recovery_code_wrong": "code",
    "pin_digits": "pin",
    "pin_weak": "pin",
    "pin_again": "again",
}
