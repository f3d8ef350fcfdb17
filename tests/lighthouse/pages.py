"""The pages that `make lighthouse` measures, and whose they are."""

PAGES = (
    ("visitor", "/"),
    ("person", "/documents"),
    ("person", "/requests/{request_id}"),
    ("person", "/grants"),
    ("worker", "/pro/people"),
)
