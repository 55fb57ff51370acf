"""What a task's result says of its origin."""

from deployments.media.provenance.sources import DigitalSource, is_generative, strongest
from deployments.media.provenance.statement import Statement
from deployments.tasks.record import Operation
from deployments.tasks.work import Work


def statement_of(work: Work) -> Statement:
    """What the manifest of the finished work's picture says: nothing of its prompt, its URLs and its ids."""
    makers = tuple((maker.engine, maker.model) for maker in work.made_by)
    return Statement(str(work.job.operation), _source(work), makers, work.ingredients)


def _source(work: Work) -> DigitalSource:
    """Of an overlay, whether a generative model had a hand in it; else the strongest kind that an engine has made.

    A work that a former version began does not know the kinds: it is marked as a generative model's, to be safe.
    """
    if work.job.operation is not Operation.OVERLAY:
        return strongest(work.sources) or DigitalSource.TRAINED
    parts = any(ingredient.generative for ingredient in work.ingredients if ingredient.role == "componentOf")
    if parts or any(is_generative(source) for source in work.sources):
        return DigitalSource.COMPOSITE_WITH_TRAINED
    return DigitalSource.COMPOSITE
