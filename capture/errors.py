"""The error that a user can mend."""


class UserError(ValueError):
    """What a user wrote can't be used; the message says what, where, and what would be right."""
