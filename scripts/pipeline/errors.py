"""The one exception for bad input: its message is all that the person at the terminal sees."""


class InputError(ValueError):
    """Input that cannot be used. The message names what was expected, what was found, where,
    and what to do about it; a program prints it as one line and ends with status 1."""
