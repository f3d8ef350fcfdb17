"""Invented French documents for the demo, drawn at start: each is marked SPECIMEN."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO

from PIL import ExifTags, Image

from web.demo.sheet import A4, GREY, Sheet, pdf, picture

NAME = "Amina BENSAÏD"
ADDRESS = ("12 rue des Tilleuls", "59000 LILLE")

_CARD = (400, 252)
_MARGIN = 54


@dataclass(frozen=True, slots=True)
class Specimen:
    """One document: its metadata as its owner would type it, and its file."""

    type: str
    title: str
    file_name: str
    issued_on: date
    expires_on: date | None
    draw: Callable[[date], bytes]
    income_year: int | None = None

    def content(self) -> bytes:
        """The file's bytes."""
        return self.draw(self.issued_on)


def specimens(today: date) -> Iterator[Specimen]:
    """The documents of the demo's person, with dates relative to today."""
    this_year, last_month = today.replace(day=1), (today.replace(day=1) - timedelta(days=1))
    card = today - timedelta(days=3 * 365)
    yield Specimen(
        "national_identity_card",
        "Ma carte d’identité",
        "IMG_2041.jpg",
        card,
        card + timedelta(days=10 * 365),
        identity_card,
    )
    yield _tax_notice(today)
    yield Specimen(
        "rent_receipt", "Quittance de loyer", "quittance.pdf", last_month, None, rent_receipt
    )
    yield Specimen(
        "caf_payment_certificate", "Attestation CAF", "caf.pdf", this_year, None, benefits
    )
    yield Specimen("payslip", "Bulletin de paie", "paie.pdf", last_month, None, payslip)
    yield Specimen("bank_details", "Mon RIB", "rib.pdf", this_year, None, bank_details)
    yield Specimen(
        "school_certificate",
        "Certificat de scolarité de Yanis",
        "scolarite.pdf",
        date(today.year if today.month > 8 else today.year - 1, 9, 4),
        None,
        school_certificate,
    )
    yield Specimen(
        "health_insurance_certificate",
        "Attestation de droits",
        "attestation-droits.pdf",
        this_year,
        this_year + timedelta(days=365),
        health_rights,
    )


def _tax_notice(today: date) -> Specimen:
    """The newest one: it comes in August, on the income of the year before."""
    issued = date(today.year if today.month > 8 else today.year - 1, 8, 1)
    title, file_name = f"Avis d’impôt {today.year - 1}", "avis-impot.pdf"
    return Specimen(
        "income_tax_notice", title, file_name, issued, None, tax_notice, issued.year - 1
    )


def identity_card(issued: date) -> bytes:
    """A photo of a card, as a phone takes it: with the place where it was taken."""
    sheet = Sheet(_CARD, (0.92, 0.95, 0.97))
    sheet.text(24, 20, "CARTE NATIONALE D’IDENTITÉ", 15)
    sheet.text(24, 40, "DOCUMENT INVENTÉ – SANS VALEUR", 9, GREY)
    sheet.box(24, 66, 100, 130, (0.75, 0.79, 0.83))
    sheet.box(52, 86, 44, 52, (0.60, 0.64, 0.69))
    sheet.box(38, 146, 72, 50, (0.60, 0.64, 0.69))
    lines = [
        ("Nom", "BENSAÏD"),
        ("Prénoms", "Amina, Louise"),
        ("Née le", "14.03.1988 à ROUBAIX (59)"),
        ("Délivrée le", _day(issued)),
        ("N°", "SPECIMEN00000"),
    ]
    for number, (label, value) in enumerate(lines):
        sheet.text(146, 64 + number * 31, label, 9, GREY)
        sheet.text(146, 76 + number * 31, value, 13)
    out = BytesIO()
    taken = _exif_of_lille(issued)
    picture(sheet, 4.0).save(out, "JPEG", quality=88, exif=taken)
    return out.getvalue()


def tax_notice(issued: date) -> bytes:
    """A tax notice of two pages."""
    first = _letter(
        "DIRECTION INVENTÉE DES IMPÔTS",
        f"Avis d’impôt sur les revenus de l’année {issued.year - 1}",
        issued,
        [
            ("Référence de l’avis", "00 59 SPECIMEN 000 00"),
            ("Nombre de parts", "2,5"),
            ("Revenu fiscal de référence", "14 872 €"),
            ("Impôt sur le revenu", "0 €"),
            ("Situation", "Non imposable"),
        ],
        "Vous n’avez rien à payer. Gardez ce document : il justifie de vos revenus.",
    )
    second = _letter(
        "DIRECTION INVENTÉE DES IMPÔTS",
        "Détail du calcul",
        issued,
        [
            ("Salaires et assimilés", "13 421 €"),
            ("Pensions alimentaires reçues", "2 160 €"),
            ("Abattement de 10 %", "- 1 342 €"),
            ("Revenu brut global", "14 872 €"),
        ],
        "Page 2 sur 2.",
    )
    return pdf([first, second])


