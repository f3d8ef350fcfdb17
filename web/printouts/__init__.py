"""Printed pages, as PDF: a grant's receipt, the access log, a request, the sheet of a paper."""
