#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets to corpus/: small, one for each thing that a parser knows.

Run again when a format changes; what a fuzzer found and was fixed stays beside them as found-*.
"""
import json
import pathlib
import sqlite3
import struct
import zlib

here = pathlib.Path(__file__).resolve().parent
root = here.parent.parent
corpus = here / "corpus"


def seed(target, name, content):
    folder = corpus / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def toml():
    seed("toml", "strings", 'a = "\\b\\t\\n\\f\\r\\"\\\\\\u00E9\\U0001F52C"\nb = """\nx\\\n  y""""\n'
         "c = 'C:\\x'\nd = '''\nl'''''\n")
    seed("toml", "numbers", "a = [+1_000, -0, 0xFf, 0o7, 0b1, 1.5e-3, +inf, nan, true]\n")
    seed("toml", "dates", "a = [1979-05-27T07:32:00.999999-07:00, 1979-05-27 07:32:00, 1979-05-27, 07:32:00]\n")
    seed("toml", "tables", "[a.b]\n'x.y'.z = {q = 1, w.e = []}\n[[a.c]]\n[[a.c]]\n[a.c.d] # end\r\n")
    seed("toml", "place", "\ufeff[ a ]\n\"\" = 1\n")


def experiment():
    for name in ("densenet201", "efficientnet_lite0"):
        seed("experiment", name, (root / f"experiments/{name}.toml").read_bytes())
    seed("experiment", "sets", 'extends = "fuzz.toml"\n[experiment]\nname = "x"\n[data]\nroot = "."\n'
         '[[augmentation]]\nname = "flip"\n\0train.epochs=2\0augmentation.flip.horizontal=0.5\0'
         'data.magnifications=[40]\0augmentation.append={name = "rotate"}\0experiment.tags.append=x')


def plugin():
    for path in ("augmentations/crop", "optimizers/adam", "backbones/vit"):
        seed("plugin_manifest", path.split("/")[1], (root / "plugins" / path / "plugin.toml").read_bytes())
    seed("plugin_manifest", "stage", 'name = "s"\nkind = "augmentation"\nversion = "0.1.0"\nsummary = ""\n'
         '[[component]]\nname = "m"\nstage = "preprocess"\n[component.facts]\nparameters = 1\n'
         '[[component.param]]\nname = "p"\ntype = "list of int"\nchoices = [[1]]\ndefault = [1]\n')
    seed("plugin_file", "small", elf())


def elf():
    """A shared library of sections alone, as far as bcx looks: x86-64, little-endian."""
    manifest = b'name = "x"\nkind = "callback"\nversion = "1.0.0"\nsummary = ""\n[[component]]\nname = "x"\n'
    block = b"BCXPLUG\0" + struct.pack("<II", 64, 3) + bytes(48)
    note = struct.pack("<III", 4, 20, 3) + b"GNU\0" + bytes(range(20))
    names = b"\0.bcx.manifest\0.bcx.abi\0.note.gnu.build-id\0.dynsym\0.dynstr\0.shstrtab\0.dynamic\0"
    strings = b"\0bcx_plugin_entry\0libm.so.6\0"
    symbols = bytes(24) + struct.pack("<IBBHQQ", 1, 0x12, 0, 1, 0, 0)
    dynamic = struct.pack("<QQQQ", 1, 18, 0, 0)
    parts = [(b"", 0, b"", 0), (b".bcx.manifest", 1, manifest, 0), (b".bcx.abi", 1, block, 0),
             (b".note.gnu.build-id", 7, note, 0), (b".dynsym", 11, symbols, 5), (b".dynstr", 3, strings, 0),
             (b".shstrtab", 3, names, 0), (b".dynamic", 6, dynamic, 5)]
    data, headers = b"", b""
    for name, kind, content, link in parts:
        headers += struct.pack("<IIQQQQIIQQ", names.index(b"\0" + name + b"\0") + 1 if name else 0, kind, 0, 0,
                               64 + len(data), len(content), link, 0, 1, 0)
        data += content
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 3, 62, 1, 0, 0, 64 + len(data), 0, 64, 0, 0, 64, len(parts), 6)
    return head + data + headers


def safetensors():
    def whole(header, size):
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + bytes(size)
    seed("safetensors", "two", whole({"__metadata__": {"format": "pt"},
         "a": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]},
         "b": {"dtype": "BF16", "shape": [], "data_offsets": [8, 10]}}, 10))
    seed("safetensors", "empty", whole({}, 0))
    seed("safetensors", "nothing_in_it", whole({"e": {"dtype": "I64", "shape": [0, 3], "data_offsets": [0, 0]}}, 0))


def checkpoint_manifest():
    whole = {"format": 2, "epoch": 3, "samples": 16, "step": 70, "batch_size": 8, "epochs": 20,
             "epoch_batch_size": 8, "learning_rate": 1e-4, "horizon": 200.0, "stop": False,
             "frozen_by_callback": False, "stop_reason": "", "best_tag": "best", "precision": "bf16",
             "frozen": ["backbone.*"], "callbacks": {"checkpoint": "{}"}}
    seed("checkpoint_manifest", "whole", json.dumps(whole))
    seed("checkpoint_manifest", "optional", json.dumps(whole | {
        "roll_backs": 1, "skipped_in_a_row": 2, "overflows_in_a_row": 3, "parts": 2, "preprocess": {"macenko": "x"},
        "validating": {"metrics": {"train.loss": "0.5"}, "removed": ["old"], "checkpoints": [
            {"tag": "best", "monitor": "val.auc", "best": True, "value": "inf"}]}}))
    seed("checkpoint_manifest", "format", '{"format": 3}')


def text_files():
    seed("csv", "plain", "path,label,group,part\na.png,x,p1,train\nsub/c.png,y,p2,test\n")
    seed("csv", "quoted", '\ufeffpath,label,"no\nte"\r\n"./a.png",x,"1,""2"""\r\n\r\nb.png,y,\r\n')
    seed("csv", "bad", "path,label\n../x,a\n/etc/passwd,a\nout/passwd,a\nloop,a\na.png,\n")
    names = "SOB_B_A-14-22549AB-100-001.png\nSOB_M_DC-14-2523-40-010.png\n"
    seed("listing", "names", names)
    seed("listing", "folds", "SOB_B_A-14-22549AB-100-001.png|100|1|train\nSOB_M_DC-14-2523-40-010.png|40|1|test\n")
    for name, text in {"all": "val.auc > 0.9 and (learning_rate < 1e-3 or optimizer.name = \"adam\") and tag = 'p'",
                       "range": "1_000 <= seed < 0x1F or not best(val.loss) is nan",
                       "times": "started between 2026-11-01 and \"2026-11-23 06:41\" and duration > 30m",
                       "lists": "status in ('crashed', \"failed\") and `optimizer.name` not like '%\\_x%'",
                       "null": "stamps is not null and name != \"größe\" and memory.peak < 8GB"}.items():
        seed("filter", name, text)


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, depth, colour, rows, before=b""):
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)) +
            before + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def tiff(mark, order):
    tags = [(256, 4, 2), (257, 4, 2), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 134), (274, 3, 6),
            (277, 3, 1), (278, 4, 2), (279, 4, 4)]
    directory = struct.pack(order + "H", len(tags))
    for tag, kind, value in tags:
        directory += struct.pack(order + "HHI", tag, kind, 1)
        directory += struct.pack(order + "HH", value, 0) if kind == 3 else struct.pack(order + "I", value)
    return mark + struct.pack(order + "HI", 42, 8) + directory + bytes(4) + bytes(134 - 12 - len(directory)) + b"abcd"


