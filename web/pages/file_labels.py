"""What an owner is told of a file: what was taken out of it, its signatures, its scan."""

from vault.decoding.media import MediaType
from web.i18n.error_messages import _

NOTES = {
    "photo_location_removed": _(
        "La photo disait où elle a été prise. Nous avons retiré le lieu de la copie que les autres"
        " voient."
    ),
    "photo_details_removed": _(
        "Nous avons retiré les détails cachés de la photo (appareil, heure) de la copie que les"
        " autres voient."
    ),
    "first_image_only": _("Le fichier contenait plusieurs images. Les autres voient la première."),
    "pdf_active_content_removed": _(
        "Le PDF contenait des programmes. La copie que les autres voient n’en a plus."
    ),
    "pdf_attachments_removed": _(
        "Le PDF contenait d’autres fichiers. La copie que les autres voient n’en a plus."
    ),
    "pdf_earlier_revision_removed": _(
        "Le PDF gardait une version plus ancienne. La copie que les autres voient ne l’a plus."
    ),
    "pdf_external_references_removed": _(
        "Le PDF pouvait ouvrir des fichiers ailleurs. La copie que les autres voient ne le peut"
        " plus."
    ),
    "pdf_details_removed": _(
        "Nous avons retiré les détails cachés du PDF (auteur, logiciel, dates) de la copie que les"
        " autres voient."
    ),
    "pdf_form_empty": _(
        "Ce PDF est un formulaire spécial. Les autres verront une page vide ou un message. Imprimez"
        " le formulaire rempli en PDF, puis ajoutez ce PDF."
    ),
    "pdf_cover_only": _(
        "Ce PDF contient plusieurs fichiers dans un seul. Les autres verront seulement la première"
        " page. Ajoutez chaque fichier séparément."
    ),
    "pdf_trailing_data_removed": _(
        "Le PDF contenait des données cachées au début ou à la fin. La copie que les autres voient"
        " n’en a plus."
    ),
    "pdf_keeps_metadata": _(
        "Un PDF garde des informations cachées, par exemple le nom de son auteur."
    ),
    "pdf_was_signed": _("Ce PDF porte une signature électronique."),
    "pdf_signature_lost": _(
        "La copie que les autres voient a dû être changée : sa signature électronique n’est plus"
        " valable. Votre fichier à vous est intact."
    ),
}
SIGNATURES = {
    "whole": _("Le fichier est entier : rien n’a changé depuis."),
    "added_to": _("Quelque chose a été ajouté au fichier après cette signature."),
    "altered": _("Attention : cette signature ne va pas avec ce fichier."),
}
SCANS = {
    "waiting": _("Nous vérifions que ce fichier n’a pas de virus. Vous n’avez rien à faire."),
    "infected": _("Attention : ce fichier contient un virus. Personne d’autre ne peut l’ouvrir."),
}


def kind_of_file(media_type: str) -> str:
    """What a file is, in a word, where it is taken away."""
    return "PDF" if media_type == MediaType.PDF else _("photo")
