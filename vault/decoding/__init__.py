"""What a file really is, whether it opens, and the copy that a recipient may have."""
