/*
 * The ACME port and the order machine against a CA that somebody else wrote.
 *
 *   acme_conformance DIRECTORY BUNDLE [ADDRESS:]PORT CASE…
 *
 * DIRECTORY: URL. BUNDLE: PEM file of the roots of the CA's own TLS. PORT: where challenges are answered, on all addresses
 * unless one is given; names that begin with "wrong" get a wrong answer. Prints `ok CASE` or `FAIL CASE` with what was seen, and lines
 * that begin with `#`; exit status 0 or 1. The environment gives EAB_KID and EAB_HMAC (base64url) for the case eab.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/must.h"
#include "core/classify.h"
#include "core/order.h"
#include "ports/acme/http.h"
#include "ports/clock/clock.h"
#include "ports/keys/local.h"
#include "ports/loop/loop.h"

enum { FLOWS_MAX = 200, PATIENCE_MS = 120000 };

/* One order on its way. */
struct flow {
	struct order order;
	struct arena keep, turn;
	struct str names[8];
	size_t names_n, requests, waits;
	bool is_done;
	struct loop_timer *timer;
	enum cause cause;
	char seen[256];
	bool is_retry_at_once;
	struct str chain; /* in keep */
};

static struct loop *loop;
static struct clock wall;
static struct keys_local *local;
static struct keys keys;
static struct acme_http *http;
static struct acme acme;
static struct arena forever;
static struct str account_key, thumbprint, account_url;
static const char *directory, *bundle;
static bool has_failed;
static struct flow flows[FLOWS_MAX];
static struct str addresses[] = { { "127.0.0.1", 9 } };
static const struct policy policy = { .poll_max = { 900 }, .processing_max = { 40 },
	.addresses = addresses,
	.addresses_n = 1,
	.ca_issuer = { "pebble.example", 14 } };

static void
report(bool is_ok, const char *name, const char *detail)
{
	printf(
	    "%s %s%s%s\n", is_ok ? "ok" : "FAIL", name, detail[0] != '\0' ? ": " : "", detail);
	fflush(stdout);
	has_failed = has_failed || !is_ok;
}

/* Runs the loop until *is_done; false when nothing comes of it. */
static bool
wait_for(const bool *is_done)
{
	struct mono from = clock_mono(&wall);

	while (!*is_done && clock_mono(&wall).ms - from.ms < PATIENCE_MS)
		must(loop_round(loop, 1000) == ERR_OK);
	return *is_done;
}

/* --- the challenge answers --- */

static void
answer_challenge(void *arg, int fd, int events)
{
	char request[2048], reply[1024];
	ssize_t n = recv(fd, request, sizeof request - 1, 0);
	static const char path[] = "GET /.well-known/acme-challenge/";

	(void)arg;
	(void)events;
	loop_unwatch(loop, fd);
	if (n > 0) {
		request[n] = '\0';
		char *end = strncmp(request, path, sizeof path - 1) == 0
				? strchr(request + sizeof path - 1, ' ')
				: NULL;
		bool is_wrong = strstr(request, "Host: wrong") != NULL;

		if (end != NULL) {
			*end = '\0';
			struct str good = arena_strf(&forever, "%s.%.*s",
			    request + sizeof path - 1, STR_ARG(thumbprint));
			struct str body =
			    is_wrong ? STR("a page that has nothing to do with it") : good;
			int m = snprintf(reply, sizeof reply,
			    "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: "
			    "close\r\n\r\n%.*s",
			    body.n, STR_ARG(body));

			(void)send(fd, reply, (size_t)m,
			    MSG_NOSIGNAL); /* a validator that went away asks again */
		}
	}
	close(fd);
}

static void
accept_challenge(void *arg, int fd, int events)
{
	int client = accept(fd, NULL, NULL);

	(void)arg;
	(void)events;
	if (client >= 0 &&
	    loop_watch(loop, client, LOOP_READ, answer_challenge, NULL) != ERR_OK)
		close(client);
}

static int
listen_on(struct in_addr address, uint16_t port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = address
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

	must(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0);
	if (bind(fd, (struct sockaddr *)&to, sizeof to) != 0 || listen(fd, 512) != 0) {
		fprintf(stderr, "port %u: %s\n", port, strerror(errno));
		exit(1);
	}
	must(loop_watch(loop, fd, LOOP_READ, accept_challenge, NULL) == ERR_OK);
	return fd;
}

/* --- keys --- */

struct key_wait {
	bool is_done;
	enum err err;
	struct str sealed, csr, thumb;
};

