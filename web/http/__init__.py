"""HTTP code that the API and the pages share: middleware, problems, uploads, downloads, ranges."""
