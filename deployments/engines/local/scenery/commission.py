"""What a prompt asks the painter for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from deployments.engines.local.scenery.colours import COLOURS, Colour
from deployments.engines.local.words import PICTURE_WORDS, Adjective, PromptWords, meaning_of


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


class Part(StrEnum):
    """What can have colours of its own; the value is how the notes call it."""

    PICTURE = "all of it"
    SKY = "sky"
    FLOWERS = "flowers"
    NEON = "neon lights"


@dataclass(frozen=True, slots=True)
class Commission:
    """A picture to paint. `time` is None where the prompt leaves it to the scene.

    `colours` are those of each part that the prompt gives some; neon lights are there without, too. Of the picture's,
    the first is for the sky, the last for the land.
    """

    scene: Scene
    time: Time | None
    weather: frozenset[Weather]
    colours: Mapping[Part, tuple[Colour, ...]]

    def __str__(self) -> str:
        """As the notes say it: "mountains at sunset, with fog, in teal and gold"."""
        parts = [f"{self.scene} {self.time}" if self.time else str(self.scene)]
        details = [kind.value for kind in Weather if kind in self.weather]
        details += [_named(part, self.colours[part]) for part in Part if part in self.colours and part != Part.PICTURE]
        if details:
            parts.append("with " + _listed(details))
        if Part.PICTURE in self.colours:
            parts.append("in " + _listed(colour.name for colour in self.colours[Part.PICTURE]))
        return ", ".join(parts)


def commission(words: PromptWords) -> Commission:
    """Takes from `words` all that the painter understands.

    Colours come before scenes, for "sea green" is one and "sea" is not meant, and the golden hour comes before colours.
    Where light or weather is asked for but no scene, it is painted over open land; where nothing is, a studio backdrop.
    """
    hours = words.take(_HOURS, most=1)
    adjectives = words.take_adjectives(COLOURS)
    neon = bool(words.find(_NEON_WORDS)) or any(map(_is_neon, adjectives))
    asked = _take_scene(words)
    time = next(iter(hours or words.take(_TIME_WORDS, most=1)), None)
    weather = frozenset(words.take(_WEATHER_WORDS))
    scene = asked or _implied_scene(words, neon, bool(time or weather), weather)
    shown = _parts_of(scene, neon)
    words.take({word: part for word, part in _PART_WORDS.items() if part in shown})
    colours: dict[Part, tuple[Colour, ...]] = {Part.NEON: ()} if Part.NEON in shown else {}
    otherwise = Part.PICTURE if asked is None and scene is Scene.STUDIO else None  # there is nothing else to colour
    for adjective in adjectives:
        part = _described(adjective.noun, scene, shown) or otherwise
        so_far = colours.get(part, ()) if part else ()
        if part and len(so_far) < _MOST_COLOURS[part]:
            colours[part] = tuple(dict.fromkeys((*so_far, adjective.meaning)))
        elif adjective.meaning not in so_far:
            words.give_back(adjective)
    if any(meaning_of(adjective.noun, _TONE_WORDS) for adjective in adjectives):
        words.take(_TONE_WORDS)
    return Commission(scene, time, weather, colours)


def _take_scene(words: PromptWords) -> Scene | None:
    """The scene that shows most of what is asked for, the first asked for among equals."""
    asked = words.find(_SCENE_WORDS)
    if not asked:
        return None
    scene = max(asked, key=lambda one: len(_shown_in(one).intersection(asked)))
    words.take({word: meaning for word, meaning in _SCENE_WORDS.items() if meaning in _shown_in(scene)})
    return scene


def _implied_scene(words: PromptWords, neon: bool, lit: bool, weather: frozenset[Weather]) -> Scene:
    """Where no scene is asked for; `lit`: whether light or weather is."""
    if neon and (lit or words.find(_SIGN_WORDS)):
        return Scene.STREET
    if lit or words.find(_SKY_WORDS):
        return Scene.WINTER if Weather.SNOW in weather else Scene.MEADOW
    return Scene.STUDIO


def _parts_of(scene: Scene, neon: bool) -> frozenset[Part]:
    """The parts of `scene` that can have colours of their own."""
    parts = {Part.SKY} if scene not in _SKYLESS else set()
    if scene is Scene.MEADOW:
        parts.add(Part.FLOWERS)
    if neon and scene in _WITH_NEON:
        parts.add(Part.NEON)
    return frozenset(parts)


def _described(noun: str, scene: Scene, shown: frozenset[Part]) -> Part | None:
    """What a colour before `noun` is the colour of: a part, the picture, or a thing that nobody paints.

    So "a red umbrella" paints no beach red, "white clouds" no sky white, and "neon signs" no street pink.
    """
    part = meaning_of(noun, _PART_WORDS)
    if part in shown:
        return part
    if not noun or noun in PICTURE_WORDS or meaning_of(noun, _TONE_WORDS) is not None:
        return Part.PICTURE
    if part is not None or meaning_of(noun, _THINGS) is not None:
        return None
    time, weather = meaning_of(noun, _TIME_WORDS), meaning_of(noun, _WEATHER_WORDS)
    return Part.PICTURE if time or weather or meaning_of(noun, _SCENE_WORDS) in _shown_in(scene) else None


def _is_neon(adjective: Adjective[Colour]) -> bool:
    """ "Neon pink" is a colour; before "signs" or "lights", it asks for neon."""
    return adjective.meaning.name.startswith("neon ") and meaning_of(adjective.noun, _PART_WORDS) is Part.NEON


def _shown_in(scene: Scene) -> frozenset[Scene]:
    return _SHOWS.get(scene, frozenset({scene}))


def _named(part: Part, colours: tuple[Colour, ...]) -> str:
    """ "a pink sky", "red and white flowers", "neon lights"."""
    if not colours:
        return part.value
    named = f"{_listed(colour.name.removeprefix('neon ') for colour in colours)} {part}"
    if part is not Part.SKY:
        return named
    return f"{'an' if named[0] in 'aeiou' else 'a'} {named}"


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

_HOURS = {"goldenhour": Time.SUNSET, "bluehour": Time.SUNSET}

_TIME_WORDS = _vocabulary(
    {
        Time.DAWN: "dawn sunrise daybreak earlymorning",
        Time.MORNING: "morning forenoon",
        Time.NOON: "noon day daytime midday afternoon daylight sunny sunlight sunlit bright sunshine sun",
        Time.SUNSET: "sunset evening dusk twilight sundown nightfall",
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

_SKY_WORDS = {"sky": Part.SKY}
_NEON_WORDS = _vocabulary({Part.NEON: "neon neonlight neonsign neonlit cyberpunk synthwave vaporwave"})
_SIGN_WORDS = _vocabulary({Part.NEON: "sign signage billboard"})
_PART_WORDS = {
    **_SKY_WORDS,
    **_NEON_WORDS,
    **_SIGN_WORDS,
    **_vocabulary(
        {
            Part.FLOWERS: "flower wildflower blossom bloom poppy tulip daisy sunflower",
            Part.NEON: "light glow lamp lantern",
        }
    ),
}
"""What a colour may describe, and what has it then."""

_TONE_WORDS = _vocabulary(
    {
        Part.PICTURE: "light lighting lit glow glowing tone toned tint tinted hue shade colour color coloured colored "
        "palette mood vibe theme style aesthetic atmosphere haze painted bathed wallpaper photo photograph photography "
        "painting illustration landscape nature outdoor"
    }
)
"""Nouns that mean the whole picture."""

_THINGS = _vocabulary(
    {
        "thing": "palm tree pine tower building skyscraper rooftop wave island cloud star moon sun planet asteroid "
        "astronaut"
    }
)
"""What stands in a scene and keeps its own colours there."""

_SKYLESS = frozenset({Scene.STUDIO, Scene.OFFICE, Scene.SPACE})

_WITH_NEON = frozenset({Scene.STUDIO, Scene.STREET, Scene.CITY})

_MOST_COLOURS = {Part.PICTURE: 2, Part.SKY: 1, Part.FLOWERS: 3, Part.NEON: 3}
