"""Messages about documents, files and the log."""

from web.i18n.error_messages import ErrorMessage, _

MESSAGES = {
    "export_not_ready": ErrorMessage(
        _("Pas encore prête"),
        _("La copie de vos papiers n’est pas finie."),
        _("Attendez le message qui vous dit qu’elle est prête, puis revenez ici."),
    ),
    "recovered_lately": ErrorMessage(
        _("Pas encore"),
        _(
            "Vos papiers viennent d’être rouverts au guichet. Pendant 48 heures, personne n’en"
            " prend une copie entière : si ce n’était pas vous, vous auriez le temps de l’arrêter."
        ),
        _("Revenez dans deux jours. D’ici là, vous lisez vos papiers et vous en ajoutez."),
    ),
    "file_missing": ErrorMessage(
        _("Aucun fichier"),
        _("L’envoi ne contient aucun fichier."),
        _("Choisissez un fichier ou prenez une photo, puis envoyez de nouveau."),
    ),
    "file_empty": ErrorMessage(
        _("Fichier vide"),
        _("Le fichier reçu est vide."),
        _("Vérifiez que le fichier s’ouvre sur votre appareil, puis envoyez-le de nouveau."),
    ),
    "type_not_allowed": ErrorMessage(
        _("Type de fichier non accepté"),
        _("Ce fichier n’est ni un PDF, ni une photo (JPEG, PNG, WebP, HEIC, TIFF)."),
        _("Prenez une photo du papier, ou enregistrez le document en PDF."),
    ),
    "does_not_decode": ErrorMessage(
        _("Fichier illisible"),
        _("Le fichier est abîmé ou incomplet : il ne s’ouvre pas."),
        _("Prenez une nouvelle photo, ou demandez un nouveau fichier à qui vous l’a donné."),
    ),
    "password_protected": ErrorMessage(
        _("Fichier protégé par un mot de passe"),
        _("Ce PDF demande un mot de passe : personne d’autre ne pourrait l’ouvrir."),
        _("Enregistrez-le sans mot de passe, ou photographiez le papier."),
    ),
    "too_large": ErrorMessage(
        _("Fichier trop lourd"),
        _("Le document dépasse {limit_mib} Mo."),
        _("Envoyez une photo moins détaillée, ou moins de pages à la fois."),
    ),
    "file_too_large": ErrorMessage(
        _("Fichier trop lourd"),
        _("Le document est trop lourd pour être ouvert."),
        _("Envoyez une photo moins détaillée, ou moins de pages à la fois."),
    ),
    "too_many_files": ErrorMessage(
        _("Trop de photos"),
        _("Un document compte {limit} photos au plus."),
        _("Envoyez les pages en plusieurs documents."),
    ),
    "too_many_parts": ErrorMessage(
        _("Trop de photos"),
        _("Un document compte {limit} photos au plus."),
        _("Envoyez les pages en plusieurs documents."),
    ),
    "too_many_pages": ErrorMessage(
        _("Trop de pages"),
        _("Un document compte {limit} pages au plus."),
        _("Gardez seulement les pages utiles."),
    ),
    "too_many_pixels": ErrorMessage(
        _("Image trop grande"),
        _("La photo a trop de détails : elle est trop grande pour être ouverte ici."),
        _("Prenez la photo avec une qualité plus basse. Ou faites une photo de cette photo."),
    ),
    "pdf_too_detailed": ErrorMessage(
        _("PDF trop détaillé"),
        _("Une page de ce PDF a trop de détails : elle est trop grande pour être ouverte ici."),
        _("Numérisez le papier en 300 dpi, ou prenez-le en photo."),
    ),
    "unusual_image": ErrorMessage(
        _("Photo d’un genre rare"),
        _("Cette photo est enregistrée d’une façon rare : on ne peut pas l’ouvrir ici."),
        _("Faites une photo du papier avec votre téléphone, ou enregistrez l’image en JPEG."),
    ),
    "decoder_busy": ErrorMessage(
        _("Service occupé"),
        _("Trop de documents arrivent en même temps."),
        _("Attendez une minute, puis recommencez. Rien n’a été perdu sur votre appareil."),
    ),
    "decoder_unavailable": ErrorMessage(
        _("Service indisponible"),
        _("Le service ne peut pas vérifier de fichiers en ce moment."),
        _("Réessayez dans quelques minutes. Rien n’a été perdu sur votre appareil."),
    ),
    "too_many_documents": ErrorMessage(
        _("Plus de place"),
        _("Il y a déjà {limit} papiers : c’est le maximum."),
        _(
            "Supprimez des documents dont vous n’avez plus besoin."
            " Leur place est libre 30 jours après."
        ),
    ),
    "vault_full": ErrorMessage(
        _("Plus de place"),
        _("Il n’y a plus de place pour ce papier : le maximum est de {limit_mib} Mo."),
        _(
            "Supprimez des documents dont vous n’avez plus besoin."
            " Leur place est libre 30 jours après."
        ),
    ),
    "too_many_versions": ErrorMessage(
        _("Trop de versions"),
        _("Un papier garde {limit} versions au plus."),
        _("Ajoutez ce fichier comme un nouveau papier."),
    ),
    "grant_full": ErrorMessage(
        _("Limite d’envoi atteinte"),
        _("Avec un même accord, on ajoute {limit} papiers et {limit_mib} Mo au plus."),
        _("Demandez un nouvel accord à la personne, ou donnez-lui le papier."),
    ),
    "vault_cannot_take_more": ErrorMessage(
        _("Ce papier ne peut pas être ajouté"),
        _("Il n’est pas possible d’ajouter un papier pour cette personne en ce moment."),
        _("Donnez le papier à la personne. Elle voit dans son journal que vous avez essayé."),
    ),
    "too_dear": ErrorMessage(
        _("Fichier trop compliqué"),
        _("Ce fichier est trop compliqué à ouvrir : il demande trop de temps."),
        _("Enregistrez-le à nouveau en PDF, ou prenez des photos du papier."),
    ),
    "too_many_at_once": ErrorMessage(
        _("Trop de papiers en même temps"),
        _("Vous envoyez trop de papiers en même temps."),
        _("Attendez que les premiers soient arrivés, puis envoyez les autres."),
    ),
    "decoding_time_spent": ErrorMessage(
        _("Trop de fichiers lourds"),
        _("Vos derniers fichiers étaient très lourds à lire."),
        _("Réessayez dans {minutes} minutes. Rien n’a été perdu sur votre appareil."),
    ),
    "type_known": ErrorMessage(
        _("La sorte de ce papier est connue"),
        _("La personne a déjà dit quel papier c’est."),
        _("Rechargez la page. Si c’est une erreur, dites-le à la personne : elle peut corriger."),
    ),
    "type_missing": ErrorMessage(
        _("Type manquant"),
        _("Le champ « type » manque : on ne sait pas de quel papier il s’agit."),
        _("Choisissez un type dans la liste (GET /v1/document-types)."),
    ),
    "expires_before_issued": ErrorMessage(
        _("Dates impossibles"),
        _("La date de fin est avant la date de délivrance."),
        _("Relisez les deux dates sur le papier."),
    ),
    "invalid_field": ErrorMessage(
        _("Champ incorrect"),
        _("Le champ « {field} » n’a pas la forme attendue."),
        _("Corrigez ce champ. Les dates s’écrivent AAAA-MM-JJ."),
    ),
    "unknown_field": ErrorMessage(
        _("Champ inconnu"),
        _("Un fichier est envoyé sous un autre nom que « file »."),
        _("Envoyez chaque fichier dans un champ nommé « file »."),
    ),
    "repeated_field": ErrorMessage(
        _("Champ répété"),
        _("Un champ est donné deux fois."),
        _("Donnez chaque champ une seule fois ; seul « file » se répète."),
    ),
    "field_too_large": ErrorMessage(
        _("Champ trop long"),
        _("Un champ du formulaire est trop long."),
        _("Raccourcissez le texte."),
    ),
    "too_many_fields": ErrorMessage(
        _("Formulaire trop long"),
        _("Le formulaire compte plus de {limit} champs."),
        _("Envoyez seulement les champs décrits dans la documentation."),
    ),
    "malformed_form": ErrorMessage(
        _("Formulaire illisible"),
        _("L’envoi est incomplet ou mal formé."),
        _("Envoyez de nouveau le formulaire entier (multipart/form-data)."),
    ),
    "part_encoded": ErrorMessage(
        _("Formulaire illisible"),
        _("Une partie de l’envoi est codée en base64 ou en quoted-printable."),
        _("Envoyez les octets du fichier tels quels, sans Content-Transfer-Encoding."),
    ),
    "form_expected": ErrorMessage(
        _("Formulaire attendu"),
        _("Cette adresse attend un formulaire multipart/form-data."),
        _("Envoyez le fichier dans un champ « file » d’un formulaire multipart/form-data."),
    ),
    "range_invalid": ErrorMessage(
        _("Partie impossible"),
        _("La partie demandée n’existe pas, ou plusieurs parties sont demandées à la fois."),
        _("Demandez une seule partie, par exemple « bytes=0-1023 »."),
    ),
    "no_preview": ErrorMessage(
        _("Pas encore d’aperçu"),
        _("L’aperçu de ce document n’est pas encore prêt."),
        _("Réessayez dans quelques secondes, ou ouvrez le document."),
    ),
    "cannot_be_handed_on": ErrorMessage(
        _("Ce papier ne peut pas être remis"),
        _("Aucune copie sûre de ce fichier ne peut être faite : il est abîmé, ou trop ancien."),
        _("Demandez à la personne d’ajouter ce papier de nouveau."),
    ),
    "original_cannot_be_given": ErrorMessage(
        _("Ce fichier ne peut pas être donné tel quel"),
        _(
            "Il n’est pas signé, il a changé après la signature, ou il contient autre chose que ce"
            " que l’on voit."
        ),
        _("Rien n’a changé : les autres voient une copie nettoyée."),
    ),
    "changed_meanwhile": ErrorMessage(
        _("Modifié entre-temps"),
        _("Ce que vous modifiez a changé depuis que vous l’avez vu."),
        _("Relisez-le, puis recommencez la modification."),
    ),
    "content_missing": ErrorMessage(
        _("Contenu introuvable"),
        _("Le service ne retrouve pas ce contenu pour le moment."),
        _("Réessayez plus tard. Si cela dure, prévenez le service."),
    ),
    "content_broken": ErrorMessage(
        _("Contenu abîmé"),
        _("Le contenu gardé n’est plus celui qui avait été déposé : il n’est pas montré."),
        _("Prévenez le service : une sauvegarde permettra peut-être de le retrouver."),
    ),
    "row_altered": ErrorMessage(
        _("Cette information a été changée sans passer par le service"),
        _("Elle n’est plus celle que le service avait écrite : il ne s’en sert pas."),
        _("Prévenez le service. Rien n’est perdu : une sauvegarde permet de la remettre."),
    ),
    "service_key_missing": ErrorMessage(
        _("Service indisponible"),
        _("Une clé du service manque : il ne peut plus vérifier ce qu’il lit."),
        _("Prévenez le service. Vos papiers sont toujours là."),
    ),
    "store_unavailable": ErrorMessage(
        _("Service indisponible"),
        _("Le stockage ne répond pas. Rien n’a été changé."),
        _("Attendez une minute, puis recommencez."),
    ),
    "keys_unavailable": ErrorMessage(
        _("Service indisponible"),
        _("Le service n’atteint pas ses clés : il ne peut rien ouvrir pour le moment."),
        _("Attendez une minute, puis recommencez. Vos papiers sont toujours là."),
    ),
    "blob_exists": ErrorMessage(
        _("Envoi à refaire"),
        _("L’envoi ne s’est pas bien passé."),
        _("Envoyez de nouveau le document."),
    ),
}
