"""What a message tells the user to type works where they are."""

from scripts.command_lines import to_run, to_stop


def test_in_a_checkout_they_are_makes() -> None:
    """Which takes variables after its targets. The tests themselves run in a checkout."""
    assert (to_run(), to_stop()) == ("make run", "make stop")
    assert to_run(port=8001) == "make run PORT=8001"
    assert to_run(production=True, variables="A=1 B=2") == "make run PROFILE=production A=1 B=2"
    assert to_stop(variables="A=1") == "make stop A=1"


def test_installed_they_are_the_wheels() -> None:
    """Variables come before the command."""
    assert (to_run(in_checkout=False), to_stop(in_checkout=False)) == ("aige", "aige-stop")
    assert to_run(port=8001, in_checkout=False) == "aige --port 8001"
    installed = to_run(production=True, variables="A=1 B=2", in_checkout=False)
    assert installed == "A=1 B=2 aige --profile production"
    assert to_stop(variables="A=1", in_checkout=False) == "A=1 aige-stop"
