"""What a body may hold: a field that is wrong by itself is a 400 that names it."""

import json
from collections.abc import Mapping

import httpx
import pytest

from tests.api.in_process import InProcess
from tests.api.requests import NOT_TEXT, OVERLAY, PNG, REFUSED, ROUTES, params, refused_field, send


@pytest.mark.parametrize("route", ROUTES)
async def test_null_and_unknown_fields_are_harmless(client: httpx.AsyncClient, route: str) -> None:
    """`null` for an optional field counts as absent; fields that nobody knows are ignored."""
    assert (await send(client, route, aspect_ratio=None, nobody="knows")).is_success


WRONG: list[tuple[str, Mapping[str, object]]] = [
    *[(route, {field: bad}) for route in ROUTES for field in ("prompt", "avatar_id") for bad in NOT_TEXT],
    *[(route, {"prompt": bad}) for route in ROUTES for bad in ("", " \n\t", "x" * 4001, "a\0b", "\ud800")],
    *[
        (route, {"avatar_id": bad})
        for route in ROUTES
        for bad in ("", "x" * 129, "a/b", "a\nb", "a\0b", "b\x85", ".", "..")
    ],
    *[(route, {field: bad}) for route in ROUTES for field in ("writeUrl", "readUrl") for bad in NOT_TEXT],
    *[(route, {"aspect_ratio": bad}) for route in ROUTES for bad in ("2:1", "", 1, "square hd", ["1:1"])],
    ("overlay", {"aspect_ratio": "1:1"}),
    ("avatar", {"aspect_ratio": "square"}),
    *[("avatar", {"source_images": bad}) for bad in ([], [PNG] * 9, PNG, None, ..., [None], [7], [[PNG]])],
]


@REFUSED
@pytest.mark.parametrize(("route", "change"), WRONG)
async def test_a_wrong_field_is_a_400_that_names_it(
    shared_client: httpx.AsyncClient, shared_backend: InProcess, route: str, change: Mapping[str, object]
) -> None:
    """A problem document whose `errors` point at the field; nothing is started."""
    assert (await refused_field(shared_client, route, change))[:2] == ["body", next(iter(change))]
    assert shared_backend.works == []


NO_NUMBER: list[object] = ["1", True, None, [1], {}]


@REFUSED
@pytest.mark.parametrize(
    "wrong",
    [
        *[params(**{field: bad}) for field in ("x", "y", "scale") for bad in NO_NUMBER],
        *[params(scale=bad) for bad in (0, -1, 20.0001)],
        *[params(**{field: None}) for field in ("person", "background")],
        {},
        None,
        [],
        {**params(), "position": None},
    ],
)
async def test_a_wrong_place_is_a_400_that_names_it(shared_client: httpx.AsyncClient, wrong: object) -> None:
    """Numbers are strict: neither quoted nor boolean."""
    assert (await refused_field(shared_client, "overlay", {"params": wrong}))[:2] == ["body", "params"]


@REFUSED
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400])
async def test_numbers_are_finite(shared_client: httpx.AsyncClient, number: str) -> None:
    """JSON has no word for these, but many parsers take them."""
    body = json.dumps(OVERLAY).replace("-20.5", number)
    answer = await shared_client.put(ROUTES["overlay"][1], content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


@pytest.mark.parametrize("place", [params(x=-1e300, y=1e300), params(scale=20), params(x=0, y=0, scale=1e-300)])
async def test_extreme_places_are_fine(client: httpx.AsyncClient, place: dict[str, object]) -> None:
    """A person may lie past every edge."""
    assert (await send(client, "overlay", params=place)).status_code == 200
