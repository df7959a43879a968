/*
 * Two things that hold for whole families of sites. A site that is well has no finding that blames or blocks, however odd
 * its DNS, its redirects and its CAA records are. And of two faults at once the one shown first is the one that has to be
 * mended first, by the order of the table.
 */
#include "test/unit/classify_world.h"

/* One choice of each row makes a variant; every part is something that a well-kept site may have. */
static const char *const addresses[] = {
	OK4,
	"ip=2001:db8::10 ",
	OK4 "ip=2001:db8::10 ",
	OK4 "ip=203.0.113.11 ip=2001:db8::10 ",
	"ip=198.51.100.5 http=ours tls=held ", /* a NAT in front of us */
	("aaaa=timeout " OK4),
};
static const char *const dns[] = { "", "wild ", "cname=front.example.com ", "ttl=0 ", "ttl=604800 ", "reg=ok " };
static const char *const caa[] = {
	"",
	"caa=0:issue:letsencrypt.org ",
	"caa=0:ISSUE:LetsEncrypt.ORG ",
	"caa=128:issue:letsencrypt.org caa-at=example.jp ",
	"caa=0:issue:other.example caa=0:issue:letsencrypt.org;_validationmethods=http-01 ",
	"caa=0:issue:letsencrypt.org;_accounturi=https://ca/acct/1 ",
	"caa=0:iodef:mailto:a@example.jp caa=0:issuewild:; ",
};
/* Of the last address: its page, and mail beside the web. */
static const char *const pages[] = { "", "home=page ", "home=hsts mail=held ", "home=page mail=refused ", "mail=alert tls=held-unlisted " };
#define COUNT(list) (sizeof(list) / sizeof *(list))

static bool
has_blame(const struct world *w)
{
	for (size_t i = 0; i < w->out.n; i++) {
		const struct finding *f = &w->out.at[i];

		if (finding_blocks(f) || actor_is_owner(f->acts) || cause_row(f->cause)->severity > SEVERITY_INFO)
			return true;
	}
	return false;
}

static void
a_site_that_is_well_is_left_in_peace(void **state)
{
	static const char *const hows[] = { "", "redirect", "redirect hsts", "first", "none" };
	static struct world w;
	size_t variants = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(addresses) * COUNT(pages) * COUNT(dns) * COUNT(caa) * COUNT(hows); i++) {
		size_t rest = i;
		const char *how = hows[rest % COUNT(hows)];
		char name[512], got[512];

		rest /= COUNT(hows);
		int n = snprintf(name, sizeof name, W "%s", addresses[rest % COUNT(addresses)]);
		rest /= COUNT(addresses);
		n += snprintf(name + n, sizeof name - (size_t)n, "%s", pages[rest % COUNT(pages)]);
		rest /= COUNT(pages);
		n += snprintf(name + n, sizeof name - (size_t)n, "%s", dns[rest % COUNT(dns)]);
		rest /= COUNT(dns);
		n += snprintf(name + n, sizeof name - (size_t)n, "%s", caa[rest % COUNT(caa)]);
		assert_true(n > 0 && (size_t)n < sizeof name);
		/* Words that speak of an address come after it. */
		world_new(&w, how);
		put_name(&w, name);
		world_classify(&w, how);
		print_causes(&w, got, sizeof got);
		if (has_blame(&w))
			fail_msg("[%s] %s: %s", how, name, got);
		variants++;
		arena_fini(&w.a);
	}
	assert_true(variants >= 200);
}

/*
 * Faults that can stand side by side. `part` is where in a site it lies: two of the same part exclude each other. `blinds`:
 * parts of which nothing can be seen any more because of it.
 */
