"""The two networks that come with the project."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

import deployments.engines.local
from deployments.engines.local.networks import face_detector, person_segmenter

MODELS = Path(deployments.engines.local.__file__).with_name("models")


@pytest.mark.parametrize("file", ["face_detection.onnx", "selfie_segmentation.onnx"])
def test_models_are_those_of_the_notice(file: str) -> None:
    """Each network is, to the byte, the one whose origin and licence the notice states."""
    notice = (MODELS / "NOTICE").read_text()
    stated = re.search(rf"file +{re.escape(file)}\n.*\nsha256 +(\w+)", notice)
    assert stated is not None
    assert stated[1] == hashlib.sha256((MODELS / file).read_bytes()).hexdigest()


def test_networks_take_any_size() -> None:
    """Pictures of every shape are stretched to what a network wants."""
    for height, width in ((1, 1), (3, 700), (600, 2)):
        picture = np.zeros((height, width, 3), np.uint8)
        assert [output.shape for output in person_segmenter().run(picture)] == [(1, 1, 256, 256)]
        assert [output.shape for output in face_detector().run(picture)] == [(1, 896, 16), (1, 896, 1)]


def test_networks_are_loaded_once() -> None:
    """Every caller gets the same network."""
    assert face_detector() is face_detector()
