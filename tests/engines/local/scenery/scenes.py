"""Each scene, by how the notes call it, with words that ask for it."""

SCENES = {
    "a studio backdrop": ["studio", "plain wall"],
    "an office out of focus": ["office", "a boardroom"],
    "mountains": ["mountain", "rocky peaks", "the Alps", "forest and mountains"],
    "a mountain lake": ["lake", "mountains and a lake", "rivers"],
    "the sea": ["sea", "oceans"],
    "a beach": ["beach", "beaches by the ocean", "tropical palms"],
    "a city skyline at the water": ["city", "cities", "skyline", "New York", "a city by the sea"],
    "a city street": ["street", "a street in the city", "avenues"],
    "a forest": ["forest", "woods", "trees"],
    "desert dunes": ["desert", "dunes"],
    "a meadow among hills": ["meadow", "wheat fields", "gardens"],
    "a winter landscape": ["winter", "arctic", "snow"],
    "outer space": ["space", "galaxies", "the Milky Way"],
}
