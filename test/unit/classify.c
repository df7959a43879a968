/* From evidence to findings: a row for each way in which a site can be ill. */
#include "test/unit/classify_world.h"

struct row {
	int line;
	const char *how, *names[3], *wanted;
	const char *seen, *copy; /* of the first finding; NULL: not looked at */
};
#define ROW(how, name, wanted, ...) \
	{ \
		__LINE__, how, { name }, wanted, __VA_ARGS__ \
	}
#define TWO(how, one, two, wanted, ...) \
	{ \
		__LINE__, how, { one, two }, wanted, __VA_ARGS__ \
	}
#define TOKYO "from=tokyo "
#define OREGON "from=oregon "
#define A_RECORD "www.example.jp. 3600 IN A 203.0.113.10"

static const struct row rows[] = {
	ROW("", W OK4, "", NULL, NULL),

	/* our own resolver */
	ROW("dead", W "a=timeout aaaa=timeout caa-status=timeout", "own.resolver.unavailable",
	    NULL, NULL),
	ROW("", W "a=local aaaa=local caa-status=local", "own.resolver.unavailable", NULL,
	    NULL),
	ROW("dead cut", W "a=timeout aaaa=timeout caa-status=timeout", "own.network.down", NULL, NULL),
	ROW("cut", W OK4, "", NULL, NULL),
	TWO("dead", W "a=servfail aaaa=servfail", "example.jp a=timeout aaaa=timeout",
	    "own.resolver.unavailable|own.resolver.unavailable", NULL, NULL),
	ROW("", W "a=timeout aaaa=timeout caa-status=timeout", "dns.lookup.timeout", NULL,
	    NULL),

	/* registration */
	ROW("", W "a=nx aaaa=nx reg=nx", "registration.domain.unregistered", "example.jp",
	    NULL),
	ROW("", W "a=nx aaaa=nx reg=ok", "dns.address.missing", NULL, A_RECORD),
	ROW("", W "a=nx aaaa=nx reg=servfail", "dns.address.missing", NULL, A_RECORD),
	ROW("", "*.example.jp a=none aaaa=none", "registration.wildcard.http-only",
	    "*.example.jp", NULL),

	/* no address */
	ROW("", W, "dns.address.missing", NULL, A_RECORD),
	TWO("", "example.jp " OK4, W "a=nx aaaa=nx reg=ok", "|dns.address.partly-missing", NULL,
	    A_RECORD),
	TWO("", "example.jp " OK4, W, "|dns.address.partly-missing", NULL, A_RECORD),
	TWO("", "example.jp", W, "dns.address.missing|dns.address.missing", NULL, NULL),
	TWO("", "example.jp ip=198.51.100.5", W, "dns.a.elsewhere|dns.address.missing", NULL,
	    NULL),
	TWO("", "example.jp " OK4 "tls=held-expired", W,
	    "served.expired|dns.address.partly-missing", NULL, NULL),
	ROW("", W "aaaa=servfail", "dns.address.missing", NULL, A_RECORD),
	ROW("", W "a=servfail", "dns.lookup.servfail", "SERVFAIL", NULL),
	ROW("", W "a=servfail aaaa=servfail caa-status=servfail", "dns.lookup.servfail", NULL,
	    NULL),
	ROW("", W "a=broken aaaa=broken", "dns.lookup.servfail", NULL, NULL),
	ROW("", W "a=servfail ip=2001:db8::10", "", NULL, NULL),
	ROW("", W "aaaa=timeout " OK4, "", NULL, NULL),
	ROW("", W "aaaa=bogus why=signature_expired " OK4, "", NULL, NULL),

	/* aliases */
	ROW("", W "a=nx aaaa=nx cname=gone.example.com", "dns.cname.broken", "gone.example.com",
	    A_RECORD),
	ROW("", W "cname=empty.example.com", "dns.cname.broken", "empty.example.com", A_RECORD),
	ROW("", W "a=servfail aaaa=servfail cname=b.example.jp loop", "dns.cname.broken",
	    "b.example.jp", A_RECORD),
	ROW("", W "a=servfail aaaa=servfail cname=b.example.jp", "dns.lookup.servfail", NULL,
	    NULL),
	ROW("", W "cname=front.example.com " OK4, "", NULL, NULL),

	/* DNSSEC: the words of Unbound 1.17 */
	ROW("",
	    W "a=bogus aaaa=bogus caa-status=bogus "
	      "why=validation_failure_<www.example.jp._A_IN>:_signature_expired_from_192.0.2.1",
	    "dns.dnssec.rrsig-out-of-date", NULL, NULL),
	ROW("", W "a=bogus aaaa=bogus why=signature_before_inception_date_from_192.0.2.1",
	    "dns.dnssec.rrsig-out-of-date", NULL, NULL),
	ROW("",
	    W "a=bogus aaaa=bogus why=no_keys_have_a_DS_with_algorithm_ECDSAP256SHA256_from",
	    "dns.dnssec.ds-mismatch", NULL, NULL),
	ROW("", W "a=bogus aaaa=bogus why=DS_hash_mismatches_key_from_192.0.2.1",
	    "dns.dnssec.ds-mismatch", NULL, NULL),
	ROW("", W "a=bogus aaaa=bogus why=no_DNSKEY_rrset_from_192.0.2.1",
	    "dns.dnssec.ds-mismatch", NULL, NULL),
	ROW("", W "a=bogus aaaa=bogus why=no_signatures_from_192.0.2.1",
	    "dns.dnssec.unverifiable", NULL, NULL),
	ROW("", W "a=bogus aaaa=bogus", "dns.dnssec.unverifiable", NULL, NULL),
	ROW("", W OK4 "caa-status=bogus why=signature_expired", "dns.dnssec.rrsig-out-of-date",
	    NULL, NULL),

	/* addresses */
	ROW("", W "ip=198.51.100.5", "dns.a.elsewhere", "198.51.100.5", A_RECORD),
	ROW("", W "ip=198.51.100.5 http=silent tls=silent", "dns.a.elsewhere", "198.51.100.5",
	    A_RECORD),
	ROW("", W "ip=198.51.100.5 http=ours tls=other", "", NULL, NULL),
	ROW("", W "ip=198.51.100.5 http=ours tls=held", "", NULL, NULL),
	ROW("no-http", W "ip=198.51.100.5 http=untried tls=other", "", NULL, NULL),
	ROW("", W OK4 "ip=198.51.100.5", "dns.a.partly-elsewhere", "198.51.100.5",
	    "www.example.jp. 3600 IN A 198.51.100.5"),
	ROW("", W OK4 "ip=203.0.113.11", "", NULL, NULL),
	ROW("", W OK4 "ip=198.51.100.5 http=ours tls=held", "", NULL, NULL),
	ROW("", W "ip=2001:db8::99 " OK4, "dns.aaaa.elsewhere", "2001:db8::99",
	    "www.example.jp. 3600 IN AAAA 2001:db8::99"),
	ROW("", W "ip=2001:db8::99 http=refused tls=refused " OK4, "dns.aaaa.elsewhere", NULL,
	    NULL),
	ROW("", W OK4 "wild", "dns.wildcard.present", NULL, NULL),
	ROW("", W "ip=2001:db8::99 http=silent tls=silent " OK4 "loc=http://www.example.jp/x", "dns.aaaa.fallback-lost",
	    "2001:db8::99", NULL),
	ROW("", W "ip=2001:db8::99 http=silent tls=silent " OK4, "dns.aaaa.unreachable",
	    "2001:db8::99", "www.example.jp. 3600 IN AAAA 2001:db8::99"),
	ROW("", W "ip=2001:db8::99 http=unreachable tls=unreachable " OK4, "", NULL, NULL),
	ROW("", W "ip=fd00::1 reserved " OK4, "dns.aaaa.unreachable", "fd00::1", NULL),
	ROW("", W "ip=2001:db8::99 ip=198.51.100.5", "dns.a.elsewhere dns.aaaa.elsewhere",
	    "198.51.100.5", A_RECORD),
	ROW("", W "ip=2001:db8::99", "dns.aaaa.elsewhere", NULL, NULL),
	ROW("", W "ip=2001:db8::10", "", NULL, NULL),
	ROW("", W "ip=2001:db8::10 ip=198.51.100.5", "dns.a.elsewhere", NULL, NULL),
	ROW("", W "ip=10.0.0.5 reserved", "dns.address.reserved", "10.0.0.5", A_RECORD),
	ROW("", W "ip=10.0.0.5 reserved ip=198.51.100.5", "dns.a.elsewhere",
	    "10.0.0.5, 198.51.100.5", NULL),
	ROW("", W "ip=10.0.0.5 reserved " OK4, "dns.a.partly-elsewhere", "10.0.0.5", NULL),

	/* CAA */
	ROW("", W OK4 "caa=0:issue:other-ca.example", "dns.caa.forbids",
	    "0 issue \"other-ca.example\"", "www.example.jp. CAA 0 issue \"letsencrypt.org\""),
	ROW("", W OK4 "caa=0:issue:; caa-at=example.jp", "dns.caa.forbids", "0 issue \";\"",
	    "example.jp. CAA 0 issue \"letsencrypt.org\""),
	ROW("", W OK4 "caa=0:issue:other.example caa=0:issue:letsencrypt.org", "", NULL, NULL),
	ROW("", W OK4 "caa=0:issue:;", "dns.caa.forbids", NULL, NULL),
	ROW("", W OK4 "caa=0:ISSUE:LetsEncrypt.ORG", "", NULL, NULL),
	ROW("", W OK4 "caa=0:issue:_letsencrypt.org_;_", "", NULL, NULL),
	ROW("", W OK4 "caa=128:issue:letsencrypt.org", "", NULL, NULL),
	ROW("", W OK4 "caa=0:iodef:mailto:a@example.jp", "", NULL, NULL),
	ROW("", W OK4 "caa=0:issuewild:;", "", NULL, NULL),
	ROW("", "*.example.jp a=none aaaa=none misplaced=_acme-challenge.example.jp.example.jp",
	    "registration.wildcard.http-only dns.txt.misplaced", "*.example.jp", NULL),
	ROW("", "*.example.jp a=none aaaa=none caa=0:issue:letsencrypt.org caa=0:issuewild:;",
	    "registration.wildcard.http-only dns.caa.forbids-wildcard", "*.example.jp", NULL),
	ROW("", W OK4 "caa=0:tbs:x caa=0:issue:letsencrypt.org", "", NULL, NULL),
	ROW("", W OK4 "caa=128:tbs:x caa=0:issue:letsencrypt.org", "dns.caa.critical-unknown",
	    "128 tbs \"x\"", "www.example.jp. CAA 128 tbs \"x\""),
	ROW("", W OK4 "caa=0:issue:letsencrypt.org;_accounturi=https://ca/acct/1", "", NULL,
	    NULL),
	ROW("", W OK4 "caa=0:issue:letsencrypt.org;accounturi=https://ca/acct/2",
	    "dns.caa.parameter-mismatch",
	    "0 issue \"letsencrypt.org;accounturi=https://ca/acct/2\"", NULL),
	ROW("", W OK4 "caa=0:issue:letsencrypt.org;_validationmethods=dns-01,http-01", "", NULL,
	    NULL),
	ROW("", W OK4 "caa=0:issue:letsencrypt.org;_validationmethods=dns-01",
	    "dns.caa.parameter-mismatch", NULL, NULL),
	ROW("", W OK4 "caa=0:issue:letsencrypt.org;rubbish", "dns.caa.parameter-mismatch", NULL,
	    NULL),
	ROW("", W OK4 "caa=0:issue:letsencrypt.org;policy=ev", "", NULL, NULL),
	ROW("", W OK4 "caa=0:issue:letsencrypt.org.evil.example", "dns.caa.forbids", NULL,
	    NULL),
	ROW("", W OK4 "caa-status=servfail", "dns.caa.lookup-failed", "SERVFAIL", NULL),
	ROW("", W OK4 "caa-status=timeout", "dns.caa.lookup-failed", "no answer", NULL),
	ROW("", W OK4 "caa-status=nx", "", NULL, NULL),
	ROW("", W "ip=198.51.100.5 caa=0:issue:;", "dns.a.elsewhere dns.caa.forbids", NULL,
	    NULL),

	/* transport, at addresses of ours */
	ROW("", W OK4 "http=refused", "transport.port80.closed", "203.0.113.10", NULL),
	ROW("", W OK4 "http=silent", "transport.port80.closed", NULL, NULL),
	ROW("", W "ip=2001:db8::10 http=refused " OK4, "", NULL, NULL),
	ROW("", W OK4 "ip=203.0.113.11 http=refused", "transport.port80.closed", "203.0.113.11",
	    NULL),
	ROW("", W OK4 "http=reset", "transport.connect.reset", NULL, NULL),
	ROW("", W OK4 "http=unreachable", "transport.connect.unreachable", NULL, NULL),
	ROW("", W "ip=2001:db8::10 http=unreachable tls=unreachable " OK4, "", NULL, NULL),
	ROW("", W OK4 "http=read", "transport.read.timeout", NULL, NULL),
	ROW("", W OK4 "http=not-http", "own.challenge.not-served", NULL, NULL),
	ROW("", W "ip=198.51.100.5 http=not-http tls=held", "transport.protocol.mismatch",
	    "198.51.100.5", A_RECORD),
	ROW("", W OK4 "http=tls loc=https://www.example.jp/", "transport.tls.handshake-failed",
	    NULL, NULL),
	ROW("", W OK4 "http=untried", "own.unclassified", NULL, NULL),

	/* HTTP */
	ROW("", W OK4 "http=404", "own.challenge.not-served", "404, Apache", NULL),
	ROW("", W OK4 "http=401", "http.challenge.unauthorized", NULL, NULL),
	ROW("", W OK4 "http=403", "http.challenge.forbidden", NULL, NULL),
	ROW("", W OK4 "http=500", "http.server.error", NULL, NULL),
	ROW("", W OK4 "http=503", "http.server.error", NULL, NULL),
	ROW("", W OK4 "http=418", "http.unclassified", NULL, NULL),
	ROW("", W OK4 "http=300", "http.redirect.disallowed", NULL, NULL),
	ROW("", W OK4 "http=200", "http.rewrite.intercepts", NULL, NULL),
	ROW("", W OK4 "http=200 body=abcdefghijklmnopqrstuvwx." TOKEN43,
	    "http.key-authorization.foreign", NULL, NULL),
	ROW("", W OK4 "http=200 body=abcdefghijklmnopqrstuvwx." TOKEN43 "x",
	    "http.rewrite.intercepts", NULL, NULL),
	ROW("", W OK4 "http=altered", "http.body.altered", NULL, NULL),
	ROW("", W "ip=198.51.100.5 http=404 tls=held", "http.server.foreign", "404, Apache",
	    A_RECORD),
	ROW("", W OK4 "http=404 loc=https://shop.example.com/", "http.redirect.elsewhere",
	    "https://shop.example.com/", NULL),
	ROW("", W OK4 "http=404 loc=https://www.example.jp/x", "own.challenge.not-served", NULL,
	    NULL),
	ROW("", W OK4 "http=ours loc=https://www.example.jp/x", "", NULL, NULL),
	ROW("", W OK4 "http=loop loc=http://www.example.jp/a", "http.redirect.loop", NULL,
	    NULL),
	ROW("", W OK4 "http=disallowed loc=ftp://x/", "http.redirect.disallowed", "ftp://x/",
	    NULL),
	ROW("", W OK4 "http=forbidden loc=http://10.0.0.1/", "http.redirect.disallowed", NULL,
	    NULL),
	ROW("", W OK4 "http=unresolvable loc=http://gone.example.jp/",
	    "http.redirect.unresolvable", NULL, NULL),

	/* what visitors get */
	ROW("first", W OK4 "tls=refused", "", NULL, NULL),
	ROW("first", W OK4 "tls=stranger", "", NULL, NULL),
	ROW("first", W OK4 "tls=other-expired", "", NULL, NULL),
	ROW("", W OK4 "tls=held-expired", "served.expired", NULL, NULL),
	ROW("redirect", W OK4 "tls=held-expired", "served.expired served.redirect.unsafe", NULL,
	    NULL),
	ROW("redirect", W OK4, "", NULL, NULL),
	ROW("", W OK4 "tls=other-expired", "own.deploy.not-served served.expired", NULL, NULL),
	ROW("", W OK4 "tls=other", "own.deploy.not-served", NULL, NULL),
	ROW("", W OK4 "tls=other-newer", "own.order.competing", "R11", NULL),
	ROW("", W "ip=198.51.100.5 http=ours tls=other-newer", "", NULL, NULL),
	ROW("", W OK4 "tls=kin", "own.deploy.not-served", "example.jp", NULL),
	ROW("", W OK4 "tls=stranger", "own.deploy.not-served served.certificate.wrong",
	    "somebody.com", NULL),
	ROW("", W OK4 "tls=nameless", "own.deploy.not-served served.certificate.wrong", NULL,
	    NULL),
	ROW("", W OK4 "tls=other-root", "own.deploy.not-served served.certificate.wrong", NULL,
	    NULL),
	ROW("", W OK4 "tls=refused", "served.unreachable", "203.0.113.10", NULL),
	ROW("redirect", W OK4 "tls=refused", "served.redirect.unsafe served.unreachable", NULL,
	    NULL),
	ROW("", W OK4 "tls=alert", "served.unreachable", NULL, NULL),
	ROW("", W OK4 "tls=untried", "", NULL, NULL),
	ROW("", W OK4 "tls=held-chain", "served.chain.incomplete", NULL, NULL),
	ROW("", W OK4 "tls=held-root", "served.certificate.wrong", NULL, NULL),
	ROW("", W OK4 "tls=held-soon", "served.expiring", NULL, NULL),
	ROW("", W OK4 "tls=held-future", "served.certificate.wrong", NULL, NULL),
	ROW("", W OK4 "ip=203.0.113.11 tls=other",
	    "own.deploy.not-served served.address.inconsistent", NULL, NULL),
	ROW("", W OK4 "ip=203.0.113.11", "", NULL, NULL),
	ROW("", W "ip=198.51.100.5 http=ours tls=stranger", "served.certificate.wrong", NULL,
	    NULL),
	ROW("", W "ip=198.51.100.5 http=ours tls=other-expired", "served.expired", NULL, NULL),
	ROW("", W "ip=198.51.100.5 tls=other-expired", "dns.a.elsewhere", NULL, NULL),
	ROW("", W OK4 "caa=0:issue:; tls=held-expired", "dns.caa.forbids served.expired", NULL,
	    NULL),
	TWO("new", "example.jp " OK4, W OK4 "tls=kin", "|", NULL, NULL),
	TWO("new", "example.jp " OK4, W OK4 "tls=kin caa=0:issue:;",
	    "|dns.caa.forbids served.name.missing", NULL, NULL),
	TWO("new", "example.jp " OK4, W OK4 "tls=alert", "|", NULL, NULL),

	/* a name that is not a site */
	ROW("none", W "ip=198.51.100.5 http=ours tls=other-expired", "served.expired", NULL,
	    NULL),
	ROW("none", W OK4 "tls=kin", "served.name.missing", "example.jp", NULL),
	ROW("none", W OK4 "tls=stranger", "served.certificate.wrong", NULL, NULL),
	ROW("none", W OK4 "tls=wild", "", NULL, NULL),
	ROW("none", W OK4 "tls=other-chain", "served.chain.incomplete", NULL, NULL),
	ROW("none", W OK4 "tls=other-root", "served.certificate.wrong", NULL, NULL),
	ROW("none", W OK4 "tls=refused", "", NULL, NULL),

	/* a browser that was told to insist on https offers no way past the warning */
	ROW("hsts", W OK4, "", NULL, NULL),
	ROW("hsts", W OK4 "tls=held-expired", "served.expired served.hsts.no-recourse", NULL, NULL),
	ROW("", W OK4 "tls=held-expired", "served.expired", NULL, NULL),
	ROW("hsts", W OK4 "tls=other-stranger",
	    "own.deploy.not-served served.certificate.wrong served.hsts.no-recourse", NULL, NULL),
	ROW("hsts", W OK4 "tls=held-soon", "served.expiring", NULL, NULL),
	ROW("hsts", W OK4 "tls=refused", "served.unreachable", NULL, NULL),

	ROW("", W OK4 "tls=held-expired home=hsts", "served.expired served.hsts.no-recourse", NULL, NULL),
	ROW("", W OK4 "home=hsts", "", NULL, NULL),
	ROW("none", W OK4 "tls=other-expired home=hsts", "served.expired served.hsts.no-recourse", NULL, NULL),

	/* what the page loads */
	ROW("", W OK4 "home=http://pics.example.jp/a.png", "served.content.mixed", "http://pics.example.jp/a.png",
	    "Header always set Content-Security-Policy \"upgrade-insecure-requests\""),
	ROW("", W OK4 "home=page", "", NULL, NULL),
	ROW("new", W OK4 "tls=other-stranger home=http://pics.example.jp/a.png", "", NULL, NULL),
	ROW("none", W OK4 "tls=other home=http://pics.example.jp/a.png", "served.content.mixed", NULL, NULL),

	/* taken back by its issuer */
	ROW("", W OK4 "tls=held-revoked", "served.revoked", "0a1b", NULL),
	ROW("", W OK4 "tls=held-unlisted", "", NULL, NULL),
	ROW("", W OK4 "tls=other-revoked", "own.deploy.not-served served.revoked", NULL, NULL),
	ROW("none", W OK4 "tls=other-revoked", "served.revoked", "0a1b", NULL),

	/* mail beside the web */
	ROW("", W OK4 "mail=held", "", NULL, NULL),
	ROW("", W OK4 "mail=other", "own.deploy.partly-served", "993", NULL),
	ROW("", W OK4 "mail=other-newer", "", NULL, NULL),
	ROW("", W OK4 "mail=other-expired", "", NULL, NULL),
	ROW("", W OK4 "mail=other-stranger", "served.service.name-mismatch", "993", "somebody.com"),
	ROW("", W OK4 "mail=other-nameless", "", NULL, NULL),
	ROW("", W OK4 "mail=refused", "", NULL, NULL),
	ROW("", W OK4 "mail=alert", "", NULL, NULL),
	ROW("", W OK4 "tls=other mail=other", "own.deploy.not-served", NULL, NULL),
	ROW("none", W OK4 "mail=other-stranger", "", NULL, NULL),
	ROW("new", W OK4 "tls=alert mail=other-stranger", "", NULL, NULL),

	/* a service in front that comes to us over HTTP, and our redirect */
	ROW("redirect", W OK4 "front=Cloudflare tls=other home=loop", "http.cdn.redirect-loop served.certificate.from-cdn", NULL, "Full (strict)"),
	ROW("redirect", W OK4 "front=Cloudflare tls=other home=page", "served.certificate.from-cdn", "Cloudflare", NULL),
	ROW("", W OK4 "front=Cloudflare tls=other home=loop", "served.certificate.from-cdn", "Cloudflare", NULL),
	ROW("redirect", W OK4 "front=Cloudflare home=loop", "http.cdn.redirect-loop", NULL, "Full (strict)"),

	/* the site's own, and its neighbours: the challenge goes round too, it goes round elsewhere, nothing of ours is shown, somebody else's server */
	ROW("", W OK4 "home=loop@https://www.example.jp/", "http.home.redirect-loop", "https://www.example.jp/", NULL),
	ROW("redirect", W OK4 "home=loop@http://www.example.jp/", "http.home.redirect-loop", "http://www.example.jp/", NULL),
	ROW("none", W OK4 "home=loop", "http.home.redirect-loop", NULL, NULL),
	ROW("", W OK4 "http=loop home=loop", "http.redirect.loop", NULL, NULL),
	ROW("", W OK4 "home=loop@https://shop.example/", "", NULL, NULL),
	ROW("new", W OK4 "tls=other-stranger home=loop", "", NULL, NULL),
	ROW("none", W "ip=198.51.100.5 http=ours home=loop", "", NULL, NULL),

	/* one visitor was warned */
	ROW("", W OK4 "said=NET::ERR_CERT_DATE_INVALID", "served.client.outdated", "NET::ERR_CERT_DATE_INVALID", NULL),
	ROW("", W OK4 "said=x tls=held-expired", "served.expired", NULL, NULL),
	ROW("", W OK4 "said=x tls=held-soon", "served.expiring", NULL, NULL),
	ROW("", W OK4 "said=x wild", "served.client.outdated dns.wildcard.present", "x", NULL),
	ROW("none", W "ip=198.51.100.5 said=x http=ours tls=other", "served.client.outdated", "x", NULL),
	ROW("none", W "ip=198.51.100.5 said=x http=ours tls=other-chain", "served.chain.incomplete", NULL, NULL),
	ROW("no-tls", W OK4 "said=x tls=untried", "", NULL, NULL),

	/* from other networks: all well, none there, none that says anything */
	ROW("", W OK4 TOKYO "sees=203.0.113.10/ours " OREGON "sees=203.0.113.10/ours", "", NULL, NULL),
	ROW("", W OK4 "from=tokyo/silent from=oregon/silent", "", NULL, NULL),
	ROW("", W OK4 TOKYO "sees=203.0.113.10/unreachable", "", NULL, NULL),
	ROW("", W OK4 TOKYO "sees=203.0.113.10/untried", "", NULL, NULL),
	ROW("", W OK4 TOKYO "sees=203.0.113.10/forbidden", "", NULL, NULL),
	ROW("", W OK4 TOKYO "from-a=local from-aaaa=local", "", NULL, NULL),
	/* shut out everywhere, or in places */
	ROW("", W OK4 TOKYO "sees=203.0.113.10/silent", "transport.connect.geo-blocked", "tokyo", NULL),
	ROW("", W OK4 TOKYO "sees=203.0.113.10/silent " OREGON "sees=203.0.113.10/refused", "transport.connect.geo-blocked", "tokyo, oregon", NULL),
	ROW("", W OK4 TOKYO "sees=203.0.113.10/silent from=oregon/silent", "transport.connect.geo-blocked", "tokyo", NULL),
	ROW("", W OK4 TOKYO "sees=203.0.113.10/ours " OREGON "sees=203.0.113.10/reset", "transport.secondary-validation.timeout", "oregon", NULL),
	ROW("", W OK4 TOKYO "sees=203.0.113.10/ours " OREGON "sees=203.0.113.10/read", "transport.secondary-validation.timeout", "oregon", NULL),
	ROW("none", W OK4 TOKYO "sees=203.0.113.10/silent", "transport.connect.geo-blocked", "tokyo", NULL),
	/* where we do not pass ourselves, the cause is here */
	ROW("", W OK4 "http=silent " TOKYO "sees=203.0.113.10/silent", "transport.port80.closed", NULL, NULL),
	ROW("", W "ip=198.51.100.5 " TOKYO "sees=198.51.100.5/silent", "dns.a.elsewhere", NULL, NULL),
	/* another answer there: the class of the rest, and whose it is */
	ROW("", W OK4 TOKYO "sees=203.0.113.10/ours " OREGON "sees=203.0.113.10/403", "http.challenge.forbidden", "oregon: 403, Apache", NULL),
	ROW("", W OK4 OREGON "sees=203.0.113.10/403 " TOKYO "sees=203.0.113.10/silent", "transport.connect.geo-blocked http.challenge.forbidden", "tokyo", NULL),
	ROW("", W OK4 OREGON "sees=203.0.113.10/loop", "http.redirect.loop", "oregon: 203.0.113.10", NULL),
	ROW("", W OK4 OREGON "sees=203.0.113.10/unresolvable", "http.redirect.unresolvable", "203.0.113.10 (oregon)", NULL),
	ROW("", W OK4 OREGON "sees=203.0.113.10/503", "http.server.error", "oregon: 503, Apache", NULL),
	ROW("", W OK4 "front=Cloudflare tls=other " OREGON "sees=203.0.113.10/403", "http.cdn.blocks served.certificate.from-cdn", "oregon: 403, Apache", "/.well-known/acme-challenge/"),
	ROW("", W OK4 "front=Cloudflare tls=other " OREGON "sees=198.51.100.7/ours front-there=Cloudflare", "served.certificate.from-cdn", NULL, NULL),
	ROW("", W OK4 "front=Cloudflare tls=other " OREGON "sees=198.51.100.7/403 front-there=Cloudflare", "http.cdn.blocks served.certificate.from-cdn", "oregon: 403, Apache", NULL),
	ROW("", W OK4 OREGON "sees=198.51.100.7/unreachable front-there=Cloudflare", "", NULL, NULL),
	ROW("", W OK4 OREGON "sees=198.51.100.7/silent front-there=Cloudflare", "transport.connect.geo-blocked", "oregon", NULL),
	/* another address there */
	ROW("", W OK4 TOKYO "sees=203.0.113.10/ours " OREGON "sees=198.51.100.7/404", "dns.view.split", "oregon: 198.51.100.7", A_RECORD),
	ROW("", W OK4 OREGON "sees=198.51.100.7/silent", "dns.view.split", "oregon: 198.51.100.7", A_RECORD),
	ROW("", W OK4 OREGON "sees=198.51.100.7/ours", "", NULL, NULL),
	ROW("", W OK4 OREGON "sees=203.0.113.11/ours", "", NULL, NULL),
	ROW("", W OK4 OREGON "from-a=nx from-aaaa=nx", "dns.view.split", "oregon: NXDOMAIN", A_RECORD),
	ROW("", W OK4 OREGON, "dns.view.split", "oregon: NOERROR", A_RECORD),
	ROW("", W OK4 OREGON "from-aaaa=timeout", "", NULL, NULL),
	ROW("", W OK4 OREGON "from-a=timeout from-aaaa=timeout", "dns.lookup.timeout", "oregon: no answer in time", NULL),
	ROW("", W OK4 OREGON "from-a=servfail from-aaaa=timeout", "dns.lookup.servfail", "oregon: SERVFAIL", NULL),
	/* CAA there */
	ROW("", W OK4 OREGON "sees=203.0.113.10/ours from-caa=0:issue:other.example", "dns.caa.forbids", "oregon: www.example.jp",
	    "www.example.jp. CAA 0 issue \"letsencrypt.org\""),
	ROW("", W OK4 OREGON "sees=203.0.113.10/ours from-caa=0:issue:letsencrypt.org", "", NULL, NULL),
	ROW("", W OK4 OREGON "sees=203.0.113.10/ours from-caa=servfail", "dns.caa.lookup-failed", "oregon: SERVFAIL", NULL),
	ROW("", W OK4 OREGON "sees=203.0.113.10/ours from-caa=nx", "", NULL, NULL),
	/* IPv6 first, IPv4 where that cannot be connected to and nothing has forwarded */
	ROW("", W "ip=2001:db8::10 " OK4 OREGON "sees=2001:db8::10/silent sees=203.0.113.10/ours", "", NULL, NULL),
	ROW("", W "ip=2001:db8::10 " OK4 OREGON "sees=2001:db8::10/unreachable sees=203.0.113.10/ours", "", NULL, NULL),
	ROW("", W "ip=2001:db8::10 " OK4 OREGON "sees=2001:db8::10/silent sees=203.0.113.10/silent", "transport.connect.geo-blocked", "oregon", NULL),
	ROW("", W "ip=2001:db8::10 " OK4 OREGON "sees=2001:db8::10/read sees=203.0.113.10/ours", "transport.connect.geo-blocked", "oregon", NULL),
	ROW("", W "ip=2001:db8::10 " OK4 OREGON "sees=2001:db8::10/403 sees=203.0.113.10/ours", "http.challenge.forbidden", "oregon: 403, Apache", NULL),
	ROW("", W "ip=2001:db8::10 " OK4 OREGON "sees=2001:db8::10/ours sees=203.0.113.10/silent", "", NULL, NULL),
	ROW("", W "ip=2001:db8::10 " OREGON "sees=2001:db8::10/unreachable", "", NULL, NULL),
	/* the CA alone: only where the CA has said so twice, and every place that could look has passed */
	ROW("kept-out2", W OK4 TOKYO "sees=203.0.113.10/ours " OREGON "sees=203.0.113.10/ours", "transport.validator.banned", "tokyo, oregon", NULL),
	ROW("refused2", W OK4 TOKYO "sees=203.0.113.10/ours", "transport.validator.banned", "tokyo", NULL),
	ROW("banned", W OK4 TOKYO "sees=203.0.113.10/ours", "transport.validator.banned", "tokyo", NULL),
	ROW("kept-out", W OK4 TOKYO "sees=203.0.113.10/ours", "", NULL, NULL),
	ROW("kept-out2", W OK4, "", NULL, NULL),
	ROW("kept-out2", W OK4 "from=tokyo/silent", "", NULL, NULL),
	ROW("kept-out2", W OK4 TOKYO "sees=203.0.113.10/ours " OREGON "sees=203.0.113.10/silent", "transport.secondary-validation.timeout", "oregon", NULL),
	ROW("kept-out2", W OK4 TOKYO "sees=203.0.113.10/silent", "transport.connect.geo-blocked", "tokyo", NULL),
	ROW("kept-out2", W OK4 "http=silent " TOKYO "sees=203.0.113.10/ours", "transport.port80.closed", NULL, NULL),
	ROW("kept-out2", W OK4 TOKYO "sees=203.0.113.10/ours " OREGON "sees=203.0.113.10/403", "http.challenge.forbidden", NULL, NULL),

	/* plans that ask for less */
	ROW("no-dns no-http", W "a=servfail aaaa=servfail caa-status=none", "", NULL, NULL),
	ROW("no-dns no-http", W OK4 "caa-status=none http=untried tls=other",
	    "own.deploy.not-served", NULL, NULL),
	ROW("no-tls", W OK4 "tls=untried", "", NULL, NULL),
};

