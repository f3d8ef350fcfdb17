"""Kinds of identity papers, as they are called."""

from vault.recovery.identities import DocumentKind
from web.i18n.error_messages import _

PAPER_KINDS: dict[DocumentKind, str] = {
    "id_card": _("Carte d’identité"),
    "passport": _("Passeport"),
    "residence_permit": _("Titre de séjour"),
    "asylum": _("Attestation de demande d’asile"),
    "driving": _("Permis de conduire"),
    "other": _("Autre"),
}