static void
got_key(void *arg, const struct keys_answer *an)
{
	struct key_wait *w = arg;

	w->err = an->err;
	w->sealed = arena_str(&forever, an->sealed);
	w->csr = arena_str(&forever, an->csr_der);
	w->thumb = arena_str(&forever, an->thumbprint);
	w->is_done = true;
}

static struct key_wait
ask_key(const struct keys_job *job)
{
	struct key_wait w = { .is_done = false };

	must(keys.submit(keys.ctx, job, got_key, &w) == ERR_OK);
	must(wait_for(&w.is_done) && w.err == ERR_OK);
	return w;
}

/* --- account --- */

struct account_wait {
	bool is_done;
	enum err err;
	struct finding finding;
};

static void
got_account(void *arg, const struct acme_registration *r)
{
	struct account_wait *w = arg;
	struct finding_list l = { .at = &w->finding, .cap = 1 };
	struct acme_answer an = { .verb = ACME_NEW_ORDER,
		.err = r->err,
		.problem = r->problem,
		.detail = r->detail,
		.retry_after = r->retry_after };

	w->err = r->err;
	w->is_done = true;
	if (r->err == ERR_OK) {
		account_url = arena_str(&forever, r->url);
		return;
	}
	classify_problem(&an, STR("account"), &policy, clock_now(&wall), &forever, &l);
	printf("# account: %s, %.*s %.*s\n", err_name(r->err), STR_ARG(r->detail),
	    STR_ARG(r->problem.detail));
}

static struct account_wait
open_account(struct str eab_kid, struct str eab_sealed)
{
	struct account_wait w = { .is_done = false };
	struct acme_account account = { .directory = str_of(directory),
		.contact = STR("admin@host.example"),
		.sealed_key = account_key,
		.eab_kid = eab_kid,
		.eab_sealed_hmac = eab_sealed };

	must(acme.open_account(acme.ctx, &account, got_account, &w) == ERR_OK);
	if (!wait_for(&w.is_done))
		w.err = ERR_TIMEOUT;
	return w;
}

/* A front end that is busy is asked again, as the engine does: the port keeps the date that it named. So is a CA that has refused one
 * nonce after the other. */
static struct account_wait
open_account_at_last(void)
{
	struct account_wait w = open_account(STR_NONE, STR_NONE);

	for (int tries = 1; (w.err == ERR_SERVER || (w.err != ERR_OK && w.finding.cause == CAUSE_CA_NONCE_REJECTED)) && tries < 8; tries++)
		w = open_account(STR_NONE, STR_NONE);
	return w;
}

/* --- orders --- */

static void step(struct flow *f, const struct order_event *ev);

static void
got_answer(void *arg, struct acme_answer *an)
{
	struct flow *f = arg;
	struct order_event ev = { ORDER_EV_ANSWER, an };

	if (getenv("VERBOSE") != NULL)
		printf("# verb %d index %u: %s, %d, status %d, %.*s %.*s\n", (int)an->verb,
		    an->index, err_name(an->err), an->http_status, (int)an->status,
		    STR_ARG(an->detail), STR_ARG(an->problem.detail));
	step(f, &ev);
	acme_answer_free(&an);
}

static void
woke(void *arg)
{
	struct flow *f = arg;
	struct order_event ev = { ORDER_EV_WAKE, NULL };

	f->timer = NULL;
	f->waits++;
	step(f, &ev);
}

static void
step(struct flow *f, const struct order_event *ev)
{
	static struct order_outcome out;
	struct turn t = clock_turn(&wall);

	order_step(&f->order, ev, &t, &policy, &f->keep, &f->turn, &out);
	for (size_t i = 0; i < out.requests_n; i++) {
		enum err e = acme.submit(acme.ctx, &out.requests[i], got_answer, f);

		f->requests++;
		must(e == ERR_OK);
	}
	if (out.wake_ms != ORDER_NO_WAKE)
		f->timer = loop_after(loop, out.wake_ms, woke, f);
	if (f->order.phase == ORDER_RECEIVED) {
		f->chain = arena_str(&f->keep, out.chain_pem);
		f->is_done = true;
	} else if (f->order.phase == ORDER_FAILED) {
		const struct finding *first = &out.failures.at[0];

		f->cause = first->cause;
		f->is_retry_at_once = out.is_retry_at_once;
		(void)snprintf(f->seen, sizeof f->seen, "%s %.*s | %.*s",
		    cause_row(first->cause)->id, STR_ARG(first->subject),
		    STR_ARG(first->evidence));
		f->is_done = true;
	}
	arena_clear(&f->turn);
}

