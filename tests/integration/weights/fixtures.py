"""What test_fetch.cpp needs: fixtures.py FOLDER writes a checkpoint, a wheel that holds it and a certificate for
localhost into FOLDER, then serves FOLDER over https until standard input closes. FOLDER/port says where.

Paths with a meaning: /plain redirects to http, /again to /w.pth, /endless sends more than it should.
"""
import http.server
import os
import ssl
import subprocess
import sys
import threading
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "unit", "weights"))
import checkpoints as make


def write_files(folder):
    held = make.storage("0", "f", [float(i) for i in range(500)])
    nan = make.storage("0", "f", [float("nan")])
    checkpoint = make.zip_checkpoint({"w": make.tensor(held, [5, 100])}, [held])
    for name, data in (("w.pth", checkpoint),
                       ("nan.pth", make.zip_checkpoint({"w": make.tensor(nan, [1])}, [nan]))):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)
    info = "bcx_test_weights-0.1.0.dist-info/"
    with zipfile.ZipFile(os.path.join(folder, "bcx_test_weights-0.1.0-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("bcx_test_weights/w.pth", checkpoint)
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: bcx-test-weights\nVersion: 0.1.0\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(info + "RECORD", "")


def write_certificate(folder):
    key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "certificate.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost"], check=True, stderr=subprocess.DEVNULL)
    return certificate, key


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path in ("/plain", "/again"):
            self.send_response(302)
            self.send_header("Location", "http://localhost/w.pth" if self.path == "/plain" else "/w.pth")
            self.end_headers()
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(bytes(1 << 20))
        else:
            super().do_GET()

    def log_message(self, *_):
        pass


def main():
    folder = sys.argv[1]
    write_files(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*write_certificate(folder))
    os.chdir(folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with open("port.new", "w") as file:
        file.write(str(server.server_address[1]))
    os.rename("port.new", "port")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


main()
