"""The web servers of the laboratory. nginx, Apache and HAProxy, each once, each at several addresses, with a part of their
configuration for each row that has one; and plain sockets for what no web server does."""

import os
import pathlib
import socket
import threading

import servers

# A CA's token has 43 letters (256 bits), one of koshin's own check has 32: both accounts are answered, each with its thumbprint.
CA_TOKEN = "[A-Za-z0-9_-]{43}"
WELL_KNOWN = "/.well-known/acme-challenge/"


def nginx_text(lab, rows, turn, is_issuing):
    """What is included into nginx's main file: the right answer, and a server for each row that wants one; sites that get their
    certificate now are answered for by koshin's own."""
    # More names than the bucket of a small installation holds.
    text = (
        "server_names_hash_max_size 4096;\n"
        f'map $uri $thumbprint {{\n    "~^{WELL_KNOWN}{CA_TOKEN}$" {lab.account.key.thumbprint};\n    default {lab.thumbprint};\n}}\n'
        f"{nginx_server(lab, 'elsewhere', '.jp', 'return 404;')}{nginx_server(lab, 'ours', 'turn.jp', f'return 200 {turn};')}"
        # The same on a port that no CA comes to.
        f"{nginx_server(lab, 'ours', '.jp', RIGHT, port=lab.other_port)}"
        + "".join(nginx_server(lab, place, ".jp", RIGHT) for place in ("ours", "twin", "v6"))
    )
    # A place that shows certificates shows none to those who ask for another name.
    for place in sorted({place for row in rows for place in row.tls} - {"ours", "oldtls"}):
        text += nginx_server(lab, place, "_", "ssl_reject_handshake on;", "ssl default_server")
    text += nginx_server(lab, "ours", lab.at["ours"], f"location /lists/ {{ alias {lab.folder}/lists/; }}")
    text += nginx_server(lab, "ours", "_", "ssl_reject_handshake on;", "ssl default_server", port=lab.mail_port)
    for row in rows:
        if row.site and not is_issuing:  # in the place of what koshin has put there: the judges are answered too
            text += nginx_server(lab, "ours", row.name, RIGHT + lab.fill(row.home, row)) + nginx_server(lab, "twin", row.name, RIGHT)
        for place, snippet in row.nginx.items():
            text += nginx_server(lab, place, row.name, lab.fill(snippet, row))
        if row.mail and not is_issuing:
            text += nginx_server(lab, "ours", row.name, lab.certificate(row, row.mail), "ssl", port=lab.mail_port)
        for place, kind in row.tls.items():
            text += nginx_server(lab, place, row.name, lab.certificate(row, kind), "ssl")
    return text


RIGHT = f"location ~ ^{WELL_KNOWN}(?<token>[A-Za-z0-9_-]+)$ {{ default_type text/plain; return 200 $token.$thumbprint; }}"


def nginx_server(lab, place, name, inside, ssl="", port=None):
    host = f"[{lab.at[place]}]" if ":" in lab.at[place] else lab.at[place]
    port = port or (lab.https_port if ssl else lab.http_port)
    return f"server {{\n    listen {host}:{port} {ssl};\n    server_name {name};\n    {inside}\n}}\n"


