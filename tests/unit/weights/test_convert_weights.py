"""tools/convert_weights: both formats, names, and everything that it must refuse.

Run by CTest; python3 -m unittest works as well with BCX_SOURCE_DIR set.
"""
import contextlib
import importlib.machinery
import importlib.util
import io
import itertools
import json
import os
import pathlib
import pickle
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile
from collections import OrderedDict

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = pathlib.Path(os.environ.get("BCX_SOURCE_DIR", HERE.parents[2]))
SHARED = pathlib.Path(os.environ.get("BCX_SHARED", SOURCE.parent / "shared"))
SCRIPT = SOURCE / "tools" / "convert_weights"
sys.path.insert(0, str(HERE))
import checkpoints as make

loader = importlib.machinery.SourceFileLoader("convert_weights", str(SCRIPT))
convert_weights = importlib.util.module_from_spec(importlib.util.spec_from_loader("convert_weights", loader))
loader.exec_module(convert_weights)


def read_safetensors(path):
    data = pathlib.Path(path).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    body = data[8 + length :]
    return metadata, {name: (facts["dtype"], facts["shape"], body[slice(*facts["data_offsets"])])
                      for name, facts in header.items()}


class Converted(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.input, self.output = (os.path.join(self.folder.name, n) for n in ("in.pth", "out.safetensors"))

    def run_script(self, checkpoint, *options):
        """Exit status and standard error of the script, in this process: a hundred new ones take seconds."""
        pathlib.Path(self.input).write_bytes(checkpoint)
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            status = convert_weights.main([self.input, self.output, *options])
        return status, said.getvalue()

    def convert(self, checkpoint, *options):
        status, said = self.run_script(checkpoint, *options)
        self.assertEqual(status, 0, said)
        return read_safetensors(self.output)

    def assert_refused(self, checkpoint, message, *options):
        self.assertEqual(self.run_script(checkpoint, *options),
                         (1, f"convert_weights: {self.input}: {message}\n"))
        self.assertEqual(os.listdir(self.folder.name), ["in.pth"])


class Formats(Converted):
    def example(self):
        weight = make.storage("0", "f", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        count = make.storage("1", "q", [7])
        flag = make.storage("2", "?", [True, False])
        value = OrderedDict(weight=make.tensor(weight, [2, 3]), count=make.tensor(count, []),
                            flag=make.tensor(flag, [2]), part=make.tensor(weight, [2], offset=3))
        return value, [weight, count, flag]

    EXPECTED = {"weight": ("F32", [2, 3], struct.pack("<6f", 1, 2, 3, 4, 5, 6)),
                "count": ("I64", [], struct.pack("<q", 7)), "flag": ("BOOL", [2], b"\x01\x00"),
                "part": ("F32", [2], struct.pack("<2f", 4, 5))}

    def test_zip(self):
        metadata, tensors = self.convert(make.zip_checkpoint(*self.example()), "--metadata", "licence=MIT=x")
        self.assertEqual(tensors, self.EXPECTED)
        self.assertEqual(list(tensors), ["count", "weight", "part", "flag"])  # largest type first
        self.assertEqual((metadata["format"], metadata["licence"]), ("pt", "MIT=x"))

    def test_legacy(self):
        self.assertEqual(self.convert(make.legacy_checkpoint(*self.example()))[1], self.EXPECTED)

    def test_as_a_program(self):
        pathlib.Path(self.input).write_bytes(make.zip_checkpoint(*self.example()))
        result = subprocess.run([sys.executable, "-I", str(SCRIPT), self.input, self.output], capture_output=True,
                                text=True)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", "4 tensors written\n"))
        self.assertEqual(read_safetensors(self.output)[1], self.EXPECTED)

    def test_same_input_same_bytes(self):
        self.convert(make.zip_checkpoint(*self.example()))
        first = pathlib.Path(self.output).read_bytes()
        self.convert(make.zip_checkpoint(*self.example()))
        self.assertEqual(pathlib.Path(self.output).read_bytes(), first)

    def test_parameters_versions_and_wrapping(self):
        held = make.storage("0", "f", [1.5])
        state = make.Call(OrderedDict, [("p", make.Call(make.utils._rebuild_parameter, make.tensor(held, [1]), True,
                                                        OrderedDict()))], state={"_metadata": {"": {"version": 1}}})
        _, tensors = self.convert(make.zip_checkpoint({"state_dict": state, "epoch": 3}, [held]))
        self.assertEqual(tensors, {"p": ("F32", [1], struct.pack("<f", 1.5))})

    def test_a_member_of_a_wheel(self):
        wheel = io.BytesIO()
        with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("pkg/w.pth", make.legacy_checkpoint(*self.example()))
        self.assertEqual(self.convert(wheel.getvalue(), "--member", "pkg/w.pth")[1], self.EXPECTED)

    def test_strides_against_brute_force(self):
        draw = random.Random(7)
        for _ in range(60):
            shape = [draw.randint(1, 5) for _ in range(draw.randint(1, 4))]
            order = draw.sample(range(len(shape)), len(shape))
            strides, step = [0] * len(shape), draw.randint(1, 2)
            for dimension in order:
                strides[dimension] = step
                step *= shape[dimension]
            offset = draw.randint(0, 3)
            values = list(range(offset + step))
            held = make.storage("0", "i", values)
            expected = [values[offset + sum(i * s for i, s in zip(index, strides))]
                        for index in itertools.product(*map(range, shape))]
            value = make.dumps({"t": make.tensor(held, shape, strides, offset)})
            read = convert_weights.read_checkpoint(make.zip_checkpoint(value, [held]))["t"]
            self.assertEqual(list(read.data().cast("i")), expected, (shape, strides))


class Names(Converted):
    def renamed(self, names, *options):
        held = make.storage("0", "f", [1.0])
        value = OrderedDict((name, make.tensor(held, [1])) for name in names)
        return list(self.convert(make.zip_checkpoint(value, [held], {"padding": bytes(1000)}), *options)[1])

    def test_old_densenet(self):
        old = ["features.conv0.weight", "features.denseblock1.denselayer12.norm.1.running_mean",
               "features.denseblock1.denselayer12.conv.2.weight", "features.transition1.norm.weight"]
        self.assertEqual(self.renamed(old),
                         ["features.conv0.weight", "features.denseblock1.denselayer12.norm1.running_mean",
                          "features.denseblock1.denselayer12.conv2.weight", "features.transition1.norm.weight"])
        self.assertEqual(self.renamed(old, "--names", "as_is"), old)

    def test_densenet_names_are_the_models(self):
        for name in ("densenet121", "densenet161", "densenet169", "densenet201"):
            path = SHARED / "parity" / "backbones" / f"{name}.json"
            if not path.exists():
                self.skipTest(f"{path} is not there")
            names = list(json.loads(path.read_text())["state_dict"])
            old = [n.replace("norm1", "norm.1").replace("norm2", "norm.2").replace("conv1", "conv.1")
                   .replace("conv2", "conv.2") for n in names]
            self.assertNotEqual(old, names)
            self.assertEqual(list(convert_weights.rename(dict.fromkeys(old), "auto")), names)

    def test_old_vision_transformer(self):
        path = SHARED / "parity" / "backbones" / "vit_b_16.json"
        if not path.exists():
            self.skipTest(f"{path} is not there")
        names = list(json.loads(path.read_text())["state_dict"])
        old = [n.replace("mlp.0", "mlp.linear_1").replace("mlp.3", "mlp.linear_2") for n in names]
        self.assertIn("encoder.layers.encoder_layer_11.mlp.linear_2.bias", old)
        self.assertEqual(list(convert_weights.rename(dict.fromkeys(old), "auto")), names)

    def test_lite_layouts_are_timms(self):
        for name, (width, depths) in convert_weights.LITE.items():
            path = SHARED / "parity" / "backbones" / f"{name}.json"
            if not path.exists():
                self.skipTest(f"{path} is not there")
            expected = json.loads(path.read_text())["state_dict"]
            layout = [(n, list(shape)) for n, shape in convert_weights.lite_layout(width, depths)]
            self.assertEqual(layout, list(expected.items()))

    def test_two_of_the_same_name(self):
        held = make.storage("0", "f", [1.0])
        value = {n: make.tensor(held, [1]) for n in ("denselayer1.norm.1.weight", "denselayer1.norm1.weight")}
        self.assert_refused(make.zip_checkpoint(value, [held]), "two tensors would get the same name")

    def test_lite_of_other_shapes(self):
        held = make.storage("0", "f", [1.0])
        value = {n: make.tensor(held, [1]) for n in ("_conv_stem.weight", "_bn0.weight")}
        self.assert_refused(make.zip_checkpoint(value, [held]),
                            "the shapes, in their order, are none of tf_efficientnet_lite0, "
                            "tf_efficientnet_lite1, tf_efficientnet_lite2")


class Hostile(Converted):
    def both_formats(self, value, message):
        self.assert_refused(make.zip_checkpoint(value, []), message)
        self.assert_refused(make.legacy_checkpoint(value, []), message)

    def test_os_system(self):
        target = os.path.join(self.folder.name, "owned")
        value = make.dumps(make.Call(os.system, f"touch {target}"))
        self.both_formats(value, "refused: the file asks for 'posix.system', which is no tensor")

    def test_other_names(self):
        for function, name in ((eval, "__builtin__.eval"), (shutil.rmtree, "shutil.rmtree"),
                               (getattr, "__builtin__.getattr"), (shutil.copy, "shutil.copy")):
            self.both_formats(make.dumps(make.Call(function, "x")),
                              f"refused: the file asks for '{name}', which is no tensor")

    def test_stack_global(self):
        self.both_formats(b"\x80\x04\x8c\x05posix\x8c\x06system\x93.",
                          "refused: the file asks for 'posix.system', which is no tensor")

    def test_terminal_control_in_a_name(self):
        self.both_formats(b"\x80\x02cevil\x1b[2J\nx\n.",
                          "refused: the file asks for 'evil\\x1b[2J.x', which is no tensor")

    def test_instructions(self):
        for code, at, name in ((b"(iposix\nsystem\n.", 3, "INST"), (b"(o.", 3, "OBJ"), (b"\x82\x01.", 2, "EXT1"),
                               (b")\x81.", 3, "NEWOBJ"), (b"\x97.", 2, "NEXT_BUFFER"), (b"Px\n.", 2, "PERSID"),
                               (b"I1\n.", 2, "INT"), (b"\x8f.", 2, "EMPTY_SET")):
            self.assert_refused(
                make.zip_checkpoint(b"\x80\x02" + code, []),
                f"refused: the pickle's instruction {name} at byte {at} is none of a state dict's")

    def test_calls_that_make_no_tensor(self):
        message = "refused: the pickle calls something that makes no tensor"
        self.both_formats(b"\x80\x02X\x01\x00\x00\x00a)R.", message)
        self.both_formats(b"\x80\x02ctorch\nFloatStorage\n)R.", message)

    def test_state_of_a_tensor(self):
        held = make.storage("0", "f", [1.0])
        inner = make.tensor(held, [1])
        inner.state = {"a": 1}
        self.assert_refused(make.zip_checkpoint({"w": inner}, [held]),
                            "refused: the pickle sets an object's state")

    def test_damaged_pickles(self):
        for code, message in (
                (b"h\x05.", "the pickle is damaged (5)"), (b"(.", None), (b".", "the pickle is damaged (pop from empty list)"),
                (b"}]]s.", "the pickle is damaged (unhashable type: 'list')"), (b"NNs.", None),
                (b"t.", "the pickle is damaged (pop from empty list)"), (b"}", None),
                (b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.", None)):
            status, said = self.run_script(make.zip_checkpoint(b"\x80\x02" + code, []))
            self.assertEqual(status, 1, code)
            if message:
                self.assertEqual(said, f"convert_weights: {self.input}: {message}\n")

    def test_cut_anywhere(self):
        held = make.storage("0", "f", [1.0, 2.0])
        for whole in (make.legacy_checkpoint({"w": make.tensor(held, [2])}, [held]),
                      make.zip_checkpoint({"w": make.tensor(held, [2])}, [held])):
            for length in range(len(whole)):
                with self.assertRaises((convert_weights.Refused, *convert_weights.UNREADABLE), msg=length):
                    convert_weights.read_checkpoint(whole[:length])

    def test_any_byte_changed(self):
        held = make.storage("0", "f", [1.0, 2.0])
        draw = random.Random(3)
        for whole in (make.legacy_checkpoint({"w": make.tensor(held, [2])}, [held]),
                      make.zip_checkpoint({"w": make.tensor(held, [2])}, [held])):
            for position in range(len(whole)):
                changed = bytearray(whole)
                changed[position] = draw.randrange(256)
                try:
                    for tensor in convert_weights.read_checkpoint(bytes(changed)).values():
                        tensor.data()
                except (convert_weights.Refused, *convert_weights.UNREADABLE):
                    pass  # what main() turns into a message

    def tensor_refused(self, message, *arguments, **named):
        held = make.storage("0", "f", [1.0, 2.0])
        self.assert_refused(make.zip_checkpoint({"w": make.tensor(held, *arguments, **named)}, [held]), message)

    def test_tensors_outside_their_storage(self):
        self.tensor_refused("a tensor of shape [3] does not fit its storage of 2", [3])
        self.tensor_refused("a tensor of shape [2] does not fit its storage of 2", [2], offset=1)
        self.tensor_refused("a tensor of shape [2] does not fit its storage of 2", [2], [2])
        self.tensor_refused("a tensor of shape [1099511627776] does not fit its storage of 2", [1 << 40], [0])
        self.tensor_refused("a tensor's shape, offset or strides are no sensible numbers", [2], [-1], offset=1)
        self.tensor_refused("a tensor's shape, offset or strides are no sensible numbers", [1 << 60], [0])
        self.tensor_refused("a tensor's shape, offset or strides are no sensible numbers", [True], [1])
        self.tensor_refused("a tensor's shape and strides do not fit", [2], [1, 1])

    def test_growth(self):
        held = make.storage("0", "f", [1.0] * 500)
        value = {f"t{i}": make.tensor(held, [500]) for i in range(30)}
        self.assert_refused(make.zip_checkpoint(value, [held]),
                            "its tensors share storages too often: it would grow to more than twice its size")

    def test_archives(self):
        held = make.storage("0", "f", [1.0, 2.0])
        value = {"w": make.tensor(held, [2])}
        self.assert_refused(make.zip_checkpoint(value, []), "the archive lacks 'data/0'")
        self.assert_refused(make.zip_checkpoint(value, [held], {"data/0": b"1234"}),
                            "storage '0' has 4 bytes, expected 8")
        self.assert_refused(make.zip_checkpoint(value, [held], {"byteorder": b"big"}),
                            "was written on a big-endian machine")
        self.assert_refused(make.zip_checkpoint(value, [held], compression=zipfile.ZIP_DEFLATED),
                            "the archive's 'byteorder' is compressed or too large")
        bare = io.BytesIO()
        with zipfile.ZipFile(bare, "w") as archive:
            archive.writestr("x", "y")
        self.assert_refused(bare.getvalue(),
                            "the archive holds no state dict (TorchScript files are not supported)")
        self.assert_refused(bare.getvalue()[:-5], "File is not a zip file")

    def test_legacy_storages(self):
        held, other = make.storage("0", "f", [1.0, 2.0]), make.storage("1", "f", [1.0])
        value = {"w": make.tensor(held, [2])}
        whole = make.legacy_checkpoint(value, [held])
        self.assert_refused(whole + b"x", "1 bytes are left over at the end")
        self.assert_refused(whole[:-1], "storage '0' is cut short")
        self.assert_refused(make.legacy_checkpoint(value, [held, other]),
                            "the storages are not those that the tensors refer to")
        self.assert_refused(make.legacy_checkpoint(value, [held], {"little_endian": False}),
                            "was written on a big-endian machine")

    def test_what_is_no_state_dict(self):
        self.assert_refused(b"hello", "is no checkpoint of torch.save (neither its zip nor its older format)")
        self.assert_refused(pickle.dumps([1], 2), "is no checkpoint of torch.save")
        self.assert_refused(make.zip_checkpoint([1], []), "holds no state dict")
        self.assert_refused(make.zip_checkpoint({"epoch": 3}, []), "entry 'epoch' is no tensor")
        self.assert_refused(make.zip_checkpoint({}, []), "holds no state dict")
        held = make.storage("0", "f", [1.0])
        self.assert_refused(make.zip_checkpoint({"__metadata__": make.tensor(held, [1])}, [held]),
                            "a tensor is called __metadata__")


if __name__ == "__main__":
    unittest.main()
