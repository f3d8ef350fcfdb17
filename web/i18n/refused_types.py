"""What to do with a file that is no paper we take; its words: `vault/decoding/refused_types.py`.

They are messages of the one code `type_not_allowed`: programs read the code, people the words.
"""

from web.i18n.error_messages import ErrorMessage, _

MESSAGES = {
    "video": ErrorMessage(
        _("C’est une vidéo"),
        _("Ce fichier est une vidéo, pas une photo."),
        _("Prenez une photo du papier, puis envoyez la photo."),
    ),
    "sound": ErrorMessage(
        _("C’est un son"),
        _("Ce fichier est un son ou une musique, pas un papier."),
        _("Prenez une photo du papier, puis envoyez la photo."),
    ),
    "office": ErrorMessage(
        _("C’est un document Word, Excel ou LibreOffice"),
        _("Ce fichier peut encore être changé par tout le monde : il n’est pas accepté."),
        _("Ouvrez-le, enregistrez-le en PDF, puis envoyez le PDF."),
    ),
    "archive": ErrorMessage(
        _("C’est un dossier compressé (ZIP)"),
        _("Ce fichier en contient d’autres : il n’est pas accepté."),
        _("Ouvrez-le, puis envoyez les photos ou les PDF qui sont dedans."),
    ),
    "web_page": ErrorMessage(
        _("C’est une page internet"),
        _("Ce fichier est une page internet, pas une photo ni un PDF."),
        _("Ouvrez-la, choisissez « Imprimer », puis « Enregistrer en PDF ». Envoyez le PDF."),
    ),
    "email": ErrorMessage(
        _("C’est un e-mail"),
        _("Ce fichier est un e-mail, pas une photo ni un PDF."),
        _("Ouvrez-le, enregistrez la pièce jointe, puis envoyez-la ici."),
    ),
    "picture": ErrorMessage(
        _("Cette sorte d’image n’est pas acceptée"),
        _("Ce fichier n’est ni un PDF, ni une photo (JPEG, PNG, WebP, HEIC, TIFF)."),
        _("Faites une capture d’écran de l’image, ou prenez une photo du papier."),
    ),
    "text": ErrorMessage(
        _("C’est un fichier de texte"),
        _("Ce fichier est un texte, pas une photo ni un PDF."),
        _("Prenez une photo du papier, ou enregistrez le texte en PDF."),
    ),
}
