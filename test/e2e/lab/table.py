"""The fixtures: one row each. What is built for the name, and what has to come out: the cause that is named first, who acts, and the
value to copy. A row without a cause is a healthy one, and no finding is its answer.

To add one: a row here, nothing else. `zone` are the records of its domain ("@" is the domain itself; {ours}, {elsewhere} … are the
machines of laboratory.PLACES); `second` are those of the second name server, where it differs; None: a server that has lost the zone.
`nginx`, `haproxy`: what that server does for the name, at a place; `htaccess`: the file in the site's folder at Apache; `tls`: the
certificate shown at a place. `verdict`: what a CA says where it has to differ from what koshin says, and why."""

import dataclasses

HERE = ("@ A {ours}",)
APACHE, HAPROXY, CDN = ("@ A {apache}",), ("@ A {haproxy}",), ("@ A {cdn}",)
A_OURS = "{name}. 3600 IN A {ours}"
PATH = "/.well-known/acme-challenge/"
NO_CAA = (
    "Queries for the CAA record of {name} fail. If there is no such record, please answer NOERROR with an empty answer."
)
ISSUE = '{name}. CAA 0 issue "{ca}"'
LONG = "<html><head><title>Our shop</title></head><body>" + "welcome " * 40 + "</body></html>"

PASSES, FAILS, BY_CHANCE = "passes", "fails", "by chance"


@dataclasses.dataclass(frozen=True)
class Sign:
    """How the zone is signed: `ds` at the zone above is that of its key, of another one, or missing."""

    ds: str | None = "right"
    is_signed: bool = True
    days: tuple = (-1, 30)
    without: tuple = ()


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    built: str
    cause: str | None = None
    who: str | None = None
    copy: str | None = None
    _: dataclasses.KW_ONLY
    zone: tuple = HERE
    second: tuple | None = ()
    changed: tuple | None = None
    remembered_by: str = "host"  # whose resolver keeps what was before: "host", or "visitors"
    abroad: tuple = ()  # records "TYPE VALUE" of the name that the resolver gives to the vantage point in Oregon alone
    ns: tuple = ("first", "second")
    lame: tuple = ()
    manner: str = "plain"
    sign: Sign | None = None
    nginx: dict = dataclasses.field(default_factory=dict)
    haproxy: dict = dataclasses.field(default_factory=dict)
    htaccess: str | None = None
    tls: dict = dataclasses.field(default_factory=dict)
    mail: str | None = None  # the certificate that a mail server of ours shows beside the web; "held": koshin's own
    https: str = ""  # what nginx does there beside the challenge
    home: str = ""  # the same over http, in the place of what koshin has put there for a site
    registered: dict | None = None  # what the registry says of the domain
    is_registered: bool = True  # it has a delegation
    site: tuple = ()  # names of a site with a certificate; everything else of the row but `zone` and `haproxy` comes after it was issued
    options: dict = dataclasses.field(default_factory=dict)
    is_early: bool = False  # its servers are so already while the certificate is issued
    draft: tuple = ()  # a setting that was begun and left
    is_hasty: bool = False  # something in it never answers: it is looked at with little patience
    later: str = "0 s"  # how much later than now is looked
    visitor: str | None = None  # what one visitor's browser said
    seen: str | None = None  # what was found, as the finding tells it
    also: tuple = ()  # causes that are noticed too
    told: dict = dataclasses.field(default_factory=dict)  # of some of these: who acts, and the value to copy
    verdict: dict = dataclasses.field(default_factory=dict)  # judge -> (what it says, why koshin says something else)

    @property
    def domain(self):
        return ".".join(self.name.split(".")[-2:])


def both(what, why):
    return {"pebble": (what, why), "fake": (what, why)}


def either(why):
    return both(BY_CHANCE, why)


ONE_PLACE = both(PASSES, "the judges look from one place alone, and that is let in")
IMPATIENT = {"pebble": (BY_CHANCE, "pebble waits two seconds for DNS, and no longer")}
COMPETING = both(PASSES, "koshin orders nothing beside another program, the CA would")
HTTP_ALONE = {"fake": (FAILS, "the fake CA follows redirects to http alone")}


HSTS = 'add_header Strict-Transport-Security "max-age=31536000";'
UPGRADE = 'add_header Content-Security-Policy "default-src https:; upgrade-insecure-requests";'