class Apache:
    """Takes the .htaccess of a row as an owner would have uploaded it; a site without one is answered as the host set it up."""

    MODULES = "mpm_event authn_core authn_file authz_core authz_host authz_user auth_basic alias dir headers proxy proxy_http rewrite"

    def __init__(self, lab):
        self.folder = pathlib.Path(lab.folder) / "apache"
        self.folder.mkdir()
        self.folder.chmod(0o755)
        (self.folder / "htpasswd").write_text("owner:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n")
        modules = "".join(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so\n" for m in self.MODULES.split())
        user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
        text = (
            f"ServerRoot {self.folder}\nPidFile {self.folder}/apache.pid\nErrorLog {self.folder}/error.log\nServerName apache.jp\n{user}"
            f"Listen {lab.at['apache']}:{lab.http_port}\n{modules}StartServers 1\nThreadsPerChild 16\nServerLimit 2\nMaxRequestWorkers 32\n"
            f"MinSpareThreads 4\nMaxSpareThreads 32\n<Directory />\nRequire all denied\n</Directory>\n"
            f'<Directory "{self.folder}">\nAllowOverride All\nRequire all granted\n</Directory>\n'
            f"<VirtualHost *>\nServerName apache.jp\nProxyPreserveHost On\n"
            f"ProxyPass {WELL_KNOWN} http://{lab.at['ours']}:{lab.http_port}{WELL_KNOWN}\n</VirtualHost>\n"
        )
        # The first host is the one for every name that no other has.
        for row in lab.rows:
            if row.htaccess is None:
                continue
            root = self.folder / row.name
            root.mkdir()
            (root / "index.html").write_text(f"<html><title>{row.name}</title></html>\n")
            (root / ".htaccess").write_text(lab.fill(row.htaccess, row) + "\n")
            text += f'<VirtualHost *>\nServerName {row.name}\nDocumentRoot "{root}"\n</VirtualHost>\n'
        (self.folder / "apache.conf").write_text(text)
        self.process = servers.Process("apache", ["apache2", "-f", self.folder / "apache.conf", "-D", "FOREGROUND"], self.folder)
        self.process.wait_until(lambda: servers.answers(lab.at["apache"], lab.http_port))

    def stop(self):
        self.process.stop()


class Haproxy:
    """A load balancer of ours, a CDN and a router: what a row says is done for its name, all others are answered rightly."""

    PLACES = ("haproxy", "cdn", "router")

    def __init__(self, lab):
        self.folder = pathlib.Path(lab.folder) / "haproxy"
        self.folder.mkdir()
        self.folder.chmod(0o755)
        text = (
            "global\n    maxconn 500\ndefaults\n    mode http\n    timeout connect 5s\n    timeout client 60s\n    timeout server 60s\n    retries 0\n"
        )
        for place in self.PLACES:
            text += f"frontend {place}\n    bind {lab.at[place]}:{lab.http_port}\n"
            rows = [row for row in lab.rows if place in row.haproxy]
            for row in rows:
                text += f"    use_backend {place}-{row.name} if {{ hdr(host),field(1,:),lower -m str {row.name} }}\n"
            text += f"    default_backend right-{place}\nbackend right-{place}\n"
            if place == "haproxy":
                for account, test in ((lab.account.key.thumbprint, "if"), (lab.thumbprint, "unless")):
                    text += (
                        f"    http-request return status 200 content-type text/plain lf-string %[path,field(4,/)].{account} "
                        f"{test} {{ path,field(4,/),length -m int eq 43 }}\n"
                    )
            else:  # hands on to us
                text += f"    server ours {lab.at['ours']}:{lab.http_port}\n"
            for row in rows:
                text += f"backend {place}-{row.name}\n" + "".join(
                    f"    {line.strip()}\n" for line in lab.fill(row.haproxy[place], row).splitlines()
                )
        # An address translated to ours: every byte is passed on, over both ports.
        for port, name in ((lab.http_port, "nat"), (lab.https_port, "nat-tls")):
            text += (
                f"frontend {name}\n    mode tcp\n    bind {lab.at['nat']}:{port}\n    default_backend {name}\nbackend {name}\n    mode tcp\n"
                f"    server ours {lab.at['ours']}:{port}\n"
            )
        # A filter before ours: others do not even get a connection that lives.
        for place, kept_out in lab.filters.items():
            text += (
                f"frontend {place}\n    mode tcp\n    bind {lab.at[place]}:{lab.http_port}\n    tcp-request connection reject if {{ src {' '.join(kept_out)} }}\n"
                f"    default_backend nat\n"
            )
        (self.folder / "haproxy.cfg").write_text(text)
        self.process = servers.Process("haproxy", ["haproxy", "-db", "-f", self.folder / "haproxy.cfg"], self.folder)
        self.process.wait_until(lambda: servers.answers(lab.at["nat"], lab.http_port))

    def stop(self):
        self.process.stop()


class Speaker:
    """Takes connections, reads a little, and does one thing with each."""

    def __init__(self, address, port, act):
        self.listener = socket.create_server((address, port), backlog=64)
        self.act = act
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            try:
                connection.settimeout(2)
                connection.recv(4096)
                self.act(connection)
            except OSError:
                pass  # whoever asked has left
            connection.close()

    def stop(self):
        self.listener.close()


def greet(connection):
    connection.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")


def cut(connection):
    """Ends with a reset, as a firewall does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


class Full:
    """Listens, and lets nobody in: its queue is full, so that the kernel drops what comes (a firewall that drops looks the same)."""

    def __init__(self, address, port):
        self.listener = socket.socket()
        self.listener.bind((address, port))
        self.listener.listen(0)
        self.inside = [socket.socket() for _ in range(2)]
        for one in self.inside:
            one.setblocking(False)
            one.connect_ex((address, port))
        servers.until("the queue is full", lambda: not self._lets_in(address, port))

    @staticmethod
    def _lets_in(address, port):
        try:
            socket.create_connection((address, port), timeout=0.3).close()
        except TimeoutError:
            return False
        return True

    def stop(self):
        for one in (*self.inside, self.listener):
            one.close()