static void
evidence_becomes_findings(void **state)
{
	static struct world w;
	int failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		char got[1024];

		world_new(&w, r->how);
		for (size_t k = 0; k < 3 && r->names[k] != NULL; k++)
			put_name(&w, r->names[k]);
		world_classify(&w, r->how);
		print_causes(&w, got, sizeof got);
		const struct finding *f =
		    w.out.n > 0 ? &w.out.at[0] : &(struct finding){ .cause = CAUSE_NONE };
		const char *fault = fault_of(&w);
		if (strcmp(got, r->wanted) != 0 || fault != NULL ||
		    (r->seen != NULL && !str_eq(f->seen, str_of(r->seen))) ||
		    (r->copy != NULL && !str_eq(f->copy, str_of(r->copy)))) {
			print_error(
			    "%s:%d: %s[%s]: got \"%s\", seen \"%.*s\", copy \"%.*s\"%s%s\n",
			    __FILE__, r->line, r->names[0], r->how, got, STR_ARG(f->seen),
			    STR_ARG(f->copy), fault != NULL ? ": " : "",
			    fault != NULL ? fault : "");
			failed++;
		}
		arena_fini(&w.a);
	}
	assert_int_equal(failed, 0);
}

static void
a_full_list_and_a_full_arena_are_survived(void **state)
{
	static struct world w;

	(void)state;
	for (size_t cap = 0; cap < 4; cap++) {
		world_new(&w, "");
		put_name(&w, W "ip=198.51.100.5 ip=2001:db8::99 caa=0:issue:;");
		w.out.cap = cap;
		world_classify(&w, "");
		assert_int_equal(w.out.n, cap < 3 ? cap : 3);
		arena_fini(&w.a);
	}
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		world_new(&w, rows[i].how);
		for (size_t k = 0; k < 3 && rows[i].names[k] != NULL; k++)
			put_name(&w, rows[i].names[k]);
		w.a.max = w.a.used; /* not a byte more */
		world_classify(&w, rows[i].how);
		arena_fini(&w.a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(evidence_becomes_findings),
		cmocka_unit_test(a_full_list_and_a_full_arena_are_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
