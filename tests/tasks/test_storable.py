from deployments.tasks.storable import storable


def test_a_lone_surrogate_becomes_a_question_mark() -> None:
    """JSON may hold one, and so may the name of a file. All else stays as it is."""
    assert storable("half \ud83d of 😀, Ünïcödé") == "half ? of 😀, Ünïcödé"
