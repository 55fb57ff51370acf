import gc

from deployments.runtime import garbage


def test_garbage_is_searched_for_less_often_than_python_does() -> None:
    before = gc.get_threshold()
    try:
        garbage.search_less_often()
        assert gc.get_threshold() == (garbage.NEW_OBJECTS, *before[1:])
        assert before[0] < garbage.NEW_OBJECTS
    finally:
        gc.set_threshold(*before)
