"""`make lighthouse`: the main pages of a demo, measured as Lighthouse does."""
