"""Documents: deposit, retrieval, correction, deletion, previews, virus scans."""