static void
begin(struct flow *f, int64_t id, const char *const *names)
{
	memset(f, 0, sizeof *f);
	arena_init(&f->keep, 1 << 20);
	arena_init(&f->turn, 1 << 20);
	for (; *names != NULL; names++)
		f->names[f->names_n++] = arena_str(&f->keep, str_of(*names));
	struct keys_job job = { .verb = KEYS_SITE_NEW,
		.key_type = KEY_P256,
		.names = f->names,
		.names_n = f->names_n };
	struct key_wait k = ask_key(&job);
	f->order = (struct order){ .id = id,
		.names = f->names,
		.names_n = f->names_n,
		.csr_der = k.csr,
		.created = clock_now(&wall) };
}

static void
go(struct flow *f)
{
	step(f, &(struct order_event){ ORDER_EV_START, NULL });
}

static void
end(struct flow *f)
{
	acme.forget(acme.ctx, f->order.id);
	loop_cancel(loop, &f->timer);
	arena_fini(&f->keep);
	arena_fini(&f->turn);
}

/* --- single requests --- */

struct one_wait {
	bool is_done;
	enum err err;
	struct str type;
};

static void
got_one(void *arg, struct acme_answer *an)
{
	struct one_wait *w = arg;

	w->err = an->err;
	w->type = arena_str(&forever, an->problem.type);
	w->is_done = true;
	acme_answer_free(&an);
}

static struct one_wait
ask_one(const struct acme_request *r)
{
	struct one_wait w;
	int tries = 0;

	do {
		w = (struct one_wait){ .is_done = false };
		must(acme.submit(acme.ctx, r, got_one, &w) == ERR_OK);
		if (!wait_for(&w.is_done))
			w.err = ERR_TIMEOUT;
	} while (str_eq(w.type, STR("badNonce")) && ++tries < 8);
	return w;
}

/* --- cases --- */

static void
case_account(void)
{
	struct str first = account_url;
	struct account_wait again = open_account_at_last();

	report(again.err == ERR_OK && first.n > 0 && str_eq(first, account_url),
	    "the same key finds the same account", "");
}

/* most: requests with a CA that has done its work whenever it is asked, which takes two waits; one that is busy is asked once more
 * after each further wait. */
static void
issue(const char *title, const char *const *names, size_t most)
{
	struct flow *f = &flows[0];
	char detail[512];

	begin(f, 1, names);
	go(f);
	bool is_in_time = wait_for(&f->is_done);
	size_t waits = f->waits > 2 ? f->waits - 2 : 0;
	(void)snprintf(detail, sizeof detail, "%zu requests, %zu waits %s", f->requests, f->waits, f->seen);
	report(is_in_time && f->order.phase == ORDER_RECEIVED && f->chain.n > 0 &&
		   f->requests <= most + waits,
	    title, detail);
	end(f);
}

static void
case_issue(void)
{
	issue("a certificate for one name", (const char *const[]){ "one.example", NULL }, 8);
	issue("a certificate for two names",
	    (const char *const[]){ "two.example", "www.two.example", NULL }, 10);
	issue("a certificate for five names",
	    (const char *const[]){ "five.example", "a.five.example", "b.five.example",
		"c.five.example", "d.five.example", NULL },
	    17);
}

static void
case_issue_slow(void)
{
	issue("a certificate from a CA that takes its time",
	    (const char *const[]){ "slow.example", NULL }, 40);
}

static void
case_wrong(void)
{
	struct flow *f = &flows[0];

	begin(f, 2, (const char *const[]){ "right.example", "wrong.example", NULL });
	go(f);
	bool is_in_time = wait_for(&f->is_done);
	report(is_in_time && f->order.phase == ORDER_FAILED &&
		   f->cause == CAUSE_HTTP_REWRITE_INTERCEPTS &&
		   strstr(f->seen, "wrong.example") != NULL,
	    "a wrong answer is named with its name", f->seen);
	end(f);
}

static void
case_unknown_order(void)
{
	struct flow *f = &flows[0];

	/* An order URL of this CA's own kind, as it was before the CA lost its memory. */
	begin(f, 3, (const char *const[]){ "one.example", NULL });
	go(f);
	while (f->order.url.n == 0 && !f->is_done)
		must(loop_round(loop, 1000) == ERR_OK);
	struct str url = arena_str(&forever, f->order.url);
	size_t end_of_path = url.n;
	wait_for(&f->is_done);
	end(f);
	while (end_of_path > 0 && url.p[end_of_path - 1] != '/')
		end_of_path--;
	begin(f, 3, (const char *const[]){ "one.example", NULL });
	f->order.phase = ORDER_PLACED;
	f->order.url = arena_strf(&f->keep, "%.*s%.*s", (int)end_of_path, url.p,
	    (int)(url.n - end_of_path),
	    "0000000000000000000000000000000000000000000000000000000000000000");
	go(f);
	bool is_in_time = wait_for(&f->is_done);
	report(is_in_time && f->cause == CAUSE_CA_ORDER_UNUSABLE && f->is_retry_at_once,
	    "an order that the CA does not know", f->seen);
	end(f);
}

