"""Every metric of AIGE's own. Prometheus shows each with `ray_` before its name; docs/operations.md explains them all.

A metric is declared here, and opened in each process that counts with it: Ray Serve then adds the deployment, the
replica and the application as tags.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ray.serve import metrics

FAST_SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
STEP_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300)
TASK_SECONDS = (0.1, 0.3, 1, 3, 10, 30, 60, 120, 300, 600, 900)


@dataclass(frozen=True)
class Metric:
    """A name, a sentence, and the tags that each of its values has."""

    name: str
    description: str
    tags: tuple[str, ...] = ()


class Counter(Metric):
    """Only grows."""

    def opened(self) -> "OpenCounter":
        return OpenCounter(self)


class Gauge(Metric):
    """Goes up and down."""

    def opened(self) -> "OpenGauge":
        return OpenGauge(self)


@dataclass(frozen=True)
class Histogram(Metric):
    """Counts values up to each of `boundaries`."""

    boundaries: Sequence[float] = STEP_SECONDS

    def opened(self) -> "OpenHistogram":
        return OpenHistogram(self)


class OpenCounter:
    """A counter in this process."""

    def __init__(self, metric: Counter) -> None:
        self._counter = metrics.Counter(metric.name, metric.description, _keys(metric))

    def add(self, value: float = 1, /, **tags: str) -> None:
        """Adds `value`; Ray refuses to add nothing, so nothing is done then."""
        if value > 0:
            self._counter.inc(value, tags)


class OpenGauge:
    """A gauge in this process."""

    def __init__(self, metric: Gauge) -> None:
        self._gauge = metrics.Gauge(metric.name, metric.description, _keys(metric))

    def set(self, value: float, /, **tags: str) -> None:
        self._gauge.set(value, tags)


class OpenHistogram:
    """A histogram in this process."""

    def __init__(self, metric: Histogram) -> None:
        self._histogram = metrics.Histogram(metric.name, metric.description, list(metric.boundaries), _keys(metric))

    def observe(self, value: float, /, **tags: str) -> None:
        self._histogram.observe(value, tags)


def _keys(metric: Metric) -> tuple[str]:
    return metric.tags  # type: ignore[return-value]  # Ray types it as a tuple of one, and takes many


# TaskStatus
TASKS = Counter(
    "aige_tasks_total",
    "Tasks that have ended, by outcome: done, or the error's code.",
    ("operation", "outcome", "caller"),
)
TASK = Histogram(
    "aige_task_seconds", "Seconds from a task's acceptance to its end.", ("operation", "outcome"), TASK_SECONDS
)
TASKS_IN_FLIGHT = Gauge("aige_tasks_in_flight", "Tasks that have not ended, by status.", ("status",))
TASKS_OLDER = Gauge(
    "aige_tasks_older_than", "Tasks that were accepted more than so many seconds ago and have not ended.", ("seconds",)
)
OLDEST_TASK = Gauge("aige_oldest_task_seconds", "The age of the oldest task that has not ended; 0 if there is none.")
ATTEMPTS_LOST = Counter(
    "aige_attempts_lost_total", "Attempts at a task that a lost process has ended.", ("operation", "status")
)
JOURNAL = Histogram(
    "aige_journal_seconds",
    "Seconds that the journal took: for a write, until it is durable.",
    ("action",),
    FAST_SECONDS,
)
JOURNAL_FAILURES = Counter("aige_journal_failures_total", "Reads and writes that the journal failed.", ("action",))
JOURNAL_LEASE = Gauge(
    "aige_journal_lease_seconds",
    "For how many seconds TaskStatus may still answer, by its lease on a journal on a server; 0 while it stands by.",
)
JOURNAL_EPOCH = Gauge(
    "aige_journal_epoch", "How often the journal on a server has been taken, by the TaskStatus that owns it."
)
WEBHOOK_TRIES = Counter(
    "aige_webhook_tries_total", "Tries of webhooks, by what follows: delivered, retried, given_up.", ("outcome",)
)
WEBHOOKS_WAITING = Gauge("aige_webhooks_waiting", "Webhooks that wait for a try, or are being tried.")
CALLER_TASKS = Gauge("aige_caller_tasks_in_flight", "Tasks of each caller that have not ended.", ("caller",))
CALLER_REFUSALS = Counter(
    "aige_submissions_refused_total", "Submissions that were answered 429, by the limit reached.", ("caller", "limit")
)
SPENT = Counter("aige_spent_total", "Money that providers have billed.", ("caller", "model"))
CALLER_SPENT = Gauge(
    "aige_caller_spent", "Money spent or reserved within 24 hours, by callers with a budget.", ("caller",)
)

# Ingress
REFUSALS = Counter("aige_refusals_total", "Requests that were refused, by reason.", ("reason",))
MIRROR_LAG = Gauge("aige_mirror_lag_seconds", "Seconds since an Ingress replica last heard from TaskStatus.")

# Stages
STEP = Histogram("aige_step_seconds", "Seconds that a stage took for a step, by its outcome.", ("step", "outcome"))
BILLED = Counter(
    "aige_billed_units_total",
    "What providers say that they have billed, in their own units.",
    ("step", "engine", "model"),
)
MADE = Counter("aige_steps_made_total", "Steps that engines did.", ("step", "engine", "model"))
PASSED_OVER = Counter(
    "aige_engines_passed_over_total",
    "How often an engine did not take a step's work, and another one was asked.",
    ("verb", "engine"),
)
LEFT_OUT = Gauge(
    "aige_engine_left_out",
    "1 while an engine is left out, since it has failed several times in a row.",
    ("verb", "engine"),
)

METRICS: tuple[Metric, ...] = tuple(value for value in vars().values() if isinstance(value, Metric))
