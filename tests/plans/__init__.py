"""Every statement of the `records` files is planned on a filled database."""
