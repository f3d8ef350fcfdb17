"""What a caller would rather have of several forms of one answer: `Accept` (RFC 9110 §12.5.1)."""

from web.i18n.translations import quality_of


def prefers(accept: str, media_type: str) -> bool:
    """Whether an `Accept` wants a media type more than JSON: it names it. Whoever takes anything
    gets JSON."""
    weights: dict[str, float] = {}
    for item in accept.split(",")[:20]:
        kind, _, parameters = item.partition(";")
        weights[kind.strip().lower()] = quality_of(parameters)
    ranges = ("application/json", "application/*", "*/*")
    json = next((weights[one] for one in ranges if one in weights), 0.0)
    return weights.get(media_type, 0.0) > json
