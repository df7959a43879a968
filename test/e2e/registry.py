"""A registry of domains that answers over HTTP (RDAP), on a loopback address."""

import http.server
import json
import threading


class Registry:
    """Answers as RFC 9083 has it; `bootstrap` is the document of RFC 9224 that leads to it."""

    def __init__(self, address):
        self.domains = {}  # name -> domain object; a number -> that status
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.asked.append(self.path)
                name = self.path.rsplit("/", 1)[-1]
                answer = outer.domains.get(name, 404)
                if self.path == "/dns.json":
                    answer = outer.bootstrap
                elif self.path.startswith("/old/"):
                    answer = 302
                self.send_response(answer if isinstance(answer, int) else 200)
                body = b"" if isinstance(answer, int) else answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                if answer == 302:
                    self.send_header("Location", f"{outer.url}new/domain/{name}")
                if answer == 429:
                    self.send_header("Retry-After", "7200")
                self.send_header("Content-Type", "application/rdap+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://{address}:{self.server.server_port}/"
        self.bootstrap = {
            "version": "1.0",
            "publication": "2026-01-01T00:00:00Z",
            "services": [[["jp"], [self.url]], [["example"], [self.url + "old/"]]],
        }
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, name, *states, expires="2036-01-01T00:00:00Z", registrar="Kaisha"):
        self.domains[name] = {
            "objectClassName": "domain",
            "ldhName": name.upper(),
            "status": list(states),
            "events": [{"eventAction": "expiration", "eventDate": expires}],
            "entities": [
                {"roles": ["registrar"], "vcardArray": ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", registrar]]]}
            ],
        }

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