enum part { PART_STATE = 1, PART_LOOKUP = 2, PART_ADDRESS = 4, PART_CAA = 8, PART_HTTP = 16, PART_TLS = 32 };
struct fault {
	enum part part;
	unsigned blinds;
	const char *words, *how, *cause;
};
static const struct fault faults[] = {
	{ PART_STATE, 0, "", "leftover", "own.setting.leftover" },
	{ PART_STATE, 0, "", "window", "ca.ari.window-past" },
	{ PART_LOOKUP, PART_ADDRESS | PART_HTTP | PART_TLS, "a=nx aaaa=nx reg=nx ", "", "registration.domain.unregistered" },
	{ PART_LOOKUP, PART_ADDRESS | PART_HTTP | PART_TLS, "a=nx aaaa=nx reg=ok ", "", "dns.address.missing" },
	{ PART_LOOKUP, PART_ADDRESS | PART_HTTP | PART_TLS | PART_CAA, "a=servfail aaaa=servfail ", "", "dns.lookup.servfail" },
	{ PART_LOOKUP, PART_ADDRESS | PART_HTTP | PART_TLS | PART_CAA, "a=timeout aaaa=timeout ", "", "dns.lookup.timeout" },
	{ PART_LOOKUP, PART_ADDRESS | PART_HTTP | PART_TLS | PART_CAA, "a=bogus aaaa=bogus why=signature_expired ", "", "dns.dnssec.rrsig-out-of-date" },
	{ PART_LOOKUP, PART_ADDRESS | PART_HTTP | PART_TLS, "a=nx aaaa=nx cname=gone.example.com ", "", "dns.cname.broken" },
	{ PART_ADDRESS, PART_HTTP | PART_TLS, "ip=198.51.100.5 ", "", "dns.a.elsewhere" },
	{ PART_ADDRESS, PART_HTTP | PART_TLS, "ip=10.0.0.5 reserved ", "", "dns.address.reserved" },
	{ PART_ADDRESS, 0, "ip=198.51.100.5 " OK4, "", "dns.a.partly-elsewhere" },
	{ PART_ADDRESS, 0, "ip=2001:db8::99 " OK4, "", "dns.aaaa.elsewhere" },
	{ PART_CAA, 0, "caa=0:issue:other-ca.example ", "", "dns.caa.forbids" },
	{ PART_CAA, 0, "caa=128:tbs:x ", "", "dns.caa.critical-unknown" },
	{ PART_CAA, 0, "caa-status=servfail ", "", "dns.caa.lookup-failed" },
	{ PART_HTTP, 0, "http=401 ", "", "http.challenge.unauthorized" },
	{ PART_HTTP, 0, "http=403 ", "", "http.challenge.forbidden" },
	{ PART_HTTP, 0, "http=503 ", "", "http.server.error" },
	{ PART_HTTP, 0, "http=loop ", "", "http.redirect.loop" },
	{ PART_HTTP, 0, "http=reset ", "", "transport.connect.reset" },
	{ PART_HTTP, 0, "http=read ", "", "transport.read.timeout" },
	{ PART_HTTP, 0, "http=404 ", "", "own.challenge.not-served" },
	{ PART_TLS, 0, "tls=held-expired ", "", "served.expired" },
	{ PART_TLS, 0, "tls=held-chain ", "", "served.chain.incomplete" },
	{ PART_TLS, 0, "tls=held-revoked ", "", "served.revoked" },
	{ PART_TLS, 0, "home=http://a.jp/a.png ", "", "served.content.mixed" },
	{ PART_TLS, 0, "mail=other ", "", "own.deploy.partly-served" },
	{ PART_TLS, 0, "mail=other-stranger ", "", "served.service.name-mismatch" },
	{ PART_TLS, 0, "tls=refused ", "", "served.unreachable" },
};

static void
set_state(struct world *w, const struct fault *f)
{
	static const struct policy_ca cas[] = { { .id = 1, .name = { "le", 2 }, .issuer = { "letsencrypt.org", 15 } } };

	w->p.cas = cas;
	w->p.cas_n = 1;
	if (strcmp(f->how, "leftover") == 0)
		w->site.ca_id = 3;
	if (strcmp(f->how, "window") == 0)
		w->site.renewal = (struct renewal){ .is_told = true, .is_urgent = true, .start = { NOW - 60 }, .end = { NOW - 1 } };
}

