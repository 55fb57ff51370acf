"""What the models are told, around the caller's words, which stand in it as they were given."""


def portrait_prompt(words: str) -> str:
    return (
        "A portrait of the person in the given photos: the same person, recognisable by face, hair and build. "
        "One person, the whole head in view, before a plain, light background.\n"
        f"{words}"
    )


def background_prompt(words: str) -> str:
    return f"A background scene with nobody in it, free of text and frames.\n{words}"


def cut_out_prompt() -> str:
    """For models that cut out by an edit, and so have to be told."""
    return (
        "Cut the person out of this picture: nothing but the person, on a transparent background. Keep the person "
        "exactly as they are: face, identity, pose, clothes, position and size."
    )


def blend_prompt(words: str) -> str:
    return (
        "This picture is a person pasted on a background. Make it look like one photograph: match the person's light "
        "and colours to the scene, and add the shadows that the person casts. Keep all else exactly: the composition, "
        "the framing, and the person's face, identity, pose, clothes, position and size.\n"
        f"{words}"
    )
