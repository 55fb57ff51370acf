"""A budget on real processes: it pays for ten pictures, whatever is killed, and however many are asked for at once."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.chaos.harness import Chaos, chaos
from tests.chaos.paid import PaidProvider

PICTURES = 10
SUBMISSIONS = 200
AT_ONCE = 50
ENDS = {"done", "budget_exceeded", "engine_outcome_unknown"}
VICTIMS = ("ray::TaskStatus", "ray::ServeReplica:aige:BackgroundGenerator", "ray::ServeReplica:aige:Ingress")


class WithBudget(PaidProvider):
    """Its pictures cost 0.10 each, and the budget is 1.00."""

    def __init__(self) -> None:
        super().__init__(latency_s=2)
        budget = {"prices": {"paid": 0.1}, "callers": {"default": {"spend_per_day": PICTURES * 0.1}}}
        self.settings = {**self.settings, **budget}


def test_a_budget_of_ten_pictures_pays_for_ten(tmp_path: Path) -> None:
    """200 submissions at once, and kills between and after them: never more than ten are charged, and none twice."""
    with chaos(tmp_path, WithBudget()) as service:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answering = [pool.submit(service.answered, f"background-{number}") for number in range(SUBMISSIONS)]
            for victim in VICTIMS:
                time.sleep(1)
                service.kill(victim)
            answers = [answer.result() for answer in answering]
        service.kill_everything()
        service.start()
        ends = Counter(_end(service, answer) for answer in answers)
        charges = service.provider.books()["charges"]
        print(f"{dict(ends)}; {sum(charges.values())} charged")
        assert set(ends) <= {*ENDS, "refused"}
        assert max(charges.values()) == 1
        assert ends["done"] <= sum(charges.values()) <= PICTURES
        assert sum(charges.values()) + ends["engine_outcome_unknown"] >= PICTURES
        refused = service.answered("background-one-more")
        assert _is_over_budget(refused), "a kill has given money back"


def _end(service: Chaos, answer: httpx.Response) -> str:
    """How the task ended that was submitted, or that it was refused."""
    if not answer.is_success:
        assert _is_over_budget(answer), answer.text
        return "refused"
    task = service.ended(answer.json()["aige_task_id"])
    error = task["error"]
    return str(error["code"]) if isinstance(error, dict) else "done"


def _is_over_budget(answer: httpx.Response) -> bool:
    is_refused = answer.status_code == httpx.codes.TOO_MANY_REQUESTS
    return is_refused and answer.json()["type"].endswith("budget-exceeded") and int(answer.headers["retry-after"]) > 0
