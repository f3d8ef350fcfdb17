"""A card and its spare, to cut out and fold: what is scanned, what is typed, what never to tell."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from auth import means
from auth.card_means import NewCard, PlannedCard
from auth.holder_proofs import NO_PROOF, Proof
from auth.person_names import own_name
from auth.subjects import Person, Worker
from base.errors import about
from base.user_text import clean_title
from vault.services import Services
from web.i18n.error_messages import _
from web.i18n.languages import SOURCE, languages
from web.i18n.translations import translations
from web.i18n.typography import no_break, typed_phone
from web.printouts.fonts import character_sets
from web.printouts.letters import Letters
from web.printouts.sheet import QrCode, frame_of, replaced_note
from web.printouts.turns import in_turn
from web.printouts.typesetter import in_thread, reserved_thread, typeset

MAX_PHONE = 40
_TITLE = _("Ma carte Unefois")
_FOLD = _("Découpez chaque carte. Pliez-la sur la ligne en pointillés.")
_SPARE = _("La deuxième carte est la même. Gardez-la ailleurs, en lieu sûr.")
_CARD = _("La carte")
_SPARE_CARD = _("La deuxième carte")
_SCAN = _("Scannez le dessin. Ou allez sur {address} et tapez ce code :")
_DRAWING = _("Dessin à scanner pour entrer avec cette carte.")
_TELL_NOBODY = _("Ne dites votre code secret à personne.")
_WRITE_NOT = _("Ne l’écrivez pas sur cette carte.")
_CALL = _("Besoin d’aide ? Appelez le {phone}")
_LOST = _("Carte perdue ou volée ?")
_LOST_STOP = _("Faites-la arrêter tout de suite, au guichet ou avec votre téléphone.")
_LOST_BOTH = _("La deuxième carte s’arrête aussi. Vous en demandez une autre.")
_DESTROY = _("Ne laissez pas cette page à l’imprimante, et ne l’envoyez à personne.")


@dataclass(frozen=True, slots=True)
class WantedCard:
    """What someone asks for: a PIN that they typed twice, the proof that their vault asks for, the
    card that dies by it, and what is printed beside: who helps, and the name that they chose, if
    they wish. `seen`: as for `auth.means.add_card`."""

    pin: str = field(repr=False)
    again: str = field(repr=False)
    proof: Proof = NO_PROOF
    replaces: UUID | None = None
    help_phone: str | None = field(default=None, repr=False)
    with_name: bool = False
    seen: frozenset[UUID] | None = None


@dataclass(frozen=True, slots=True)
class CardSheet:
    """What the page says, in one language and in French. `code` in groups; `address`: of the QR."""

    code: str = field(repr=False)
    address: str = field(repr=False)
    name: str | None = field(default=None, repr=False)
    help_phone: str | None = field(default=None, repr=False)

    def data(self, language: str) -> dict[str, Any]:
        """The values of the template, in letters that can be printed."""
        letters = Letters(character_sets())
        words = _Words(language, letters)
        place = self.address.partition("#")[0].rstrip("/")
        phone = self.help_phone
        qr = QrCode(self.address, words.one(_DRAWING), error="h").data(letters)
        values: dict[str, Any] = {
            "introduction": [*words.both(_FOLD), *words.both(_SPARE), *words.both(_DESTROY)],
            "headings": [words.one(_CARD), words.one(_SPARE_CARD)],
            "svg": qr["svg"],
            "drawing": qr["says"],
            "heading": words.one(_TITLE),
            "name": letters.printable(self.name or ""),
            "scan": words.both(_SCAN, address=place),
            "code": self.code,
            "secret": [*words.both(_TELL_NOBODY), *words.both(_WRITE_NOT)],
            "help": [] if phone is None else words.both(_CALL, phone=phone),
            "lost": [words.both(_LOST), words.both(_LOST_STOP), words.both(_LOST_BOTH)],
        }
        frame = frame_of(words.one(_TITLE), language, letters)
        closing = [replaced_note(language)] if letters.replaced else []
        return {**frame, **values, "closing": closing}


async def print_card(
    services: Services, person: Person, wanted: WantedCard, language: str
) -> tuple[NewCard, bytes]:
    """A new card of the caller's, and the page with it as PDF: kept nowhere.

    The turn and the thread are taken first, and the page is laid out before the card is committed:
    where one is refused or fails, there is no card, and a card to be replaced still opens.
    Raises as `auth.means.add_card`; `ServiceError` `unavailable`, INVALID `text_too_long`.
    """
    with about("help_phone"):
        phone = clean_title(wanted.help_phone or "", MAX_PHONE)
    name = await own_name(services, person) if wanted.with_name else None
    pdfs: list[bytes] = []
    async with in_turn(person), reserved_thread() as lay_out:
        card = await means.add_card(
            services,
            person,
            wanted.pin,
            wanted.again,
            proof=wanted.proof,
            replaces=wanted.replaces,
            seen=wanted.seen,
            before_commit=_printed(
                lay_out, pdfs, _Beside(services.settings.public_url, name, phone), language
            ),
        )
    return card, pdfs[0]


async def print_again(
    services: Services,
    person: Person,
    language: str,
    *,
    code: str,
    secret: str,
    help_phone: str,
    with_name: bool,
) -> bytes:
    """The page with a card that was just made, as `print_card` made it. Raises `ServiceError`
    `unavailable`."""
    name = await own_name(services, person) if with_name else None
    address = address_of(services.settings.public_url, secret)
    sheet = CardSheet(code, address, name, clean_title(help_phone, MAX_PHONE))
    async with in_turn(person):
        return await in_thread(lambda: typeset("card", sheet.data(language)))


async def print_planned(
    services: Services,
    worker: Worker,
    card: PlannedCard,
    language: str,
    *,
    name: str | None,
    help_phone: str | None,
) -> bytes:
    """The page with a card that was made beside its person, as PDF: kept nowhere. Raises
    `ServiceError` `unavailable`."""
    address = address_of(services.settings.public_url, card.secret)
    sheet = CardSheet(card.grouped, address, name, clean_title(help_phone or "", MAX_PHONE))
    async with in_turn(worker):
        return await in_thread(lambda: typeset("card", sheet.data(language)))


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is on the page beside the card's own texts."""

    public_url: str
    name: str | None = field(repr=False)
    help_phone: str | None = field(repr=False)