def images():
    seed("image", "rgb.png", png(2, 2, 8, 2, b"\0abcdef" * 2))
    seed("image", "palette.png", png(4, 1, 2, 3, b"\0\x1b", chunk(b"PLTE", bytes(range(12))) + chunk(b"tRNS", b"\0\x80")))
    seed("image", "grey16.png", png(1, 2, 16, 0, b"\0\1\2\0\3\4", chunk(b"tRNS", b"\1\2")))
    seed("image", "turned.png", png(2, 1, 8, 6, b"\0abcdefgh", chunk(b"eXIf", tiff(b"MM", ">")[:122])))
    seed("image", "small.tif", tiff(b"II", "<"))
    seed("image", "big_endian.tif", tiff(b"MM", ">"))
    seed("image", "small.bmp", b"BM" + struct.pack("<IIIIiiHHIIIIII", 70, 0, 54, 40, 2, 2, 1, 24, 0, 16, 0, 0, 0, 0) + b"abcdef\0\0" * 2)
    # A grey 8 x 8 JPEG, every coefficient 0: quantisation of ones, Huffman tables of one code each.
    table = bytes([1] + [0] * 15) + b"\0"
    seed("image", "grey.jpg", b"\xff\xd8" + b"\xff\xdb\0\x43\0" + b"\1" * 64 +
         b"\xff\xc0\0\x0b\x08\0\x08\0\x08\1\1\x11\0" + b"\xff\xc4\0\x14\0" + table + b"\xff\xc4\0\x14\x10" + table +
         b"\xff\xda\0\x08\1\1\0\0\x3f\0" + b"\x3f" + b"\xff\xd9")


