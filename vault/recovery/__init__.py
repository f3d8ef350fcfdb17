"""A vault that is opened again for who lost every means of it, by people who see them; and stopped,
where it is not them.
"""
