"""The colours of a picture: one light per time of day, bent by the weather and towards the colours asked for."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from PIL import ImageColor

from deployments.engines.local.scenery.colours import as_neon
from deployments.engines.local.scenery.commission import Commission, Part, Scene, Time, Weather
from deployments.engines.local.scenery.fields import Array, channels, mix

_LOW = 0.3


def rgb(name: str) -> Array:
    """A CSS colour, "teal" or "#008080", shape (3,)."""
    return np.array(ImageColor.getrgb(name)[:3], np.float32) / 255


@dataclass(frozen=True, slots=True)
class Palette:
    """The light of a scene. Shares are 0..1."""

    sky: Array
    """From the zenith to the horizon, shape (stops, 3)."""
    haze: Array
    """What distance fades into."""
    tint: Array
    """The colour of the light: local colours are multiplied by it."""
    glow: Array
    """The sun or the moon."""
    elevation: float
    """How high it stands: the share of the way from the horizon to the zenith."""
    darkness: float
    """Share of the windows and lamps that are lit; with it the contrast of what is unlit."""
    stars: float = 0.0
    clouds: float = 0.35
    snow: float = 0.0
    """How white the ground is."""
    land: Array | None = None
    """The colour asked for, for what is not sky."""
    flowers: tuple[Array, ...] = ()
    """The colours asked for."""
    neon: tuple[Array, ...] = ()
    """The colours of neon lights; empty where there are none."""

    def tinted(self, local: Array) -> Array:
        """`local` bent towards the colour that is asked for."""
        return _towards(local, self.land, 0.75)

    def lit(self, local: Array) -> Array:
        """`local` in this light, close by."""
        return np.asarray(self.tinted(local) * self.tint, np.float32)

    def seen(self, local: Array, distance: float) -> Array:
        """`local` in this light through `distance` (share) of air."""
        return mix(self.lit(local), self.haze, distance)

    def dusted(self, local: Array) -> Array:
        """`local` of what stands upright, on which little snow stays."""
        return mix(local, rgb("#eef3fa"), 0.3 * self.snow)

    def ground(self, local: Array) -> Array:
        """`local` as far as snow leaves it bare."""
        return mix(local, rgb("#eef3fa"), self.snow)

    @property
    def low_sun(self) -> bool:
        return self.elevation < _LOW

    @property
    def moonlit(self) -> bool:
        return self.stars > 0


def palette(commission: Commission) -> Palette:
    """The light that `commission` asks for."""
    light = _weathered(_LIGHTS[commission.time or _usual_time(commission)], commission.weather)
    whole, sky, flowers = (_asked(commission, part) for part in (Part.PICTURE, Part.SKY, Part.FLOWERS))
    neon = tuple(rgb(as_neon(colour).css) for colour in commission.colours.get(Part.NEON, ()))
    if Part.NEON in commission.colours:
        light = replace(light, neon=neon or _NEON)
    above = (*sky, *whole, None)[0]
    below = (None, *whole)[-1]
    return _steered(replace(light, flowers=flowers), above, below)


def _asked(commission: Commission, part: Part) -> tuple[Array, ...]:
    return tuple(rgb(colour.css) for colour in commission.colours.get(part, ()))


def _usual_time(commission: Commission) -> Time:
    if Weather.STARS in commission.weather or Part.NEON in commission.colours:
        return Time.NIGHT
    return _USUAL_TIME.get(commission.scene, Time.NOON)


def gradient(stops: Array, count: int) -> Array:
    """`count` colours from the first of `stops` to the last, even steps in Lab; shape (count, 3)."""
    lab = _to_lab(stops)
    at = np.linspace(0, len(stops) - 1, count)
    columns = [np.interp(at, np.arange(len(stops)), lab[:, channel]) for channel in range(3)]
    return _from_lab(np.stack(columns, axis=1).astype(np.float32))


def _weathered(light: Palette, weather: frozenset[Weather]) -> Palette:
    if Weather.CLOUDS in weather:
        light = replace(light, clouds=0.75)
    if Weather.STARS in weather:
        light = replace(light, stars=1.0, clouds=min(light.clouds, 0.15))
    if Weather.SNOW in weather:
        light = _overcast(replace(light, snow=0.92), 0.35)
    if Weather.FOG in weather:
        light = _overcast(light, 0.35)
    if Weather.RAIN in weather:
        light = _overcast(replace(light, clouds=0.95), 0.6)
        light = replace(light, sky=light.sky * 0.8, haze=light.haze * 0.8, tint=light.tint * 0.85)
    return light


def _overcast(light: Palette, share: float) -> Palette:
    """The same light through grey: less colour above and below, a fainter sun."""
    return replace(
        light,
        sky=_greyer(light.sky, share),
        haze=_greyer(light.haze[None], share)[0],
        tint=_greyer(light.tint[None], share)[0],
        glow=mix(light.glow, light.haze, share),
    )


def _greyer(colours: Array, share: float) -> Array:
    return mix(colours, colours.mean(axis=1, keepdims=True) * channels(0.97, 1.0, 1.04), share)


def _steered(light: Palette, above: Array | None, below: Array | None) -> Palette:
    return replace(
        light,
        sky=_towards(light.sky, above, 0.8),
        haze=_towards(light.haze, above, 0.75),
        tint=_towards(light.tint, below, 0.35),
        glow=_towards(light.glow, above, 0.3),
        land=below,
    )


def _towards(colours: Array, accent: Array | None, share: float) -> Array:
    """Moves the hue of `colours` (..., 3) towards `accent` by `share`, and their lightness by a quarter of that."""
    if accent is None:
        return colours
    lab, aim = _to_lab(colours.reshape(-1, 3)), _to_lab(accent[None])[0]
    steered = lab + (aim - lab) * channels(share / 4, share, share)
    return _from_lab(steered).reshape(colours.shape)


def _to_lab(colours: Array) -> Array:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(colours[:, None]), cv2.COLOR_RGB2Lab)[:, 0], np.float32)


def _from_lab(lab: Array) -> Array:
    rgb_ = cv2.cvtColor(np.ascontiguousarray(lab[:, None], np.float32), cv2.COLOR_Lab2RGB)[:, 0]
    return np.clip(rgb_, 0, 1).astype(np.float32)


def _stops(*names: str) -> Array:
    return np.stack([rgb(name) for name in names])


_NEON = tuple(rgb(name) for name in ("#ff3d9a", "#2bd4ff", "#ffc23d", "#a26bff", "#46f0a0"))
"""Where the prompt names no colours for them."""

_USUAL_TIME = {
    Scene.SPACE: Time.NIGHT,
    Scene.MOUNTAINS: Time.MORNING,
    Scene.FOREST: Time.MORNING,
    Scene.CITY: Time.SUNSET,
}

_LIGHTS = {
    Time.DAWN: Palette(
        sky=_stops("#33437a", "#6c6aa6", "#b98ab0", "#efb0a3", "#fbd7ae", "#fdeccb"),
        haze=rgb("#e9bdb0"),
        tint=channels(0.76, 0.62, 0.74),
        glow=rgb("#fff1cf"),
        elevation=0.09,
        darkness=0.45,
        clouds=0.4,
    ),
    Time.MORNING: Palette(
        sky=_stops("#4b97d2", "#7fbfe6", "#b3dcee", "#e0eee6", "#fbeccb"),
        haze=rgb("#d3e3e2"),
        tint=channels(1.0, 0.95, 0.86),
        glow=rgb("#fff6d8"),
        elevation=0.42,
        darkness=0.08,
        clouds=0.42,
    ),
    Time.NOON: Palette(
        sky=_stops("#1f6fc4", "#3f93dc", "#74b8ec", "#acd8f4", "#def0f8"),
        haze=rgb("#bfdcf0"),
        tint=channels(1.0, 1.0, 0.98),
        glow=rgb("#fffdf0"),
        elevation=0.8,
        darkness=0.0,
        clouds=0.45,
    ),
    Time.SUNSET: Palette(
        sky=_stops("#1f1a4b", "#4a2a78", "#93357f", "#d9506f", "#f98a55", "#ffbf63", "#ffe09a"),
        haze=rgb("#e0706a"),
        tint=channels(0.66, 0.42, 0.52),
        glow=rgb("#fff0b8"),
        elevation=0.12,
        darkness=0.6,
        clouds=0.45,
    ),
    Time.NIGHT: Palette(
        sky=_stops("#040818", "#0a1432", "#142552", "#234176", "#3f6a9c"),
        haze=rgb("#2f5384"),
        tint=channels(0.25, 0.32, 0.5),
        glow=rgb("#f4f1df"),
        elevation=0.62,
        darkness=1.0,
        stars=0.8,
        clouds=0.25,
    ),
}
