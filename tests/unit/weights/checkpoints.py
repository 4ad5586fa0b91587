"""Checkpoints as torch.save writes them, made without torch: for tests."""
import io
import pickle
import struct
import sys
import types
import zipfile


class Storage:
    """What a tensor's storage pickles to: a persistent reference."""

    def __init__(self, kind, key, data, count):
        self.kind, self.key, self.data, self.count = kind, key, data, count


def fake_module(name, *members):
    """A module of this name whose members are pickled by reference."""
    module = types.ModuleType(name)
    for member in members:
        function = lambda *arguments: None
        function.__module__, function.__qualname__, function.__name__ = name, member, member
        setattr(module, member, function)
    sys.modules[name] = module
    return module


KINDS = {"d": "DoubleStorage", "f": "FloatStorage", "H": "HalfStorage", "q": "LongStorage",
         "i": "IntStorage", "h": "ShortStorage", "b": "CharStorage", "B": "ByteStorage", "?": "BoolStorage"}
torch = fake_module("torch", "Size", *KINDS.values())
utils = fake_module("torch._utils", "_rebuild_tensor_v2", "_rebuild_parameter")


class Call:
    """Pickles to function(*arguments)."""

    def __init__(self, function, *arguments, state=None):
        self.function, self.arguments, self.state = function, arguments, state

    def __reduce__(self):
        return (self.function, self.arguments) + (() if self.state is None else (self.state,))


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if type(value) is not Storage:
            return None
        return ("storage", getattr(torch, value.kind), value.key, "cpu", value.count) + self.last

    last = ()


class LegacyPickler(Pickler):
    last = (None,)


def storage(key, letter, values):
    return Storage(KINDS[letter], key, struct.pack(f"<{len(values)}{letter}", *values), len(values))


def tensor(held, shape, strides=None, offset=0):
    if strides is None:
        strides, step = [], 1
        for extent in reversed(shape):
            strides.insert(0, step)
            step *= extent
    return Call(utils._rebuild_tensor_v2, held, offset, tuple(shape), tuple(strides), False, {})


def dumps(value, pickler=Pickler):
    out = io.BytesIO()
    pickler(out, protocol=2).dump(value)
    return out.getvalue()


def zip_checkpoint(value, storages, members=None, compression=zipfile.ZIP_STORED):
    """torch 1.6 and later. `members` replaces or adds members by name."""
    contents = {"data.pkl": value if type(value) is bytes else dumps(value), "byteorder": b"little"}
    contents |= {f"data/{held.key}": held.data for held in storages} | (members or {})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in contents.items():
            archive.writestr("archive/" + name, data)
    return out.getvalue()


def legacy_checkpoint(value, storages, system=None, keys=None):
    """torch before 1.6."""
    system = system or {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    out = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps(system, 2)
    out += value if type(value) is bytes else dumps(value, LegacyPickler)
    out += pickle.dumps([held.key for held in storages] if keys is None else keys, 2)
    for held in storages:
        out += struct.pack("<q", held.count) + held.data
    return out
