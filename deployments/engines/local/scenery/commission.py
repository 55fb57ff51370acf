"""What a prompt asks the painter for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from PIL import ImageColor

from deployments.engines.local.words import PromptWords


class Scene(StrEnum):
    """What can be painted; the value is how the notes call it."""

    STUDIO = "a studio backdrop"
    OFFICE = "an office out of focus"
    MOUNTAINS = "mountains"
    LAKE = "a mountain lake"
    SEA = "the sea"
    BEACH = "a beach"
    CITY = "a city skyline at the water"
    STREET = "a city street"
    FOREST = "a forest"
    DESERT = "desert dunes"
    MEADOW = "a meadow among hills"
    WINTER = "a winter landscape"
    SPACE = "outer space"


class Time(StrEnum):
    """The time of day, which gives the light."""

    DAWN = "at dawn"
    MORNING = "in the morning"
    NOON = "at noon"
    SUNSET = "at sunset"
    NIGHT = "at night"


class Weather(StrEnum):
    """What the air holds; any number of them at once."""

    CLOUDS = "clouds"
    FOG = "fog"
    RAIN = "rain"
    SNOW = "snow"
    STARS = "stars"


@dataclass(frozen=True, slots=True)
class Commission:
    """A picture to paint. `time` is None where the prompt leaves it to the scene.

    `colours` are names that Pillow knows; the first is for the sky, the second for the land.
    """

    scene: Scene
    time: Time | None
    weather: frozenset[Weather]
    colours: tuple[str, ...]

    def __str__(self) -> str:
        """As the notes say it: "mountains at sunset, with fog, in teal and gold"."""
        parts = [f"{self.scene} {self.time}" if self.time else str(self.scene)]
        if self.weather:
            parts.append("with " + _listed(kind.value for kind in Weather if kind in self.weather))
        if self.colours:
            parts.append("in " + _listed(self.colours))
        return ", ".join(parts)


def commission(words: PromptWords) -> Commission:
    """Takes from `words` all that the painter understands.

    Colours come first, for "sea green" is one and "sea" is not meant. Where light or weather is asked for but no scene,
    it is painted over open land; where nothing is, a studio backdrop.
    """
    colours = words.take(_COLOUR_WORDS, most=_MOST_COLOURS)
    scene = _take_scene(words)
    time = next(iter(words.take(_TIME_WORDS, most=1)), None)
    weather = frozenset(words.take(_WEATHER_WORDS))
    if scene is None:
        scene = _open_land(weather) if time or weather else Scene.STUDIO
    return Commission(scene, time, weather, colours)


def _take_scene(words: PromptWords) -> Scene | None:
    """The scene that shows most of what is asked for, the first asked for among equals."""
    asked = words.find(_SCENE_WORDS)
    if not asked:
        return None
    scene = max(asked, key=lambda one: len(_SHOWS.get(one, frozenset({one})).intersection(asked)))
    shown = _SHOWS.get(scene, frozenset({scene}))
    words.take({word: meaning for word, meaning in _SCENE_WORDS.items() if meaning in shown})
    return scene


def _open_land(weather: frozenset[Weather]) -> Scene:
    return Scene.WINTER if Weather.SNOW in weather else Scene.MEADOW


def _listed(names: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last


_Meaning = TypeVar("_Meaning")


def _vocabulary(entries: Mapping[_Meaning, str]) -> dict[str, _Meaning]:
    return {word: meaning for meaning, words in entries.items() for word in words.split()}


_SHOWS: dict[Scene, frozenset[Scene]] = {
    Scene.LAKE: frozenset({Scene.LAKE, Scene.MOUNTAINS, Scene.FOREST}),
    Scene.BEACH: frozenset({Scene.BEACH, Scene.SEA}),
    Scene.MOUNTAINS: frozenset({Scene.MOUNTAINS, Scene.FOREST}),
    Scene.WINTER: frozenset({Scene.WINTER, Scene.MOUNTAINS, Scene.FOREST}),
    Scene.CITY: frozenset({Scene.CITY, Scene.SEA, Scene.LAKE}),
    Scene.STREET: frozenset({Scene.STREET, Scene.CITY}),
}
"""What stands in a scene besides itself."""

_SCENE_WORDS = _vocabulary(
    {
        Scene.STUDIO: "studio plain backdrop wall neutral minimal minimalist minimalistic simple portrait gradient",
        Scene.OFFICE: "office workplace boardroom corporate coworking meetingroom conferenceroom interior",
        Scene.MOUNTAINS: "mountain mountainous peak summit alp alpine hill hillside cliff canyon valley himalaya "
        "highland volcano",
        Scene.LAKE: "lake lakeside lakeshore river fjord pond reservoir",
        Scene.SEA: "sea ocean water wave bay coast coastal coastline harbour harbor marine nautical island horizon",
        Scene.BEACH: "beach seaside shore seashore tropical palm sand paradise caribbean hawaii lagoon",
        Scene.CITY: "city skyline skyscraper downtown metropolis urban town cityscape building tower manhattan "
        "cyberpunk synthwave newyork tokyo london rooftop",
        Scene.STREET: "street road avenue alley boulevard sidewalk",
        Scene.FOREST: "forest wood woodland jungle tree rainforest pine grove park",
        Scene.DESERT: "desert dune sahara savanna savannah oasis wasteland mars martian",
        Scene.MEADOW: "meadow field grass grassland prairie pasture countryside garden flower farm nature landscape "
        "outdoor spring wildflower",
        Scene.WINTER: "winter wintry arctic ice icy frozen tundra antarctic christmas polar frosty",
        Scene.SPACE: "space outerspace galaxy cosmos cosmic universe nebula planet planetary milkyway orbit astronaut "
        "interstellar galactic asteroid",
    }
)

_TIME_WORDS = _vocabulary(
    {
        Time.DAWN: "dawn sunrise daybreak earlymorning",
        Time.MORNING: "morning forenoon",
        Time.NOON: "noon day daytime midday afternoon daylight sunny sunlight sunlit bright sunshine sun",
        Time.SUNSET: "sunset evening dusk twilight sundown goldenhour nightfall",
        Time.NIGHT: "night nighttime midnight moon moonlight moonlit moonrise nocturnal dark",
    }
)

_WEATHER_WORDS = _vocabulary(
    {
        Weather.CLOUDS: "cloud cloudy overcast cloudscape",
        Weather.FOG: "fog foggy mist misty haze hazy",
        Weather.RAIN: "rain rainy raining drizzle storm stormy rainfall thunderstorm",
        Weather.SNOW: "snow snowy snowing snowfall blizzard snowflake",
        Weather.STARS: "star starry starlit starlight stargazing",
    }
)

_MOST_COLOURS = 2

_COLOUR_WORDS: dict[str, str] = {name: name for name in ImageColor.colormap if name != "snow"} | {
    "golden": "gold",
    "bluish": "blue",
    "greenish": "green",
    "reddish": "red",
    "pinkish": "pink",
    "lilac": "plum",
    "rose": "palevioletred",
    "amber": "orange",
    "emerald": "mediumseagreen",
    "ruby": "crimson",
    "scarlet": "crimson",
    "burgundy": "maroon",
    "mint": "aquamarine",
    "peach": "peachpuff",
    "cream": "cornsilk",
    "neon": "deeppink",
    "pastel": "thistle",
    "charcoal": "darkslategray",
}