def page(html):
    html = html.replace("'", '"')
    return f"location = / {{{{ default_type text/html; return 200 '<html>{html}</html>'; }}}}"


def well(name, built, **more):
    return Row(name, built, **more)


def at(place, snippet):
    return {place: snippet}


ROWS = (
    # --- healthy neighbours: one on every server that a broken one stands on ---
    well("well.jp", "nginx of ours, two name servers"),
    well("apache.jp", "Apache of ours", zone=APACHE),
    well("haproxy.jp", "HAProxy of ours", zone=HAPROXY),
    well("cdn.jp", "a CDN in front that passes on", zone=CDN),
    well("nat.jp", "an address that is translated to ours", zone=("@ A {nat}",)),
    well("v6.jp", "IPv6 alone", zone=("@ AAAA {v6}",)),
    well("both.jp", "IPv4 and IPv6", zone=("@ A {ours}", "@ AAAA {v6}")),
    well("three.jp", "three addresses of ours", zone=("@ A {ours}", "@ A {apache}", "@ A {haproxy}")),
    well("www.alias.jp", "an alias of a name of ours", zone=("@ A {ours}", "www CNAME alias.jp.")),
    well("signed.jp", "DNSSEC, well signed", sign=Sign()),
    well("unbroken.jp", "signed, without DS above", sign=Sign(ds=None)),
    well("caa.jp", "CAA that allows our CA", zone=("@ A {ours}", '@ CAA 0 issue "{ca}"', '@ CAA 0 iodef "mailto:a@caa.jp"')),
    well("plain.jp", "one name server of our own making, with good manners", ns=("odd",)),
    well("small.jp", "a name server that loses the letters' case", ns=("odd",), manner="small letters"),
    well("slow.jp", "a name server that is slow", ns=("odd",), manner="slow",
         verdict=IMPATIENT),
    well("twin.jp", "another address of nginx", zone=("@ A {twin}",)),
    well("tohttps.jp", "a redirect to HTTPS", nginx=at("ours", "return 301 https://$host:{https_port}$request_uri;"), tls={"ours": "right"},
         verdict=HTTP_ALONE),
    well("site.jp", "a site of ours, with its certificate", site=("site.jp",)),
    well("www.pair.jp", "a site of two names, with the redirect to HTTPS", site=("pair.jp", "www.pair.jp"), options={"redirect": True},
         zone=("@ A {ours}", "www CNAME pair.jp.")),
    well("shown.jp", "a certificate of its own", tls={"ours": "right"}),
    well("linked.jp", "a page that names http, and loads nothing over it", tls={"ours": "right"}, https=page(
        '<a href="http://linked.jp/">us</a><!-- <img src="http://linked.jp/old.png"> --><script>x = "<img src=http://linked.jp/x.png>";</script>'
        '<img src="/new.png"><img src="https://linked.jp/new.png"><img src="http://127.0.0.1/own.png">')),
    well("upgraded.jp", "a page that asks to be loaded over https alone", tls={"ours": "right"}, https=HSTS + UPGRADE + page('<img src="http://upgraded.jp/a.png">')),
    well("cookie.jp", "a page that forwards to itself until it has a cookie", tls={"ours": "right"},
         https='location = / {{ add_header Set-Cookie "seen=1; Path=/"; if ($cookie_seen != "1") {{ return 302 $request_uri; }} return 200; }}'),
    well("letters.jp", "mail shows what the web shows", site=("letters.jp",), mail="held"),
    well("unlisted.jp", "a certificate that the list of its issuer does not have", tls={"ours": "on no list"}),
    # --- the registry ---
    Row("ended.jp", "the domain has ended", "registration.domain.expired", "domain-company", "ended.jp", is_registered=False,
        registered={"states": ["redemption period"], "expires": "2026-01-05T00:00:00Z"}),
    Row("parked-end.jp", "the domain has ended, and its company shows a page", "registration.domain.expired", "domain-company", "parked-end.jp",
        zone=("@ A {elsewhere}",), registered={"states": ["pending delete"], "expires": "2026-01-05T00:00:00Z"}),
    Row("held.jp", "the domain is on hold", "registration.domain.on-hold", "domain-company", "held.jp", is_registered=False,
        registered={"states": ["client hold"], "expires": "2036-01-01T00:00:00Z"}),
    Row("late.jp", "the domain has ended, and still works", "registration.domain.expiring", "domain-company", "late.jp",
        registered={"states": ["auto renew period"], "expires": "2026-01-05T00:00:00Z"}),
    Row("nobodys.jp", "nobody has registered it", "registration.domain.unregistered", "owner", None, is_registered=False),
    # --- addresses ---
    Row("empty.jp", "a zone without an address", "dns.address.missing", "domain-company", A_OURS, zone=('@ TXT "nothing"',)),
    Row("shop.noshop.jp", "the domain is there, the name is not", "dns.address.missing", "domain-company", A_OURS),
    Row("moved.jp", "A leads to another company", "dns.a.elsewhere", "domain-company", A_OURS, zone=("@ A {elsewhere}",), seen="{elsewhere}"),
    Row("half.jp", "one A of ours, one of another company", "dns.a.partly-elsewhere", "domain-company",
        "{name}. 3600 IN A {elsewhere}", zone=("@ A {ours}", "@ A {elsewhere}"),
        verdict=either("the CA takes one of the two addresses"), seen="{elsewhere}"),
    Row("oldsix.jp", "IPv4 right, IPv6 another server", "dns.aaaa.elsewhere", "domain-company", "{name}. 3600 IN AAAA {v6}",
        zone=("@ A {ours}", "@ AAAA {v6}"), nginx=at("v6", "return 404;")),
    Row("oldfour.jp", "IPv6 right, IPv4 another server", "dns.a.elsewhere", "domain-company", A_OURS,
        zone=("@ A {elsewhere}", "@ AAAA {v6}"),
        verdict=both(PASSES, "a CA looks at IPv6 alone; koshin waits for what visitors of IPv4 see")),
    Row("onlysix.jp", "IPv6 alone, and it is another server", "dns.aaaa.elsewhere", "domain-company", "{name}. 3600 IN AAAA {v6}",
        zone=("@ AAAA {v6}",), nginx=at("v6", "return 404;")),
    Row("deadsix.jp", "IPv4 right, IPv6 leads nowhere", "dns.aaaa.unreachable", "domain-company", "{name}. 3600 IN AAAA 2001:db8::5",
        zone=("@ A {ours}", "@ AAAA 2001:db8::5"), verdict={"pebble": (FAILS, "pebble does not fall back to IPv4")}),
    Row("lostsix.jp", "the same, and a redirect on the way", "dns.aaaa.fallback-lost", "domain-company", "{name}. 3600 IN AAAA 2001:db8::5",
        zone=("@ A {ours}", "@ AAAA 2001:db8::5"), nginx=at("ours", "return 301 https://$host:{https_port}$request_uri;"), tls={"ours": "right"}),
    Row("inside.jp", "an address of the machine itself", "dns.address.reserved", "domain-company", A_OURS, zone=("@ A 127.0.0.1",)),
    Row("lan.jp", "an address of the office's network", "dns.address.reserved", "domain-company", A_OURS, zone=("@ A 192.0.2.10",)),
    Row("www.dangling.jp", "an alias of a name that is gone", "dns.cname.broken", "domain-company", A_OURS,
        zone=("@ A {ours}", "www CNAME gone.well.jp.")),
    Row("www.circle.jp", "aliases in a circle", "dns.cname.broken", "domain-company", A_OURS,
        zone=("@ A {ours}", "www CNAME web.circle.jp.", "web CNAME www.circle.jp.")),
    Row("wild.jp", "a wildcard leads every name here", "dns.wildcard.present", "nobody", None, zone=("@ A {ours}", "* A {ours}")),
    # --- name servers ---
    Row("cached.jp", "changed a moment ago, the old answer is remembered", "dns.answer.still-cached", "nobody", None,
        zone=("@ A {elsewhere}",), changed=("@ A {ours}",), seen="{elsewhere}"),
    Row("spread.jp", "the same, and only a resolver of the visitors remembers", "dns.answer.still-cached", "nobody", None,
        zone=("@ A {elsewhere}",), changed=("@ A {ours}",), remembered_by="visitors", seen="{elsewhere}"),
    Row("lame.jp", "nobody listens at one of two name servers", "dns.delegation.lame", "domain-company", A_OURS, ns=("first", "nobody"), seen="ns2.lame.jp"),
    Row("deaf.jp", "one of two name servers does not answer", "dns.delegation.lame", "domain-company", A_OURS, ns=("first", "deaf"),
        verdict=IMPATIENT, seen="ns2.deaf.jp", is_hasty=True),
    Row("lost.jp", "one of two name servers does not know the zone", "dns.delegation.lame", "domain-company", A_OURS, lame=("second",), seen="ns2.lost.jp"),
    Row("unloaded.jp", "one of two name servers has lost the zone's file", "dns.delegation.lame", "domain-company", A_OURS, second=None, seen="ns2.unloaded.jp"),
    Row("stale.jp", "the second name server has an old zone", "dns.ns.inconsistent", "domain-company", A_OURS, second=("@ A {elsewhere}",),
        verdict=either("the CA asks one of the two servers"), seen="ns1.stale.jp: {ours}; ns2.stale.jp: {elsewhere}"),
    Row("broken.jp", "both name servers have lost the zone's file", "dns.lookup.servfail", "nobody", None, zone=None, second=None),
    Row("refused.jp", "the name server refuses", "dns.lookup.servfail", "nobody", None, ns=("odd",), manner="REFUSED"),
    Row("silent.jp", "no name server answers", "dns.lookup.timeout", "nobody", None, ns=("deaf",), is_hasty=True),
    Row("number.jp", "answers that belong to no question", "dns.lookup.timeout", "nobody", None, ns=("odd",), manner="wrong number", is_hasty=True),
    Row("cut.jp", "answers that are cut, and no TCP", "dns.ns.noncompliant", "domain-company", A_OURS, ns=("odd",), manner="cut", is_hasty=True),
    Row("edns.jp", "a name server that hears no question of today", "dns.ns.noncompliant", "domain-company", A_OURS, ns=("odd",),
        manner="silent to EDNS", seen="ns1.edns.jp", is_hasty=True),
    Row("a.b.between.jp", "a name between is denied", "dns.parent.nxdomain", "domain-company", A_OURS, ns=("odd",), manner="denies between", seen="b.between.jp"),
    # --- DNSSEC ---
    Row("olds.jp", "signatures that have ended", "dns.dnssec.rrsig-out-of-date", "domain-company", None, sign=Sign(days=(-20, -2))),
    Row("news.jp", "signatures that have not begun", "dns.dnssec.rrsig-out-of-date", "domain-company", None, sign=Sign(days=(2, 20))),
    Row("otherds.jp", "DS of another key", "dns.dnssec.ds-mismatch", "domain-company", "{name}. DS {ds}", sign=Sign(ds="other")),
    Row("leftds.jp", "DS left over, the zone is not signed any more", "dns.dnssec.ds-mismatch", "domain-company", "{name}. DS {ds}",
        sign=Sign(is_signed=False)),
    Row("bare.jp", "one record without its signature", "dns.dnssec.unverifiable", "domain-company", None, sign=Sign(without=("A",))),
    # --- CAA ---
    Row("otherca.jp", "CAA for another CA", "dns.caa.forbids", "domain-company", ISSUE, zone=("@ A {ours}", '@ CAA 0 issue "other-ca.example"')),
    Row("noca.jp", "CAA for nobody", "dns.caa.forbids", "domain-company", ISSUE, zone=("@ A {ours}", '@ CAA 0 issue ";"')),
    Row("shop.above.jp", "CAA for another CA, at the domain above the name", "dns.caa.forbids", "domain-company", 'above.jp. CAA 0 issue "{ca}"',
        zone=("@ A {ours}", "shop A {ours}", '@ CAA 0 issue "other-ca.example"')),
    Row("critical.jp", "a critical CAA record that nobody knows", "dns.caa.critical-unknown", "domain-company", '{name}. CAA 128 tbs "unknown"',
        zone=("@ A {ours}", '@ CAA 0 issue "{ca}"', '@ CAA 128 tbs "unknown"')),
    Row("account.jp", "CAA for another account", "dns.caa.parameter-mismatch", "domain-company", ISSUE,
        zone=("@ A {ours}", '@ CAA 0 issue "{ca}; accounturi=https://ca.example/acct/99"')),
    Row("*.wildcaa.jp", "a wildcard, which CAA keeps from everybody", "registration.wildcard.http-only", "owner", None,
        zone=("@ A {ours}", '@ CAA 0 issue "{ca}"', '@ CAA 0 issuewild ";"'),
        also=("dns.caa.forbids-wildcard",), told={"dns.caa.forbids-wildcard": ("domain-company", 'wildcaa.jp. CAA 0 issuewild "{ca}"')}),
    Row("*.twice.jp", "a wildcard, and a proof that was entered with the domain twice", "registration.wildcard.http-only", "owner", None,
        zone=("@ A {ours}", '_acme-challenge.twice.jp.twice.jp. TXT "' + "p" * 43 + '"'), also=("dns.txt.misplaced",),
        told={"dns.txt.misplaced": ("domain-company", "_acme-challenge")}),
    Row("method.jp", "CAA for another method", "dns.caa.parameter-mismatch", "domain-company", ISSUE,
        zone=("@ A {ours}", '@ CAA 0 issue "{ca}; validationmethods=dns-01"')),
    Row("notimp.jp", "the name server does not know CAA", "dns.caa.lookup-failed", "domain-company", NO_CAA, ns=("odd",), manner="CAA NOTIMP"),
    Row("caafail.jp", "the name server fails at CAA", "dns.caa.lookup-failed", "domain-company", NO_CAA, ns=("odd",), manner="CAA SERVFAIL"),
    Row("caadeaf.jp", "the name server does not hear CAA", "dns.caa.lookup-failed", "domain-company", NO_CAA, ns=("odd",), manner="silent to CAA", is_hasty=True),
    # --- connections ---
    Row("closed.jp", "nobody listens at an address of ours", "transport.port80.closed", "host", None, zone=("@ A {closed}",)),
    Row("noroute.jp", "an address of ours to which no way leads", "transport.connect.unreachable", "host", None, zone=("@ A {nowhere}",), seen="{nowhere}"),
    Row("full.jp", "an address of ours lets nobody in", "transport.port80.closed", "host", None, zone=("@ A {full}",), is_hasty=True),
    Row("cdnclosed.jp", "nobody listens at the CDN", "transport.port80.closed-elsewhere", "domain-company", A_OURS, zone=("@ A {cdn_closed}",)),
    Row("cutting.jp", "a firewall of ours cuts the connection", "transport.connect.reset", "host", None, zone=("@ A {cutting}",)),
    Row("hangup.jp", "nginx hangs up without a word", "transport.connect.reset", "host", None, nginx=at("ours", "return 444;")),
    Row("mute.jp", "connected, and no answer", "transport.read.timeout", "host", None, zone=HAPROXY, haproxy=at("haproxy", "http-request silent-drop"), is_hasty=True),
    Row("ssh.jp", "something else than a web server behind the CDN", "transport.protocol.mismatch", "domain-company", A_OURS, zone=("@ A {cdn_odd}",)),
    Row("oldtls.jp", "a redirect to HTTPS of another age", "transport.tls.handshake-failed", "host", None, zone=("@ A {oldtls}",),
        nginx=at("oldtls", "return 301 https://$host:{https_port}$request_uri;"), tls={"oldtls": "tls 1.0"}),
    Row("router.jp", "a home router, with a certificate that it has made itself", "dns.a.elsewhere", "domain-company", A_OURS, zone=("@ A {router}",),
        also=("transport.router.answers",), tls={"router": "self-signed"}, haproxy=at("router", 'http-request return status 401 hdr Server "RomPager/4.51 UPnP/1.0" content-type text/html string "<html>Protected</html>"')),
    # --- what is answered ---
    Row("nofile.jp", "our nginx without the line for challenges", "own.challenge.not-served", "host", None, nginx=at("ours", "return 404;")),
    Row("nodes.jp", "one of two nodes of ours lacks it", "own.challenge.partly-served", "host", None, zone=HAPROXY,
        haproxy=at("haproxy", "balance roundrobin\nserver one {ours}:{http_port}\nserver two {elsewhere}:{http_port}"),
        verdict=either("the CA meets one node or the other")),
    Row("password.jp", "a password on the whole site, in .htaccess", "http.challenge.unauthorized", "host", None, zone=APACHE,
        htaccess='AuthType Basic\nAuthName "members"\nAuthUserFile {folder}/apache/htpasswd\nRequire valid-user'),
    Row("denied.jp", "no entry, in .htaccess", "http.challenge.forbidden", "host", None, zone=APACHE, htaccess="Require all denied"),
    Row("abroad.jp", "a country filter", "http.challenge.forbidden", "host", None, zone=HAPROXY,
        haproxy=at("haproxy", "acl japan src 192.0.2.0/24\nhttp-request deny deny_status 403 unless japan")),
    Row("maintenance.jp", "a maintenance plugin", "http.plugin.intercepts", "host", None,
        nginx=at("ours", "default_type text/html; return 503 '<html><title>Maintenance</title>Briefly unavailable for scheduled maintenance.</html>';")),
    Row("pages.jp", "every path is a page of the CMS", "http.rewrite.intercepts", "host", None, zone=APACHE,
        htaccess="RewriteEngine On\nRewriteRule !^index.html$ /index.html [L]"),
    Row("forwards.jp", "a redirect to another company", "http.redirect.elsewhere", "host", None, nginx=at("ours", "return 301 http://moved.jp:{http_port}$request_uri;")),
    Row("numbered.jp", "a redirect to the address of another company", "http.redirect.elsewhere", "host", None,
        nginx=at("ours", "return 301 http://{elsewhere}:{http_port}$request_uri;")),
    Row("nowhere.jp", "a redirect to a name without an address", "http.redirect.unresolvable", "web-owner", None, zone=APACHE,
        htaccess="Redirect 301 / http://gone.well.jp:{http_port}/"),
    Row("slash.jp", "a redirect that has lost a slash", "http.redirect.slash-missing", "web-owner", None, zone=APACHE,
        htaccess="Redirect 301 / http://slash.jp"),
    Row("loop.jp", "a redirect in a circle", "http.redirect.loop", "web-owner", None, zone=APACHE,
        htaccess="RewriteEngine On\nRewriteRule ^ http://loop.jp:{http_port}%{{REQUEST_URI}} [R=302,L]"),
    Row("long.jp", "more redirects than anybody follows", "http.redirect.loop", "web-owner", None, nginx=at("ours", "return 302 /x$uri;")),
    Row("port.jp", "a redirect to a port like 8080", "http.redirect.disallowed", "host", None, nginx=at("ours", "return 301 http://$host:8080$request_uri;")),
    Row("number-address.jp", "a redirect to an address inside", "http.redirect.disallowed", "host", None,
        nginx=at("ours", "return 301 http://127.0.0.1:{http_port}$request_uri;")),
    Row("other-scheme.jp", "a redirect to FTP", "http.redirect.disallowed", "host", None, nginx=at("ours", "return 301 ftp://$host/;")),
    Row("see.jp", "a redirect with status 303", "http.redirect.disallowed", "host", None,
        nginx=at("ours", "return 303 http://well.jp:{http_port}$request_uri;"),
        verdict={"pebble": (PASSES, "pebble follows every status")}),
    Row("error.jp", "an error of the web server", "http.server.error", "host", None, nginx=at("ours", "return 500;")),
    Row("gateway.jp", "the program behind the web server is gone", "http.server.error", "host", None, zone=HAPROXY,
        haproxy=at("haproxy", "server gone {closed}:{http_port}")),
    Row("testcookie.jp", "a filter against robots", "http.bot-filter.blocks", "web-owner", PATH,
        nginx=at("ours", "default_type text/html; return 200 '<html><script src=\"/aes.js\"></script><script>document.cookie=\"__test=1\"</script></html>';")),
    Row("waf.jp", "a web application firewall", "http.bot-filter.blocks", "web-owner", PATH, zone=HAPROXY,
        haproxy=at("haproxy", 'http-request return status 403 content-type text/html string "<html>FortiGuard Intrusion Prevention: Access Blocked</html>"')),
    Row("second-client.jp", "another ACME client answers", "http.key-authorization.foreign", "web-owner", None,
        nginx=at("ours", "location ~ (?<t>[^/]+)$ {{ default_type text/plain; return 200 $t.{other}; }}")),
    Row("bom.jp", "our answer with a mark in front of it", "http.body.altered", "host", None,
        nginx=at("ours", "location ~ (?<token>[^/]+)$ {{ default_type text/plain; return 200 \ufeff$token.$thumbprint; }}")),
    Row("kept.jp", "a cache that keeps an old answer", "http.cache.stale", "web-owner", PATH, zone=HAPROXY,
        haproxy=at("haproxy", 'http-request return status 404 hdr Age 3600 hdr X-Cache HIT content-type text/plain string "not found"')),
    # --- a CDN in front ---
    Row("attack.jp", "the CDN asks whether one is a human", "http.cdn.blocks", "domain-company", PATH, zone=CDN,
        haproxy=at("cdn", 'http-request return status 403 hdr Server cloudflare hdr cf-mitigated challenge content-type text/html string "<html><title>Just a moment...</title></html>"')),
    Row("origin.jp", "the CDN does not reach us", "http.cdn.origin-failed", "domain-company", A_OURS, zone=CDN,
        haproxy=at("cdn", 'http-request return status 522 hdr Server cloudflare content-type text/plain string "522"')),
    Row("wrongorigin.jp", "the CDN passes on to another server", "http.server.foreign", "domain-company", A_OURS, zone=CDN,
        haproxy=at("cdn", "server other {elsewhere}:{http_port}")),
    Row("parkedcdn.jp", "the CDN shows a parking page", "http.page.parked", "domain-company", A_OURS, zone=CDN,
        haproxy=at("cdn", 'http-request return status 200 content-type text/html string "<html>This domain is for sale. Buy this domain!</html>"')),
    Row("cdnloop.jp", "the CDN and a redirect in a circle", "http.redirect.loop", "web-owner", None, zone=CDN,
        haproxy=at("cdn", "http-request redirect location http://{name}:{http_port}%[path] code 301")),
    Row("turns.jp", "two servers behind the CDN, one of them old", "http.server.inconsistent", "domain-company", A_OURS, zone=CDN,
        haproxy=at("cdn", "balance roundrobin\nserver new {ours}:{http_port}\nserver old {elsewhere}:{http_port}"),
        verdict=either("the CA meets one server or the other")),
    Row("flexible.jp", "the CDN comes to us over http, and we forward to https", "http.cdn.redirect-loop", "domain-company", "Full (strict)",
        site=("flexible.jp",), zone=CDN, options={"redirect": True}, tls={"cdn": "right"}, is_early=True,
        home="location / {{ return 301 https://$host:{https_port}$request_uri; }}",
        https="location / {{ proxy_pass http://{ours}:{http_port}; proxy_set_header Host $host; }}",
        also=("served.certificate.from-cdn",), seen="https://{name}:{https_port}/"),
    Row("parked.jp", "a parking page at another company", "dns.a.elsewhere", "domain-company", A_OURS, zone=("@ A {elsewhere}",),
        also=("http.page.parked",), nginx=at("elsewhere", "default_type text/html; return 200 '<html>This domain is parked. sedoparking</html>';")),
    # --- from other networks ---
    well("sameabroad.jp", "the same answer in all networks, given by a view of its own", abroad=("A {ours}",)),
    well("oursabroad.jp", "another address of ours abroad", abroad=("A {twin}",)),
    Row("inland.jp", "a filter that lets in nobody from abroad", "transport.connect.geo-blocked", "host", "", zone=("@ A {inland}",), seen="tokyo, oregon"),
    Row("someplaces.jp", "a filter that keeps out one network", "transport.secondary-validation.timeout", "host", "", zone=("@ A {some}",), seen="oregon",
        verdict=ONE_PLACE),
    Row("split.jp", "DNS that leads elsewhere abroad", "dns.view.split", "domain-company", A_OURS, abroad=("A {elsewhere}",), seen="oregon: {elsewhere}",
        verdict=ONE_PLACE),
    Row("onedenied.jp", "a rule of the web server that denies one network", "http.challenge.forbidden", "host", "", zone=HAPROXY, seen="oregon: 403",
        haproxy=at("haproxy", "http-request deny deny_status 403 if {{ src {oregon} }}\nserver ours {ours}:{http_port}"), verdict=ONE_PLACE),
    Row("guarded.jp", "a CDN that denies one network", "http.cdn.blocks", "domain-company", PATH, zone=CDN,
        haproxy=at("cdn", "http-request return status 403 hdr Server cloudflare content-type text/plain string denied if {{ src {oregon} }}\nserver ours {ours}:{http_port}"),
        verdict=ONE_PLACE),
    # --- what visitors get ---
    Row("over.jp", "a certificate that has ended", "served.expired", "host", None, tls={"ours": "expired"}),
    Row("early.jp", "a certificate that has not begun", "served.certificate.wrong", "host", None, tls={"ours": "early"}),
    Row("strange.jp", "the certificate of another site", "served.certificate.wrong", "host", None, tls={"ours": "other name"}),
    Row("self.jp", "a certificate that a machine has made itself", "served.certificate.wrong", "host", None, tls={"ours": "self-signed"}),
    Row("apex.jp", "a certificate for www alone", "served.name.missing", "domain-company", A_OURS, tls={"ours": "www only"}),
    Row("insisting.jp", "a certificate that has ended, of a page that insists on https", "served.expired", "host", None, tls={"ours": "expired"},
        https=HSTS + page("welcome"), also=("served.hsts.no-recourse",), told={"served.hsts.no-recourse": ("host", "")}),
    Row("mixed.jp", "a page that loads pictures over http", "served.content.mixed", "web-owner",
        'Header always set Content-Security-Policy "upgrade-insecure-requests"', tls={"ours": "right"},
        https=page('<link rel=stylesheet href="/s.css"><img alt=a src="http://pictures.mixed.jp/a.png?size=2"><script src=HTTP://mixed.jp/b.js></script>'),
        seen="http://pictures.mixed.jp/a.png"),
    Row("homecircle.jp", "a program that leads whoever comes by https back to where it is", "http.home.redirect-loop", "web-owner", None, tls={"ours": "right"},
        https="location / {{ return 301 https://$host:{https_port}$request_uri; }}", seen="https://{name}:{https_port}/"),
    Row("device.jp", "one visitor is warned, nobody else", "served.client.outdated", "nobody", None, tls={"ours": "right"},
        visitor="NET::ERR_CERT_DATE_INVALID"),
    well("inward.jp", "a certificate whose list would be in a network of ours", tls={"ours": "on a list inside"}),
    Row("revoked.jp", "a certificate that its issuer has taken back", "served.revoked", "host", "", tls={"ours": "revoked"}),
    well("forged.jp", "a list of revoked certificates that somebody else has signed", tls={"ours": "on a forged list"}),
    Row("chain.jp", "the intermediate is not sent", "served.chain.incomplete", "host", None, tls={"ours": "no chain"}),
    # --- sites of ours, whose certificate was issued before this went wrong ---
    Row("www.partly.jp", "www has no address, the domain itself is safe", "dns.address.partly-missing", "domain-company", A_OURS,
        site=("partly.jp", "www.partly.jp")),
    Row("www.unused.jp", "www has had no address for forty days", "own.name.unused", "owner", None, site=("unused.jp", "www.unused.jp"), later="40 d"),
    Row("drafted.jp", "a setting that was begun a week ago", "own.draft.abandoned", "host", None, site=("drafted.jp",),
        draft=("--redirect", "on"), later="8 d"),
    Row("other-cert.jp", "another program's certificate is served in place of ours", "own.order.competing", "owner", None, site=("other-cert.jp",),
        tls={"ours": "right"}, verdict=COMPETING),
    Row("over-site.jp", "what is served has ended, and the redirect is on", "own.deploy.not-served", "host", None, site=("over-site.jp",),
        options={"redirect": True}, tls={"ours": "expired"}, also=("served.expired", "served.redirect.unsafe")),
    Row("oldmail.jp", "mail shows the certificate of before", "own.deploy.partly-served", "host", "", site=("oldmail.jp",), mail="before", seen="{mail_port}"),
    Row("othermail.jp", "mail shows the certificate of the mail server", "served.service.name-mismatch", "owner", "shop.example.com", site=("othermail.jp",),
        mail="other name", seen="{mail_port}"),
    Row("dark.jp", "HTTPS does not answer any more", "served.unreachable", "host", None, site=("dark.jp",), tls={"ours": "none"}),
    Row("uneven.jp", "one of two addresses serves another program's certificate", "own.order.competing", "owner", None, site=("uneven.jp",), verdict=COMPETING,
        zone=("@ A {ours}", "@ A {twin}"), tls={"twin": "right"}, also=("served.address.inconsistent",)),
    Row("edge.jp", "the CDN shows a certificate of its own", "served.certificate.from-cdn", "nobody", None, site=("edge.jp",), zone=CDN,
        tls={"cdn": "right"}),
    Row("ending.jp", "the certificate ends soon, and no new one came", "served.expiring", "host", None, site=("ending.jp",), later="70 d"),
)  # fmt: skip
