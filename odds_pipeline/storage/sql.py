"""SQL text for statements that take no parameters, such as ``ATTACH``."""


def quoted(text: object) -> str:
    """``text``, a path for example, as an SQL string."""
    return "'" + str(text).replace("'", "''") + "'"