def packed():
    facts = [100, 80, "0123456789abcdef", "00000000ffffffff", "grey"]
    samples = [{"name": name, "label": label, "attributes": [case], "facts": facts}
               for name, label, case in (("a/x.png", 0, "p1"), ("b/y.png", 1, ""))]
    seed("packed", "table", json.dumps({"version": 1, "classes": ["a", "b"], "positive": 1, "attributes": ["case"],
         "settings": {"resize": "squash", "interpolation": "area", "preprocess": ""}, "samples": samples}))


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, content):
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def record(data):
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", crc32c(length)) + data + struct.pack("<I", crc32c(data))


def events():
    version = b"\x09" + struct.pack("<d", 1.7e9) + field(3, b"brain.Event:2")
    simple = field(1, field(1, b"loss") + b"\x15" + struct.pack("<f", 0.5))
    tensor = field(1, field(1, b"auc") + field(8, b"\x08\x01" + field(5, struct.pack("<f", 0.5))))
    bodies = [b"\x09" + struct.pack("<d", 1.7e9) + b"\x10\x05" + field(5, body) for body in (simple, tensor)]
    seed("event_file", "whole", record(version) + b"".join(record(body) for body in bodies))
    for name, body in zip(("simple", "tensor"), bodies):
        seed("event_file", name, body)


def databases():
    path = corpus / "seed.db"
    def database(target, name, script):
        path.unlink(missing_ok=True)
        connection = sqlite3.connect(path)
        connection.executescript("PRAGMA page_size=512;" + script)
        connection.execute("VACUUM")
        connection.close()
        seed(target, name, path.read_bytes())
        path.unlink()
    mlflow = """
        CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT);
        CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, name TEXT, status TEXT, start_time INTEGER,
          end_time INTEGER, source_name TEXT, source_version TEXT, experiment_id INTEGER, lifecycle_stage TEXT);
        CREATE TABLE params (run_uuid TEXT, key TEXT, value TEXT);
        CREATE TABLE metrics (run_uuid TEXT, key TEXT, step INTEGER, value REAL, is_nan INTEGER, timestamp INTEGER);
        CREATE TABLE tags (run_uuid TEXT, key TEXT, value TEXT);
        INSERT INTO experiments VALUES (1, 'e');
        INSERT INTO runs VALUES ('0123456789abcdef0123456789abcdef', 'n', 'FINISHED', 1700000000000,
          1700000001000, 's', 'v', 1, 'active');
        INSERT INTO params SELECT run_uuid, 'lr', '1e-3' FROM runs;
        INSERT INTO metrics SELECT run_uuid, 'auc', 1, 0.5, 0, 1700000000500 FROM runs;
        INSERT INTO tags SELECT run_uuid, 'mlflow.note.content', 'x' FROM runs;"""
    database("mlflow", "store", mlflow)
    database("mlflow", "large_times", mlflow + "UPDATE runs SET start_time=9223372036854775807, end_time=-9223372036854775808;"
             "UPDATE metrics SET timestamp=9223372036854775807, step=-9223372036854775808, value=9e999;")
    tracker = (root / "tests/unit/tracker/fixtures/version-3.sql").read_text()
    database("tracker", "version_3", tracker)


for make in (toml, experiment, plugin, safetensors, checkpoint_manifest, text_files, images, packed, events, databases):
    make()
