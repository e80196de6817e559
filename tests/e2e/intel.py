#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A server of TAXII 2.1 collections and of a MISP feed for collections.sh, good and bad, by path:
#
#   intel.py FOLDER ADDRESS PORT CERTIFICATE KEY
#
#   /taxii2/          discovery; its API roots are /one/ (one collection that may be read) and /closed/ (403)
#   /taxii2-many/     discovery of /many/ (two that may be read)
#   /taxii2-none/     discovery of /none/ (one that may not)
#   /taxii2-other/    discovery whose API root is the same server by its other name, localhost
#   /one/ /many/ ...  API roots; the objects of all of them are those of FOLDER/objects.json: [{"added": TIME, "object": OBJECT}, ...]
#   /time/            the same, paged by time: "more" without "next"
#   /bare/            the same, without X-TAXII-Date-Added-Last
#   /token/           the same, for the token "bi-mat-2"
#   /circle/ /endless/ /stuck/  pages that repeat, never end, say "more" and not how
#   /old/ answers 406, /two/ speaks TAXII 2.0, /html/ is a web page, /bomb/ unpacks to 200 MB
#   /misp/NAME        FOLDER/misp/NAME with an ETag; 304 where it applies
#
# Two objects a page. Every request is a line in FOLDER/requests: path, status, and whether it brought credentials.
import gzip
import hashlib
import http.server
import json
import os
import ssl
import sys
import urllib.parse

folder, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
TAXII = "application/taxii+json;version=2.1"
READABLE = {"id": "91a7b528-80eb-42ed-a74d-c6fbd5a26116", "title": "Máy chủ điều khiển", "can_read": True, "can_write": False}
SECOND = {"id": "52892447-4d7e-4f70-b94d-d7f22742ff63", "title": "Spam", "can_read": True, "can_write": False}
HIDDEN = {"id": "472c94ae-3113-4e3e-a4dd-a9f4ac7471d4", "title": "Nội bộ", "can_read": False, "can_write": True}
COLLECTIONS = {"one": [READABLE, HIDDEN], "many": [READABLE, HIDDEN, SECOND], "none": [HIDDEN]}
DISCOVERY = {"/taxii2/": ["/one/", "/closed/"], "/taxii2-many/": ["/many/"], "/taxii2-none/": ["/none/"], "/taxii2-other/": [f"https://localhost:{port}/one/"]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer is one packet, where it fits

    def log_message(self, *arguments):
        pass

    def answer(self, status, body=b"", **headers):
        with open(os.path.join(folder, "requests"), "a", encoding="utf-8") as log:
            log.write(f"{self.path} {status}{' credentials' if self.headers.get('Authorization') else ''}\n")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def say(self, value, **headers):
        self.answer(200, json.dumps(value).encode(), Content_Type=TAXII, **headers)

    def page(self, root, query):
        with open(os.path.join(folder, "objects.json"), encoding="utf-8") as file:
            entries = [e for e in json.load(file) if e["added"] > query.get("added_after", "")]
        entries.sort(key=lambda e: e["added"])
        if "match[type]" in query:
            entries = [e for e in entries if e["object"]["type"] in query["match[type]"].split(",")]
        start = int(query.get("next", "page-0").removeprefix("page-"))
        part, rest = entries[start : start + 2], entries[start + 2 :]
        if not part:
            return self.say({})
        envelope = {"more": bool(rest), "objects": [e["object"] for e in part]}
        if rest and root != "time":
            envelope["next"] = f"page-{start + 2}"
        headers = {} if root == "bare" else {"X_TAXII_Date_Added_First": part[0]["added"], "X_TAXII_Date_Added_Last": part[-1]["added"]}
        return self.say(envelope, **headers)

    def bad_page(self, root, query):
        number = int(query.get("next", "0"))
        if root == "circle":
            return self.say({"more": True, "next": str((number + 1) % 3), "objects": []})
        if root == "endless":
            return self.say({"more": True, "next": str(number + 1), "objects": []})
        return self.say({"more": True, "objects": []})

    def serve_taxii(self, path, query):
        root = path.split("/")[1]
        if root == "old" or "version=2.1" not in self.headers.get("Accept", ""):
            self.answer(406)
        elif root == "two":
            self.answer(200, b"{}", Content_Type="application/vnd.oasis.taxii+json; version=2.0")
        elif root == "html":
            self.answer(200, b"<html>Xin ch\xc3\xa0o</html>", Content_Type="text/html")
        elif root == "bomb":
            self.answer(200, gzip.compress(b" " * (200 << 20), 1), Content_Type=TAXII, Content_Encoding="gzip")
        elif root == "closed":
            self.answer(403)
        elif root == "token" and self.headers.get("Authorization") != "Bearer bi-mat-2":
            self.answer(401, WWW_Authenticate="Bearer")
        elif path in DISCOVERY:
            self.say({"title": "Thử nghiệm", "api_roots": DISCOVERY[path]})
        elif path == f"/{root}/":
            self.say({"title": root, "versions": [TAXII], "max_content_length": 1000})
        elif path == f"/{root}/collections/":
            self.say({"collections": COLLECTIONS.get(root, [READABLE])})
        elif path != f"/{root}/collections/{READABLE['id']}/objects/":
            self.answer(404)
        elif root in ("circle", "endless", "stuck"):
            self.bad_page(root, query)
        else:
            self.page(root, query)

    def serve_file(self, name):
        try:
            with open(os.path.join(folder, "misp", name), "rb") as file:
                body = file.read()
        except FileNotFoundError:
            return self.answer(404)
        tag = '"%s"' % hashlib.sha256(body).hexdigest()[:16]
        if self.headers.get("If-None-Match") == tag:
            return self.answer(304, ETag=tag)
        return self.answer(200, body, ETag=tag)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path.startswith("/misp/"):
            self.serve_file(os.path.basename(url.path))
        else:
            self.serve_taxii(url.path, dict(urllib.parse.parse_qsl(url.query)))


server = http.server.ThreadingHTTPServer((address, port), Handler)
server.daemon_threads = True
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[4], sys.argv[5])
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
