"""Phone numbers as people write them, in one form each, by the numbering plans of the day.

The plans are those of the library `phonenumbers`. One thing is ours: France and its overseas
departments share one national plan under six country codes, so a number written with the wrong one
(`+33 692…`), or with none (`0692…`), is the one number that it can be.
"""

import re
import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from base.errors import ServiceError, invalid

_MAX_TEXT = 64
# How people write one: `(+33) 6…`, `06.12…`, `06-12…`. No letter, and a `+` only in front.
_WRITTEN = re.compile(r"[\s(]*\+?[\s0-9._/()\u2010-\u2015\u2212-]+")
_E164 = re.compile(r"\+[1-9][0-9]{7,14}")
# One national plan (ARCEP), in the order in which a number is looked for.
_FRENCH_REGIONS = ("FR", "GP", "MQ", "GF", "RE", "YT", "PM")
_FRENCH_CODES = {phonenumbers.country_code_for_region(region): region for region in _FRENCH_REGIONS}
_MOBILE_DIGITS = ("6", "7")
# Mexico's mobiles had a 1 before their ten digits until 2019; people, and address books, keep it.
_MEXICO = 52
_MEXICAN_MOBILE = re.compile(r"(\+|00)?521([0-9]{10})")
# Saint-Pierre-et-Miquelon has six digits of its own, nine with these before them.
_MIQUELON = "508"
# Shorter than this, digits without a `+` are a national number and not one with a country code.
_WITH_COUNTRY_CODE = 11
_WITHOUT_SMS = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.PAGER,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
        PhoneNumberType.VOIP,
    }
)


def normal_phone(text: str) -> str:
    """A phone number in E.164 (ITU-T): `06 12 34 56 78` is `+33612345678`.

    A number without a country code is French, of the mainland or overseas. One that its plan does
    not list is accepted if its length is right: plans grow between two releases of the library.
    Raises `ServiceError` INVALID `phone_invalid`.
    """
    return _e164(_number(_digits(text)))


def sms_phone(text: str) -> str:
    """The same, for a phone to which a notice has to come. Raises `phone_landline` too."""
    if not gets_sms(text):
        raise invalid("phone_landline")
    return normal_phone(text)


def gets_sms(text: str) -> bool:
    """Whether a text message comes to a phone, as far as its plan says: not to landlines, boxes
    (09), free and special numbers. Raises `phone_invalid`."""
    number = _number(_digits(text))
    kind = phonenumbers.number_type(number)
    unlisted = kind == PhoneNumberType.UNKNOWN and number.country_code in _FRENCH_CODES
    silent = unlisted and not _national(number).startswith(_MOBILE_DIGITS)
    return not silent and kind not in _WITHOUT_SMS


def phone_forms(text: str) -> tuple[str, ...]:
    """Every form under which the same phone may have been kept, that of its digits first.

    A release of before kept the national zero of foreign numbers (`+212 06…`), the 1 of Mexican
    ones (`+52 1…`), and overseas ones under the code that they were written with. Each of them
    normalises to `normal_phone(text)`, which is among them: none can be another phone's.
    """
    digits = _digits(text)
    number = _number(digits)
    normal, national = _e164(number), _national(number)
    code = number.country_code or 0
    region = phonenumbers.region_code_for_country_code(code)
    trunk = phonenumbers.ndd_prefix_for_region(region, True) or ""
    others = [f"+{code}{trunk}{national}"]
    if code in _FRENCH_CODES:
        others = [f"+{code}{national}" for code in _FRENCH_CODES]
        others.append(f"+33{_MIQUELON}{national}")
    if code == _MEXICO:
        others.append(f"+521{national}")
    forms = dict.fromkeys((_as_written(digits), normal, *others))
    return tuple(form for form in forms if _E164.fullmatch(form) and _is(form, normal))


def region_of(number: str) -> str:
    """The region of a number in E.164, as its ISO 3166-1 code: `RE`; empty where none is known."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except NumberParseException:
        return ""


def _digits(text: str) -> str:
    """ASCII digits and perhaps a `+` before them. Raises `phone_invalid`.

    Digits of any script count; the invisible marks that address books paste are removed.
    """
    if len(text) > _MAX_TEXT:
        raise _invalid()
    plain = "".join(map(_ascii_digit, unicodedata.normalize("NFKC", text)))
    digits = re.sub(r"[^+0-9]", "", plain)
    if not _WRITTEN.fullmatch(plain) or not digits.strip("+"):
        raise _invalid()
    return digits


def _ascii_digit(character: str) -> str:
    if unicodedata.category(character) == "Cf":
        return ""
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)


def _number(digits: str) -> PhoneNumber:
    """The number that these digits are. Raises `phone_invalid`."""
    if (mexican := _MEXICAN_MOBILE.fullmatch(digits)) is not None:
        digits = f"+{_MEXICO}{mexican[2]}"
    number = _parsed(digits)
    if number is not None and number.country_code in _FRENCH_CODES:
        number = None if _national(number).startswith("0") else _french(number)
    if number is not None and _is_possible(number):
        return number
    # `212 6 12 34 56 78`: a country code whose `+` was left out.
    if digits[0] not in "+0" and len(digits) >= _WITH_COUNTRY_CODE:
        number = _parsed(f"+{digits}")
        if number is not None and phonenumbers.is_valid_number(number):
            return number
    raise _invalid()


def _parsed(digits: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(digits, "FR")
    except NumberParseException:
        return None


def _is_possible(number: PhoneNumber) -> bool:
    """Whether its plan has numbers of this length, and its form gives the same number again."""
    written = _e164(number)
    return (
        phonenumbers.is_possible_number(number)
        and _E164.fullmatch(written) is not None
        and (phonenumbers.is_valid_number(number) or _parsed(written) == number)
    )


def _french(number: PhoneNumber) -> PhoneNumber:
    """The number of the national plan that has these digits, under its own country code."""
    national = _national(number)
    if len(national) == 9:
        national = national.removeprefix(_MIQUELON)
    for region in _FRENCH_REGIONS:
        code = phonenumbers.country_code_for_region(region)
        candidate = PhoneNumber(country_code=code, national_number=int(national))
        if phonenumbers.is_valid_number_for_region(candidate, region):
            return candidate
    # One that is given to nobody yet, or kept for fiction (06 39 98): written as a mainland one.
    mainland = PhoneNumber(country_code=33, national_number=int(national))
    return mainland if phonenumbers.is_possible_number(mainland) else number


def _as_written(digits: str) -> str:
    """The digits that were typed, under the country code that was typed."""
    if digits.startswith("00"):
        return "+" + digits[2:]
    return "+33" + digits[1:] if digits.startswith("0") else "+" + digits.lstrip("+")


def _is(form: str, normal: str) -> bool:
    try:
        return normal_phone(form) == normal
    except ServiceError:
        return False


def _national(number: PhoneNumber) -> str:
    return phonenumbers.national_significant_number(number)


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _invalid() -> ServiceError:
    return invalid("phone_invalid")
