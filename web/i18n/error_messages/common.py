"""Messages that belong to no subject: the request itself, the caller, the service."""

from web.i18n.error_messages import ErrorMessage, _

MESSAGES = {
    "service_closed": ErrorMessage(
        _("Ce service est fermé"),
        _("Rien ne s’ajoute plus : ni papier, ni demande, ni accès."),
        _("Les papiers qui sont là se lisent encore, et s’emportent : « Moi », « Tout emporter »."),
    ),
    "not_found": ErrorMessage(
        _("Introuvable"),
        _("Rien n’existe à cette adresse, ou vous n’y avez pas accès."),
        _("Vérifiez l’adresse, ou revenez à la liste."),
    ),
    "unauthenticated": ErrorMessage(
        _("Connexion nécessaire"),
        _("Votre connexion est finie, ou n’a pas commencé."),
        _("Connectez-vous, puis recommencez."),
    ),
    "wrong_caller": ErrorMessage(
        _("Pas avec ce compte"),
        _("Cette adresse n’est pas faite pour ce type de compte."),
        _("Connectez-vous avec le compte qui convient."),
    ),
    "malformed_request": ErrorMessage(
        _("Demande illisible"),
        _("Le contenu envoyé n’est pas du JSON lisible."),
        _("Corrigez le contenu, puis envoyez-le de nouveau."),
    ),
    "invalid_request": ErrorMessage(
        _("Demande incorrecte"),
        _("Un champ manque, est inconnu ou n’a pas la bonne forme : {fields}."),
        _("Corrigez ces champs, puis envoyez la demande de nouveau."),
    ),
    "body_too_large": ErrorMessage(
        _("Demande trop longue"),
        _("Le contenu envoyé dépasse {limit} octets."),
        _("Envoyez moins de choses à la fois."),
    ),
    "method_not_allowed": ErrorMessage(
        _("Action impossible ici"),
        _("Cette adresse existe, mais pas pour cette action."),
        _("Consultez la description de l’interface : /v1/openapi.json."),
    ),
    "wrong_media_type": ErrorMessage(
        _("Format de demande non accepté"),
        _("Cette adresse attend du JSON (application/json)."),
        _("Indiquez Content-Type: application/json et envoyez du JSON."),
    ),
    "too_many_sign_ins": ErrorMessage(
        _("Trop de connexions"),
        _("Trop de personnes essaient d’entrer depuis ce réseau."),
        _("Attendez un moment, puis recommencez ; ou adressez-vous au guichet."),
    ),
    "too_many_failures": ErrorMessage(
        _("Trop d’erreurs"),
        _("Il y a eu trop d’erreurs depuis ce réseau ou avec ce compte."),
        _("Attendez une minute, puis recommencez ; ou essayez depuis un autre réseau."),
    ),
    "unavailable": ErrorMessage(
        _("Service momentanément indisponible"),
        _("Le service ne peut pas répondre pour le moment."),
        _("Recommencez dans quelques instants. Rien n’a été perdu."),
    ),
    "request_refused": ErrorMessage(
        _("Demande refusée"),
        _("Le service ne peut pas traiter cette demande sous cette forme."),
        _("Consultez la description de l’interface, puis recommencez."),
    ),
    "database_unavailable": ErrorMessage(
        _("Service en panne pour un moment"),
        _("Le service ne peut rien lire ni écrire pour le moment. Vos papiers sont toujours là."),
        _("Attendez une minute, puis recommencez."),
    ),
    "database_busy": ErrorMessage(
        _("Trop de choses à la fois"),
        _("Le service fait trop de choses à la fois. Rien n’a été changé."),
        _("Attendez quelques secondes, puis recommencez."),
    ),
    "internal_error": ErrorMessage(
        _("Erreur du service"),
        _("Une erreur s’est produite de notre côté. Elle a été notée."),
        _("Recommencez. Si cela continue, signalez-le avec le numéro de la demande."),
    ),
}
