"""What a browser may load, run and send (Content-Security-Policy), on pages and elsewhere."""

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:;"
    " media-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types unefois"
)
"""Nothing from elsewhere, nothing inline, and no text that becomes a program: the one policy of
Trusted Types gives the address of the service worker (`web/pages/static/script/worker.js`)."""
API_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
