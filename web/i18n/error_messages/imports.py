"""Messages about a copy that is brought from another installation."""

from web.i18n.error_messages import ErrorMessage, _

MESSAGES = {
    "import_cut": ErrorMessage(
        _("Fichier incomplet"),
        _("Il manque la fin du fichier, ou ce n’est pas un fichier zip."),
        _("Téléchargez la copie de nouveau là d’où elle vient, puis envoyez-la encore une fois."),
    ),
    "import_unknown": ErrorMessage(
        _("Ce n’est pas une copie de « Mes papiers »"),
        _("Ce fichier zip n’a pas la forme d’une copie faite par « Tout emporter »."),
        _("Choisissez le fichier que « Tout emporter » vous a donné, sans rien y changer."),
    ),
    "import_altered": ErrorMessage(
        _("Copie changée"),
        _("Un fichier de cette copie a été changé, ajouté ou enlevé depuis qu’elle a été faite."),
        _("Téléchargez la copie de nouveau là d’où elle vient, puis envoyez-la encore une fois."),
    ),
    "import_too_large": ErrorMessage(
        _("Copie trop lourde"),
        _("Cette copie est plus lourde que tout ce qu’on peut garder ici ({limit_mib} Mo)."),
        _("Ajoutez vos papiers un par un : ils sont dans le dossier « papiers » de la copie."),
    ),
    "import_under_way": ErrorMessage(
        _("Une copie arrive déjà"),
        _("Une autre copie est déjà en train d’arriver ici."),
        _("Attendez qu’elle soit arrivée, ou annulez-la, puis recommencez."),
    ),
    "import_not_ready": ErrorMessage(
        _("Pas encore prêt"),
        _("Nous n’avons pas fini de regarder cette copie."),
        _("Attendez un peu, puis revenez ici."),
    ),
    "import_over": ErrorMessage(
        _("C’est fini"),
        _("Cette copie n’attend plus votre réponse."),
        _("Regardez vos papiers. S’il en manque, envoyez la copie de nouveau."),
    ),
    "import_paper_missing": ErrorMessage(
        _("Papier absent de la copie"),
        _("La copie parle de ce papier, mais ses fichiers n’y sont pas."),
        _("Demandez ce papier là d’où vient la copie, puis ajoutez-le ici."),
    ),
}
