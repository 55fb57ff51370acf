"""Text from outside, as a journal and an answer can hold it."""


def storable(text: str) -> str:
    """The text without lone surrogates, which UTF-8 cannot hold: each becomes a question mark."""
    return text.encode(errors="replace").decode()