static enum cause
id_of(const struct fault *f)
{
	enum cause c = cause_of_id(str_of(f->cause));

	assert_int_not_equal(c, CAUSE_NONE);
	return c;
}

/* Words of the name in the order in which they are read: the address, then what is said of it. */
static void
put_faults(struct world *w, const struct fault *a, const struct fault *b)
{
	static const enum part order[] = { PART_LOOKUP, PART_ADDRESS, PART_HTTP, PART_TLS, PART_CAA };
	unsigned has_lookup = (a->part | b->part) & PART_LOOKUP, has_address = (a->part | b->part) & PART_ADDRESS;
	char name[256];
	int n = snprintf(name, sizeof name, W);

	for (size_t i = 0; i < COUNT(order); i++) {
		if (order[i] == PART_ADDRESS && has_lookup == 0 && has_address == 0)
			n += snprintf(name + n, sizeof name - (size_t)n, OK4);
		if (a->part == order[i])
			n += snprintf(name + n, sizeof name - (size_t)n, "%s", a->words);
		if (b->part == order[i])
			n += snprintf(name + n, sizeof name - (size_t)n, "%s", b->words);
	}
	put_name(w, arena_str(&w->a, (struct str){ name, (size_t)n + 1 }).p); /* the evidence points into it */
	set_state(w, a);
	set_state(w, b);
}

static void
of_two_faults_the_first_is_mended_first(void **state)
{
	static struct world w;
	size_t pairs = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++)
		for (size_t k = 0; k < COUNT(faults); k++) {
			const struct fault *a = &faults[i], *b = &faults[k];
			enum cause first = id_of(a) < id_of(b) ? id_of(a) : id_of(b);

			if (i == k || a->part == b->part || (a->blinds & b->part) != 0 || (b->blinds & a->part) != 0)
				continue;
			world_new(&w, "");
			put_faults(&w, a, b);
			world_classify(&w, "");
			finding_sort(&w.out);
			if (w.out.n < 2)
				fail_msg("%s and %s: only %s", a->cause, b->cause, w.out.n > 0 ? cause_row(w.out.at[0].cause)->id : "nothing");
			if (w.out.at[0].cause != first)
				fail_msg("%s and %s: first is %s", a->cause, b->cause, cause_row(w.out.at[0].cause)->id);
			bool has_a = false, has_b = false;
			for (size_t f = 0; f < w.out.n; f++) {
				has_a = has_a || w.out.at[f].cause == id_of(a);
				has_b = has_b || w.out.at[f].cause == id_of(b);
			}
			if (!has_a || !has_b)
				fail_msg("%s and %s: %s is lost", a->cause, b->cause, has_a ? b->cause : a->cause);
			pairs++;
			arena_fini(&w.a);
		}
	assert_true(pairs >= 190);
}

/* What hides the other is itself what has to be mended first. */
static void
what_cannot_be_seen_is_not_told(void **state)
{
	static struct world w;

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++)
		for (size_t k = 0; k < COUNT(faults); k++) {
			const struct fault *a = &faults[i], *b = &faults[k];

			if ((a->blinds & b->part) == 0 || a->part != PART_ADDRESS || b->part != PART_HTTP)
				continue;
			world_new(&w, "");
			put_faults(&w, a, b);
			world_classify(&w, "");
			assert_true(w.out.n > 0);
			if (w.out.at[0].cause != id_of(a))
				fail_msg("%s hides %s: first is %s", a->cause, b->cause, cause_row(w.out.at[0].cause)->id);
			arena_fini(&w.a);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_site_that_is_well_is_left_in_peace),
		cmocka_unit_test(of_two_faults_the_first_is_mended_first),
		cmocka_unit_test(what_cannot_be_seen_is_not_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
