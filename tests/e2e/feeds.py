#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A server of lists for sources.sh, good and bad, by path:
#
#   feeds.py FOLDER ADDRESS PORT [CERTIFICATE KEY]
#
#   /NAME        FOLDER/NAME with ETag, Last-Modified, and gzip for whoever takes it; 304 where it applies
#   /bare/NAME   the same without validators
#   /auth/NAME   for user "phong" with password "bi-mat-1", /token/NAME for the token "bi-mat-2"
#   /cut         ends before its length; /slow begins and goes on for ever; /bomb is 200 MB of blanks in gzip; /loop redirects to itself
#   /moved       redirects to /list.txt; /downgrade to the same by http
#
# Every request is a line in FOLDER/requests: path, status, and what it was asked with.
import base64
import gzip
import hashlib
import http.server
import os
import ssl
import sys
import time

folder, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def note(self, status):
        with open(os.path.join(folder, "requests"), "a", encoding="utf-8") as log:
            asked = [name for name in ("If-None-Match", "If-Modified-Since", "Accept-Encoding") if self.headers.get(name)]
            log.write(f"{self.path} {status} {' '.join(asked)}\n")

    def answer(self, status, body=b"", **headers):
        self.note(status)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def serve_file(self, name, validators=True):
        with open(os.path.join(folder, os.path.basename(name)), "rb") as file:
            body = file.read()
        headers = {}
        if validators:
            headers = {"ETag": '"%s"' % hashlib.sha256(body).hexdigest()[:16], "Last_Modified": "Sat, 21 Jan 2023 15:47:10 GMT"}
            if self.headers.get("If-None-Match") == headers["ETag"]:
                return self.answer(304, **headers)
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body)
            headers["Content_Encoding"] = "gzip"
        return self.answer(200, body, **headers)

    def serve_cut(self):
        self.note(200)
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"203.0.113.7\n")
        self.close_connection = True

    def serve_slow(self):
        self.note(200)
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        for number in range(600):
            self.wfile.write(b"# %060d\n" % number)
            self.wfile.flush()
            time.sleep(1)

    def allowed(self, expected):
        if self.headers.get("Authorization") == expected:
            return True
        self.answer(401, WWW_Authenticate="Basic")
        return False

    def do_GET(self):
        path = self.path
        basic = "Basic " + base64.b64encode(b"phong:bi-mat-1").decode()
        if path == "/cut":
            self.serve_cut()
        elif path == "/slow":
            self.serve_slow()
        elif path == "/bomb":
            self.answer(200, gzip.compress(b" " * (200 << 20), 1), Content_Encoding="gzip")
        elif path == "/loop":
            self.answer(302, Location="/loop")
        elif path == "/moved":
            self.answer(302, Location="/list.txt")
        elif path == "/downgrade":
            self.answer(302, Location=f"http://{address}:8080/list.txt")
        elif path.startswith("/auth/"):
            if self.allowed(basic):
                self.serve_file(path)
        elif path.startswith("/token/"):
            if self.allowed("Bearer bi-mat-2"):
                self.serve_file(path)
        elif os.path.exists(os.path.join(folder, os.path.basename(path))):
            self.serve_file(path, validators=not path.startswith("/bare/"))
        else:
            self.answer(404)


server = http.server.ThreadingHTTPServer((address, port), Handler)
server.daemon_threads = True
if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[4], sys.argv[5])
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
