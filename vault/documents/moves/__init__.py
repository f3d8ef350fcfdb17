"""The papers of a vault that ends in another one."""
