"""What the API and the pages share of HTTP: middleware, problems, uploads, downloads, ranges."""
