"""Messages about files sent in pieces."""

from web.i18n.error_messages import ErrorMessage, _

MESSAGES = {
    "tus_version": ErrorMessage(
        _("Version inconnue"),
        _("Cette adresse parle tus {version} seulement."),
        _("Envoyez l’en-tête « Tus-Resumable: {version} »."),
    ),
    "method_override": ErrorMessage(
        _("Méthode refusée"),
        _("L’en-tête X-HTTP-Method-Override n’est pas accepté."),
        _("Envoyez la demande avec sa vraie méthode, par exemple PATCH."),
    ),
    "upload_length_missing": ErrorMessage(
        _("Taille manquante"),
        _("La taille du fichier n’est pas dite."),
        _("Donnez la taille entière dans Upload-Length dès le début de l’envoi."),
    ),
    "upload_metadata_invalid": ErrorMessage(
        _("Description illisible"),
        _("L’en-tête Upload-Metadata n’a pas la forme attendue, ou un de ses champs est faux."),
        _("Corrigez-le : des noms et leurs valeurs en base64, les dates en AAAA-MM-JJ."),
    ),
    "offset_stream_expected": ErrorMessage(
        _("Suite d’un fichier attendue"),
        _("Cette adresse attend la suite d’un fichier, sans autre forme."),
        _("Envoyez les octets avec « Content-Type: application/offset+octet-stream »."),
    ),
    "upload_offset": ErrorMessage(
        _("Mauvais endroit"),
        _("La suite envoyée ne commence pas là où l’envoi s’est arrêté."),
        _("Demandez où il en est (HEAD), puis continuez de là."),
    ),
    "upload_longer": ErrorMessage(
        _("Fichier plus long que prévu"),
        _("Il arrive plus d’octets que la taille dite au début."),
        _("Recommencez l’envoi avec la bonne taille."),
    ),
    "checksum_invalid": ErrorMessage(
        _("Somme de contrôle illisible"),
        _("La somme de contrôle n’est ni en sha256 ni en sha1, ou elle est mal écrite."),
        _("Envoyez « sha256 » et la somme en base64."),
    ),
    "checksum_mismatch": ErrorMessage(
        _("Octets changés en route"),
        _("Ce qui est arrivé n’est pas ce qui a été envoyé. Rien n’en est gardé."),
        _("Envoyez cette partie de nouveau."),
    ),
    "too_many_pieces": ErrorMessage(
        _("Trop de morceaux"),
        _("Ce fichier est arrivé en plus de {limit} morceaux."),
        _("Recommencez l’envoi avec des morceaux plus grands."),
    ),
    "too_many_uploads": ErrorMessage(
        _("Trop d’envois commencés"),
        _("Vous avez déjà {limit} envois commencés."),
        _("Terminez-les ou supprimez-les. Ils partent seuls après 24 heures."),
    ),
    "uploads_too_large": ErrorMessage(
        _("Trop d’envois commencés"),
        _("Vos envois commencés dépassent ensemble {limit_mib} Mo."),
        _("Terminez-les ou supprimez-les. Ils partent seuls après 24 heures."),
    ),
    "unknown_upload": ErrorMessage(
        _("Envoi inconnu"),
        _("Cet envoi n’existe pas, ou plus : il a servi, ou ses 24 heures sont passées."),
        _("Envoyez le fichier de nouveau."),
    ),
    "upload_unfinished": ErrorMessage(
        _("Envoi pas fini"),
        _("Ce fichier n’est pas encore arrivé en entier."),
        _("Envoyez la suite du fichier, puis recommencez."),
    ),
}
