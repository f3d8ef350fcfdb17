"""From where a worker came to a page that several lead to, so that it leads back there. Pure."""

PERSON = "person"
"""From the page of a person."""


def came_from(said: str) -> str:
    """What an address or a form says of it; anything else counts as nothing."""
    return PERSON if said == PERSON else ""
