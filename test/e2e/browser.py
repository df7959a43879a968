"""What a browser does at the panel's address, as far as the API goes: it keeps cookies, sends its origin, and brings the session's CSRF token."""

import http.client
import http.cookies
import json
import urllib.parse


class Answer:
    def __init__(self, answer, body):
        self.status = answer.status
        self.headers = answer.headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)


class Browser:
    def __init__(self, port, address="192.0.2.1"):
        self.port, self.address = port, address
        self.cookies = {}
        self.csrf = None

    def ask(self, method, path, body=None, data=None, **headers):
        """body: what is sent as JSON; data: bytes that are sent as they are."""
        sent = {
            "Host": f"127.0.0.1:{self.port}", "X-Forwarded-For": self.address, "User-Agent": "test", "Accept-Language": "en",
            "Cookie": "; ".join(f"{key}={value}" for key, value in self.cookies.items()),
        }  # fmt: skip
        if method != "GET":
            sent |= {"Origin": f"http://127.0.0.1:{self.port}", "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
            if self.csrf:
                sent["X-CSRF-Token"] = self.csrf
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.putrequest(method, f"/api/v1{path}", skip_host=True, skip_accept_encoding=True)
        if body is not None:
            data = json.dumps(body).encode()
        if data is not None:
            sent["Content-Length"] = str(len(data))
        for name, value in sent.items():
            if value:
                connection.putheader(name, value)
        connection.endheaders(data)
        got = connection.getresponse()
        answer = Answer(got, got.read())
        connection.close()
        for line in answer.headers.get_all("Set-Cookie") or ():
            for name, cookie in http.cookies.SimpleCookie(line).items():
                assert cookie["secure"] and cookie["httponly"] and cookie["samesite"] == "Strict" and cookie["path"] == "/" and not cookie["domain"]
                if cookie["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = cookie.value
        return answer

    def sign_in(self, mail, password=None, link=None, code=None):
        body = {"link": link} if link else {"mail": mail, "password": password}
        answer = self.ask("POST", "/session", body | ({"code": code} if code else {}))
        if answer.status == 201:
            self.csrf = answer.json["csrf"]
        return answer


def site_path(name, rest=""):
    return f"/sites/{urllib.parse.quote(name)}{rest}"