def rent_receipt(issued: date) -> bytes:
    """A rent receipt."""
    return _page(
        "OFFICE PUBLIC DE L’HABITAT DES TILLEULS",
        "Quittance de loyer",
        issued,
        [
            ("Logement", "T3, 2e étage, porte 6"),
            ("Loyer", "412,30 €"),
            ("Charges", "96,70 €"),
            ("Aide au logement", "- 271,00 €"),
            ("Payé", "238,00 €"),
        ],
        "Reçu pour solde du mois. Cette quittance ne vaut pas reçu des mois antérieurs.",
    )


def benefits(issued: date) -> bytes:
    """A certificate of family benefits."""
    return _page(
        "CAISSE INVENTÉE D’ALLOCATIONS",
        "Attestation de paiement",
        issued,
        [
            ("Numéro d’allocataire", "0000000 S"),
            ("Allocations familiales", "148,52 €"),
            ("Allocation de soutien familial", "195,86 €"),
            ("Aide personnalisée au logement", "271,00 €"),
            ("Quotient familial", "587 €"),
        ],
        "Attestation établie à la demande de l’intéressée pour faire valoir ses droits.",
    )


def payslip(issued: date) -> bytes:
    """A payslip."""
    return _page(
        "SARL LES JARDINS DU NORD",
        "Bulletin de paie",
        issued,
        [
            ("Emploi", "Agente d’entretien des espaces verts"),
            ("Heures", "104,00"),
            ("Salaire brut", "1 372,80 €"),
            ("Cotisations", "- 254,36 €"),
            ("Net à payer", "1 118,44 €"),
        ],
        "À conserver sans limitation de durée.",
    )


def bank_details(issued: date) -> bytes:
    """Bank details; the number is invented."""
    return _page(
        "BANQUE IMAGINAIRE",
        "Relevé d’identité bancaire",
        issued,
        [
            ("Titulaire", NAME),
            ("IBAN", "FR00 0000 0000 00SP ECIM EN00 000"),
            ("BIC", "SPECFRPPXXX"),
            ("Agence", "Lille Tilleuls"),
        ],
        "Document sans valeur.",
    )


def school_certificate(issued: date) -> bytes:
    """A school certificate for her son."""
    return _page(
        "COLLÈGE DES TILLEULS",
        "Certificat de scolarité",
        issued,
        [
            ("Élève", "BENSAÏD Yanis"),
            ("Né le", "02.11.2013"),
            ("Classe", "5e B"),
            ("Régime", "Demi-pensionnaire"),
        ],
        "La principale certifie que l’élève est inscrit et fréquente l’établissement.",
    )


def health_rights(issued: date) -> bytes:
    """A certificate of health insurance rights."""
    return _page(
        "ASSURANCE MALADIE INVENTÉE",
        "Attestation de droits",
        issued,
        [
            ("Assurée", NAME),
            ("N°", "0 00 00 00 000 000 00"),
            ("Bénéficiaire", "BENSAÏD Yanis"),
            ("Droits ouverts jusqu’au", _day(issued + timedelta(days=365))),
        ],
        "Cette attestation remplace toute attestation antérieure.",
    )


def _page(
    sender: str, title: str, issued: date, lines: Sequence[tuple[str, str]], closing: str
) -> bytes:
    return pdf([_letter(sender, title, issued, lines, closing)])


def _letter(
    sender: str, title: str, issued: date, lines: Sequence[tuple[str, str]], closing: str
) -> Sheet:
    sheet = Sheet()
    sheet.text(_MARGIN, 48, sender, 16)
    sheet.text(_MARGIN, 70, "Document inventé pour une démonstration", 11, GREY)
    for number, line in enumerate((NAME, *ADDRESS)):
        sheet.text(345, 125 + number * 18, line, 13)
    sheet.text(345, 200, f"Lille, le {_day(issued)}", 12, GREY)
    sheet.text(_MARGIN, 260, title, 20)
    sheet.rule(_MARGIN, 296, A4[0] - 2 * _MARGIN)
    for number, (label, value) in enumerate(lines):
        top = 316 + number * 36
        sheet.text(_MARGIN, top, label, 13, GREY)
        sheet.text(315, top, value, 14)
        sheet.rule(_MARGIN, top + 26, A4[0] - 2 * _MARGIN)
    sheet.text(_MARGIN, 566, closing, 12)
    return sheet


def _exif_of_lille(taken: date) -> Image.Exif:
    """What a phone writes into a photo: its model, the time, the place."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Specimen"
    exif[ExifTags.Base.Model] = "Telephone 5"
    exif[ExifTags.Base.DateTime] = f"{taken:%Y:%m:%d} 10:12:00"
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef] = "N"
    place[ExifTags.GPS.GPSLatitude] = (50.0, 38.0, 13.2)
    place[ExifTags.GPS.GPSLongitudeRef] = "E"
    place[ExifTags.GPS.GPSLongitude] = (3.0, 3.0, 48.6)
    return exif


def _day(day: date) -> str:
    return f"{day:%d.%m.%Y}"