/* A certificate in flow 0, which is not ended; false, and reported, if there is none. */
static bool
get_one(int64_t id, const char *name)
{
	struct flow *f = &flows[0];

	begin(f, id, (const char *const[]){ name, NULL });
	go(f);
	if (wait_for(&f->is_done) && f->order.phase == ORDER_RECEIVED)
		return true;
	report(false, name, f->seen);
	end(f);
	return false;
}

/* RFC 8555 7.4: "the server MUST return a 403 (Forbidden) error" of type orderNotReady. */
static void
case_finalize_twice(void)
{
	struct flow *f = &flows[0];

	if (!get_one(4, "twice.example"))
		return;
	struct acme_request again = { .verb = ACME_FINALIZE,
		.order_id = 4,
		.url = f->order.finalize_url,
		.csr_der = f->order.csr_der };
	struct one_wait w = ask_one(&again);
	report(w.err == ERR_REFUSED && str_eq(w.type, STR("orderNotReady")),
	    "finalizing twice is refused", err_name(w.err));
	end(f);
}

/* RFC 8555 7.6. */
static void
case_revoke(void)
{
	struct flow *f = &flows[0];

	if (!get_one(7, "revoke.example"))
		return;
	struct acme_request revoke = { .verb = ACME_REVOKE,
		.order_id = 7,
		.chain_pem = f->chain,
		.reason = 4 };
	struct one_wait w = ask_one(&revoke);
	report(w.err == ERR_OK, "revoking by the account", err_name(w.err));
	w = ask_one(&revoke);
	report(w.err == ERR_OK, "revoking again is done already", err_name(w.err));
	end(f);
}

static int64_t
cpu_us(void)
{
	struct rusage u;

	must(getrusage(RUSAGE_SELF, &u) == 0);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec +
	       u.ru_stime.tv_usec;
}

static void
case_many(void)
{
	enum { MANY = 100 };
	unsigned received = 0, finished = 0;
	size_t requests = 0;
	char detail[512], name[64], www[64];
	const char *why = "";

	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof name, "many%u.example", i);
		(void)snprintf(www, sizeof www, "www.many%u.example", i);
		begin(&flows[i], 1000 + i, (const char *const[]){ name, www, NULL });
	}
	int64_t from = cpu_us();
	uint64_t sent = acme_http_requests(http);
	for (unsigned i = 0; i < MANY; i++)
		go(&flows[i]);
	for (unsigned i = 0; i < MANY; i++) {
		finished += wait_for(&flows[i].is_done);
		received += flows[i].order.phase == ORDER_RECEIVED;
		requests += flows[i].requests;
		if (flows[i].order.phase != ORDER_RECEIVED)
			why = flows[i].seen;
	}
	int64_t us = cpu_us() - from;
	(void)snprintf(detail, sizeof detail,
	    "%u of %u, %zu requests, %llu sent, %lld us CPU each (challenge answers included) "
	    "%s",
	    received, (unsigned)MANY, requests,
	    (unsigned long long)(acme_http_requests(http) - sent), (long long)(us / MANY), why);
	report(finished == MANY && received == MANY, "a hundred orders at once", detail);
	for (unsigned i = 0; i < MANY; i++)
		end(&flows[i]);
}

static void
case_eab(void)
{
	const char *kid = getenv("EAB_KID"), *hmac = getenv("EAB_HMAC");
	struct account_wait w = open_account(STR_NONE, STR_NONE);

	report(w.err != ERR_OK && w.finding.cause == CAUSE_CA_EAB_INVALID,
	    "no binding where one is demanded", err_name(w.err));
	must(kid != NULL && hmac != NULL);
	struct keys_job seal = { .verb = KEYS_SEAL, .secret = str_of(hmac) };
	struct str sealed = ask_key(&seal).sealed;
	w = open_account(STR("no-such-kid"), sealed);
	report(w.err != ERR_OK && w.finding.cause == CAUSE_CA_EAB_INVALID,
	    "a binding to an unknown key id", err_name(w.err));
	w = open_account(str_of(kid), sealed);
	report(w.err == ERR_OK && account_url.n > 0, "a binding that is good", err_name(w.err));
}

