"""The zones in which people are shown times: France's, overseas too. Pure.

Times are kept, and given to programs, in UTC.
"""

from typing import Literal, get_args
from zoneinfo import ZoneInfo

from base.phone_numbers import region_of

TimeZoneName = Literal[
    "Europe/Paris",
    "America/Guadeloupe",
    "America/Martinique",
    "America/Cayenne",
    "America/Miquelon",
    "Indian/Reunion",
    "Indian/Mayotte",
    "Pacific/Noumea",
    "Pacific/Tahiti",
    "Pacific/Wallis",
]
"""Names of the IANA database; words are only ever added."""
NAMES: tuple[TimeZoneName, ...] = get_args(TimeZoneName)
PARIS = ZoneInfo("Europe/Paris")
# Where a phone's number is from (ISO 3166-1), until its holder says otherwise.
_OF_REGIONS: dict[str, TimeZoneName] = {
    "GP": "America/Guadeloupe",
    "BL": "America/Guadeloupe",
    "MF": "America/Guadeloupe",
    "MQ": "America/Martinique",
    "GF": "America/Cayenne",
    "PM": "America/Miquelon",
    "RE": "Indian/Reunion",
    "YT": "Indian/Mayotte",
    "NC": "Pacific/Noumea",
    "PF": "Pacific/Tahiti",
    "WF": "Pacific/Wallis",
}


def zone_of(chosen: str | None, phone: str | None) -> ZoneInfo:
    """The zone that someone chose; without one, that of their phone (E.164); otherwise Paris's."""
    if chosen in NAMES:
        return ZoneInfo(chosen)
    return ZoneInfo(_OF_REGIONS.get(region_of(phone or ""), "Europe/Paris"))