def _printed(
    lay_out: Callable[[Callable[[], bytes]], Awaitable[bytes]],
    pdfs: list[bytes],
    beside: _Beside,
    language: str,
) -> Callable[[NewCard], Awaitable[None]]:
    async def printed(card: NewCard) -> None:
        address = address_of(beside.public_url, card.secret)
        sheet = CardSheet(card.code, address, beside.name, beside.help_phone)
        pdfs.append(await lay_out(lambda: typeset("card", sheet.data(language))))

    return printed


def address_of(public_url: str, secret: str) -> str:
    """What the QR holds: the secret stands in the fragment, which no browser sends to a server."""
    return f"{public_url.rstrip('/')}/#{secret}"


class _Words:
    """Sentences in one language, and in French below unless it is French."""

    def __init__(self, language: str, letters: Letters) -> None:
        spoken = languages()
        french = spoken[language].tag.split("-")[0] == SOURCE
        self._codes = (language,) if french else (language, SOURCE)
        self._spoken = [spoken[code] for code in self._codes]
        self._letters = letters

    def one(self, text: str) -> str:
        """In the language of the page."""
        return self._letters.printable(no_break(translations(self._codes[0]).gettext(text)))

    def both(self, text: str, **values: str) -> list[dict[str, Any]]:
        """In each, with its language and direction, for who listens."""
        return [
            {
                "text": self._letters.printable(self._filled(text, code, values)),
                "lang": spoken.tag,
                "rtl": spoken.direction == "rtl",
            }
            for code, spoken in zip(self._codes, self._spoken, strict=True)
        ]

    @staticmethod
    def _filled(text: str, code: str, values: dict[str, str]) -> str:
        filled = translations(code).gettext(text)
        for name, value in values.items():
            shown = typed_phone(value, code) if name == "phone" else value
            filled = filled.replace(f"{{{name}}}", shown)
        return no_break(filled)
