#!/usr/bin/env python3
"""What SECURITY.md promises and can be looked up: no unpickler in a shipped binary, libraries found
beside the binary alone, everything fetched is pinned.   test_security.py SOURCE BUILD"""
import json
import pathlib
import re
import subprocess
import sys
import unittest

source, build = (pathlib.Path(path) for path in sys.argv[1:3])

# LibTorch's ways to read pickles, and modules that hold code.
UNPICKLERS = re.compile(
    r"pickle_load|unpickle|Unpickler|PyTorchStreamReader|import_ir_module|_load_for_mobile|"
    r"torch::jit::load\(|torch::serialize::InputArchive::load_from|load_from_file")


def binaries():
    found = [build / "bin/bcx"] + sorted((build / "lib").glob("libbcx_*.so"))
    return found + sorted((build / "lib/bcx/plugins").glob("*.bcx.so"))


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Binaries(unittest.TestCase):
    def test_there_are_some(self):
        names = [path.name for path in binaries()]
        for expected in ("bcx", "libbcx_engine.so", "libbcx_weights.so", "densenet.bcx.so"):
            self.assertIn(expected, names)

    def test_no_unpickler(self):
        for path in binaries():
            symbols = output("nm", "--dynamic", "--undefined-only", "--demangle", str(path))
            found = [line for line in symbols.splitlines() if UNPICKLERS.search(line)]
            self.assertEqual(found, [], path.name)

    def test_the_pattern_would_be_seen(self):
        """LibTorch itself defines what is looked for: the names are right."""
        needed = output("ldd", str(build / "lib/libbcx_engine.so"))
        torch = re.search(r"libtorch_cpu\.so => (\S+)", needed).group(1)
        defined = output("nm", "--dynamic", "--defined-only", "--demangle", torch)
        for name in ("torch::jit::pickle_load", "caffe2::serialize::PyTorchStreamReader", "torch::jit::Unpickler",
                     "torch::serialize::InputArchive::load_from"):
            self.assertIn(name, defined)
            self.assertRegex(name, UNPICKLERS)

    def test_no_interpreter(self):
        for path in binaries():
            needed = re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "--dynamic", str(path)))
            for library in needed:
                self.assertNotRegex(library, r"libpython|liblua|libperl|libguile", path.name)

    def test_libraries_are_looked_for_in_named_folders(self):
        """An empty or relative entry would be the current folder: whoever puts a library there, runs."""
        for path in binaries():
            paths = re.findall(r"(?:RPATH|RUNPATH).*\[(.*)\]", output("readelf", "--dynamic", str(path)))
            for entry in ":".join(paths).split(":") if paths else []:
                self.assertRegex(entry, r"^(/|\$ORIGIN)", path.name)

    def test_no_executable_stack(self):
        for path in binaries():
            stack = re.search(r"GNU_STACK(?:\s+0x[0-9a-f]+)+\s+([RWE ]+?)\s+0x",
                              output("readelf", "--program-headers", "--wide", str(path)))
            self.assertNotIn("E", stack.group(1), path.name)


class Fetched(unittest.TestCase):
    def test_every_requirement_has_a_hash(self):
        for name in ("libtorch-cpu.txt", "libtorch-cuda.txt", "plotly.txt"):
            lines = re.sub(r"\\\n", " ", (source / "cmake" / name).read_text()).splitlines()
            for line in lines:
                if line.strip() and not line.startswith("#"):
                    self.assertRegex(line, r"^[a-z0-9-]+==[0-9.]+ +--hash=sha256:[0-9a-f]{64}( |$)", name)

    def test_pip_is_told_to_require_them(self):
        setup = (source / "tools/setup").read_text()
        fetches = re.findall(r"pip (?:install|download)(?:[^\n]|\\\n)*", setup.replace("\\\n", " "))
        self.assertTrue(fetches)
        for fetch in fetches:
            self.assertIn("--require-hashes", fetch)

    def test_weights_come_over_https_with_a_sum(self):
        for entry in json.loads((source / "framework/weights/index.json").read_text())["weights"]:
            self.assertRegex(entry.get("sha256", ""), r"^[0-9a-f]{8,64}$", entry["name"])
            if "url" in entry:
                self.assertTrue(entry["url"].startswith("https://"), entry["name"])
            else:
                self.assertRegex(entry["package"], r"^[a-z0-9-]+==[0-9.]+$", entry["name"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
