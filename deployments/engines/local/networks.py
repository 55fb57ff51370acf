"""The two networks that come with the project, each loaded when first used and then shared by all threads."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import onnxruntime  # type: ignore[import-untyped]  # it ships none

from deployments.engines.local.pixels import Floats, Rgb

_MODELS = Path(__file__).with_name("models")


class Network:
    """A network that looks at one square picture; safe to run from several threads at once."""

    def __init__(self, file: str, darkest: float) -> None:
        """`darkest` is what black becomes; white is always 1."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # replicas share the machine: their number is the parallelism
        self._session = onnxruntime.InferenceSession(_MODELS / file, options, providers=["CPUExecutionProvider"])
        (self._input,) = self._session.get_inputs()
        self._darkest = darkest

    def run(self, picture: Rgb) -> list[Floats]:
        """The outputs for `picture`, which is stretched to the square that the network wants."""
        side = self._input.shape[-1]
        small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
        values = (small * (1.0 - self._darkest) + self._darkest).transpose(2, 0, 1)[np.newaxis]
        return [np.asarray(output) for output in self._session.run(None, {self._input.name: values})]


@cache
def face_detector() -> Network:
    return Network("face_detection.onnx", darkest=-1.0)


@cache
def person_segmenter() -> Network:
    return Network("selfie_segmentation.onnx", darkest=0.0)