/* Against a server that misbehaves: it ends, with a finding; which one is printed. */
static void
case_fail(void)
{
	struct flow *f = &flows[0];
	struct account_wait w = open_account(STR_NONE, STR_NONE);

	if (w.err != ERR_OK) {
		report(w.is_done && w.finding.cause != CAUSE_NONE,
		    "account fails with a finding", cause_row(w.finding.cause)->id);
		return;
	}
	begin(f, 5, (const char *const[]){ "bad.example", NULL });
	go(f);
	bool is_in_time = wait_for(&f->is_done);
	report(is_in_time && f->order.phase == ORDER_FAILED && f->cause != CAUSE_NONE,
	    "order fails with a finding", f->seen);
	end(f);
}

/* What the server does wrong is not enough to lose the order. */
static void
case_survive(void)
{
	struct flow *f = &flows[0];

	begin(f, 6, (const char *const[]){ "bad.example", NULL });
	go(f);
	bool is_in_time = wait_for(&f->is_done);
	report(is_in_time && f->order.phase == ORDER_RECEIVED, "order gets through", f->seen);
	end(f);
}

/* The port is taken away while everything is under way. */
static void
case_gone(void)
{
	for (unsigned i = 0; i < 20; i++) {
		begin(&flows[i], 2000 + i, (const char *const[]){ "gone.example", NULL });
		go(&flows[i]);
	}
	for (unsigned i = 0; i < 8; i++)
		must(loop_round(loop, 20) == ERR_OK);
	acme.forget(acme.ctx, 2001);
	acme_http_free(&http);
	for (unsigned i = 0; i < 8; i++)
		must(loop_round(loop, 5) == ERR_OK);
	for (unsigned i = 0; i < 20; i++) {
		loop_cancel(loop, &flows[i].timer);
		arena_fini(&flows[i].keep);
		arena_fini(&flows[i].turn);
	}
	report(http == NULL, "the port goes while orders are open", "");
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
		bool needs_account;
	} cases[] = {
		{ "account", case_account, true },
		{ "issue", case_issue, true },
		{ "issue-slow", case_issue_slow, true },
		{ "wrong", case_wrong, true },
		{ "unknown-order", case_unknown_order, true },
		{ "finalize-twice", case_finalize_twice, true },
		{ "revoke", case_revoke, true },
		{ "many", case_many, true },
		{ "eab", case_eab, false },
		{ "fail", case_fail, false },
		{ "survive", case_survive, true },
		{ "gone", case_gone, true },
	};
	uint8_t master_key[32];
	int64_t port = 0;
	struct in_addr address = { .s_addr = htonl(INADDR_ANY) };
	char *colon = argc < 5 ? NULL : strchr(argv[3], ':');

	if (colon != NULL)
		*colon = '\0';
	if (argc < 5 || !str_to_int(str_of(colon != NULL ? colon + 1 : argv[3]), &port) ||
	    port < 0 || port > 65535 ||
	    (colon != NULL && inet_pton(AF_INET, argv[3], &address) != 1)) {
		fprintf(
		    stderr, "usage: acme_conformance DIRECTORY BUNDLE [ADDRESS:]PORT CASE…\n");
		return 2;
	}
	directory = argv[1];
	bundle = argv[2];
	wall = clock_real(SPAN_S(0));
	wall.random(wall.ctx, master_key, sizeof master_key);
	arena_init(&forever, 64 << 20);
	must(loop_new(&wall, &loop) == ERR_OK);
	must(keys_local_new(loop, master_key, NULL, &local) == ERR_OK);
	keys = keys_local_port(local);
	struct acme_http_options options = { .ca_bundle = bundle,
		.user_agent = "koshin-conformance",
		.timeout_ms = 4000,
		.connections_max = 4 };
	must(acme_http_new(loop, &wall, &keys, &options, &http) == ERR_OK);
	acme = acme_http_port(http);
	int listener = listen_on(address, (uint16_t)port);
	struct key_wait account = ask_key(&(struct keys_job){ .verb = KEYS_ACCOUNT_NEW });
	account_key = account.sealed;
	thumbprint = account.thumb;

	bool is_open = false;
	for (int i = 4; i < argc; i++) {
		size_t c = 0, n = sizeof cases / sizeof *cases;

		while (c < n && strcmp(cases[c].name, argv[i]) != 0)
			c++;
		must(c < n);
		if (cases[c].needs_account && !is_open) {
			is_open = open_account_at_last().err == ERR_OK;
			report(is_open, "a new account", "");
		}
		if (is_open || !cases[c].needs_account)
			cases[c].run();
	}
	acme_http_free(&http);
	keys_local_free(&local);
	loop_unwatch(loop, listener);
	close(listener);
	loop_free(&loop);
	arena_fini(&forever);
	return has_failed;
}
