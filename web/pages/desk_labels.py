"""The texts of the desk's pages: what was done, whatever the card is; kinds of identity
papers; which field is wrong."""

from vault.recovery.identities import DocumentKind
from web.i18n.error_messages import _

DONE = {
    "desk_freed": _("C’est noté. Si cette carte était bloquée, elle ne l’est plus."),
    "desk_stopped": _("C’est noté. Si cette carte marchait, elle est arrêtée."),
}
PAPER_KINDS: dict[DocumentKind, str] = {
    "id_card": _("Carte d’identité"),
    "passport": _("Passeport"),
    "residence_permit": _("Titre de séjour"),
    "asylum": _("Attestation de demande d’asile"),
    "driving": _("Permis de conduire"),
    "other": _("Autre"),
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
