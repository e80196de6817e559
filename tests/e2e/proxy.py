#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A proxy for collections.sh, HTTP (CONNECT alone) and SOCKS5, on one port:
#
#   proxy.py FOLDER ADDRESS PORT TARGET [USER:PASSWORD]
#
# All names lead to TARGET (an address), so only who asks the proxy finds them. Every connection is a line in FOLDER/proxied: way, name:port.
import base64
import os
import select
import socket
import socketserver
import struct
import sys

folder, address, port, target = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
secret = sys.argv[5] if len(sys.argv) > 5 else None


class Handler(socketserver.StreamRequestHandler):
    rbufsize = 0

    def note(self, line):
        with open(os.path.join(folder, "proxied"), "a", encoding="utf-8") as log:
            log.write(line + "\n")

    def pass_on(self, other):
        ends = {self.connection: other, other: self.connection}
        while True:
            for end in select.select(list(ends), [], [])[0]:
                data = end.recv(65536)
                if not data:
                    return
                ends[end].sendall(data)

    def connect(self, way, host, to):
        self.note(f"{way} {host}:{to}")
        return socket.create_connection((target, to))

    def serve_http(self, first):
        words = (first + self.rfile.readline()).decode().split()
        headers = {}
        while (line := self.rfile.readline().decode().strip()):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        wanted = "Basic " + base64.b64encode(secret.encode()).decode() if secret else None
        if headers.get("proxy-authorization") != wanted:
            self.note("http refused")
            self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")
            return
        host, _, to = words[1].rpartition(":")
        with self.connect("http", host, int(to)) as other:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\nETag: \"of-the-proxy\"\r\n\r\n")
            self.pass_on(other)

    def serve_socks(self):
        methods = self.rfile.read(self.rfile.read(1)[0])
        method = 2 if secret else 0
        if method not in methods:
            self.note("socks refused")
            self.wfile.write(b"\x05\xff")
            return
        self.wfile.write(bytes([5, method]))
        if secret:
            self.rfile.read(1)
            user = self.rfile.read(self.rfile.read(1)[0])
            password = self.rfile.read(self.rfile.read(1)[0])
            good = user + b":" + password == secret.encode()
            self.wfile.write(b"\x01\x00" if good else b"\x01\x01")
            if not good:
                return
        kind = self.rfile.read(4)[3]
        if kind != 3:
            self.note("socks without a name")
            return
        host = self.rfile.read(self.rfile.read(1)[0]).decode()
        with self.connect("socks", host, struct.unpack("!H", self.rfile.read(2))[0]) as other:
            self.wfile.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
            self.pass_on(other)

    def handle(self):
        first = self.rfile.read(1)
        if first == b"\x05":
            self.serve_socks()
        elif first:
            self.serve_http(first)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server((address, port), Handler).serve_forever()
