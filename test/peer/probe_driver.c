/*
 * Drives the real probe for tests: settings from the command line, one job for each line of standard input
 * ("dns,http,tls,registration,thorough NAME NAME …"), one JSON object for each answer on standard output. Ends when the input has ended
 * and all answers are out.
 */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ports/probe/net.h"

enum { LIST_MAX = 32, LINE_BYTES_MAX = 32768, NAMES_MAX = 100 };

static struct {
	struct loop *loop;
	struct clock clock;
	struct probe probe;
	const char *thumbprint;
	char line[LINE_BYTES_MAX];
	size_t line_n;
	unsigned open, number;
	bool is_ended;
} driver;

static json_t *
text_of(struct str s)
{
	json_t *j = s.n > 0 ? json_stringn(s.p, s.n) : json_string("");

	return j != NULL ? j : json_sprintf("%zu bytes that are no text", s.n);
}

static const char *
dns_word(enum dns_status s)
{
	static const char *const words[] = { "NOT_ASKED", "OK", "NXDOMAIN", "SERVFAIL", "BOGUS",
		"TIMEOUT", "BROKEN", "LOCAL" };

	return words[s];
}

static json_t *
json_of_http(const struct http_evidence *h)
{
	static const char *const words[] = { "NOT_TRIED", "ANSWERED", "REFUSED",
		"TIMEOUT_CONNECT", "TIMEOUT_READ", "UNREACHABLE", "RESET", "NOT_HTTP",
		"TLS_FAILED", "REDIRECT_LOOP", "REDIRECT_DISALLOWED", "REDIRECT_UNRESOLVABLE",
		"FORBIDDEN_ADDRESS" };

	return json_pack("{s:s, s:i, s:b, s:b, s:i, s:o, s:o, s:o, s:o, s:i, s:i, s:i}", "result",
	    words[h->result], "status", h->status, "is_ours", h->is_ours, "is_ours_altered",
	    h->is_ours_altered, "hops", (int)h->hops, "location", text_of(h->location),
	    "server", text_of(h->server), "body", text_of(h->body), "detail",
	    text_of(h->detail), "ms", (int)h->ms, "tries", (int)h->tries, "ours_n", (int)h->ours_n);
}

static json_t *
json_of_tls(const struct tls_evidence *t)
{
	static const char *const words[] = { "NOT_TRIED", "SHOWN", "REFUSED", "TIMEOUT",
		"UNREACHABLE", "RESET", "ALERT", "FORBIDDEN_ADDRESS" };
	char fingerprint[2 * FINGERPRINT_BYTES + 1];
	json_t *names = json_array();

	for (size_t i = 0; i < FINGERPRINT_BYTES; i++)
		(void)snprintf(fingerprint + 2 * i, 3, "%02x", t->leaf.fingerprint[i]);
	for (size_t i = 0; i < t->leaf.names_n; i++)
		json_array_append_new(names, text_of(t->leaf.names[i]));
	static const char *const revocations[] = { "NOT_ASKED", "UNKNOWN", "GOOD", "REVOKED" };

	return json_pack("{s:s, s:s, s:b, s:b, s:I, s:s, s:o, s:o, s:o}", "revocation", revocations[t->revocation], "result", words[t->result],
	    "chain_ok", t->chain_ok, "chain_is_incomplete", t->chain_is_incomplete, "not_after",
	    (json_int_t)t->leaf.not_after.s, "fingerprint", fingerprint, "names", names,
	    "issuer", text_of(t->leaf.issuer), "detail", text_of(t->detail));
}

static json_t *
json_of_home(const struct home_evidence *h)
{
	return json_pack("{s:o, s:b, s:o, s:i}", "http", json_of_http(&h->http), "has_hsts", h->has_hsts, "insecure", text_of(h->insecure),
	    "insecure_n", (int)h->insecure_n);
}

static json_t *
json_of_registration(const struct registration *r)
{
	static const char *const words[] = { "NOT_ASKED", "UNKNOWN", "FOUND", "NONE" };

	return json_pack("{s:s, s:b, s:b, s:b, s:I, s:o, s:o}", "status", words[r->status],
	    "is_on_hold", r->is_on_hold, "is_redeemable", r->is_redeemable, "is_being_deleted",
	    r->is_being_deleted, "expires", (json_int_t)r->expires.s, "registrar",
	    text_of(r->registrar), "words", text_of(r->words));
}

static json_t *
json_of_name(const struct name_evidence *e)
{
	json_t *addresses = json_array(), *caa = json_array(), *nameservers = json_array();

	for (size_t i = 0; i < e->nameservers_n; i++)
		json_array_append_new(nameservers, text_of(e->nameservers[i]));
	for (size_t i = 0; i < e->addresses_n; i++) {
		const struct address_evidence *a = &e->addresses[i];
		char ip[46];

		address_text(&a->ip, ip);
		json_t *services = json_object();
		for (size_t k = 0; k < a->services_n; k++) {
			char port[8];

			(void)snprintf(port, sizeof port, "%u", (unsigned)a->services[k].port);
			json_object_set_new(services, port, json_of_tls(&a->services[k].tls));
		}
		json_array_append_new(
		    addresses, json_pack("{s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o}", "ip", ip, "is_ours",
				   a->is_ours, "is_reserved", a->is_reserved, "http",
				   json_of_http(&a->http), "tls", json_of_tls(&a->tls), "home", json_of_home(&a->home), "plain", json_of_http(&a->plain), "services", services));
	}
	for (size_t i = 0; i < e->caa_n; i++)
		json_array_append_new(
		    caa, json_pack("{s:i, s:o, s:o}", "flags", e->caa[i].flags, "tag",
			     text_of(e->caa[i].tag), "value", text_of(e->caa[i].value)));
	return json_pack("{s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:b, s:o, s:I, s:o, s:o, s:o, s:o, s:o}",
	    "name", text_of(e->name), "a", dns_word(e->a_status), "aaaa",
	    dns_word(e->aaaa_status), "caa_status", dns_word(e->caa_status),
	    "registered_status", dns_word(e->registered_status), "why_bogus",
	    text_of(e->why_bogus), "cname_target", text_of(e->cname_target), "is_cname_loop",
	    e->is_cname_loop, "registered_domain", text_of(e->registered_domain), "ttl",
	    (json_int_t)e->ttl_s, "caa_at", text_of(e->caa_at), "caa", caa, "addresses",
	    addresses, "registration", json_of_registration(&e->registration), "nameservers", nameservers);
}

struct job_note {
	unsigned number;
	struct mono begun;
};

static void
on_done(void *arg, struct evidence_box *box)
{
	struct job_note *note = arg;
	const struct evidence *e = &box->evidence;
	json_t *names = json_array();

	for (size_t i = 0; i < e->names_n; i++)
		json_array_append_new(names, json_of_name(&e->names[i]));
	json_t *j = json_pack("{s:i, s:I, s:b, s:o}", "job", (int)note->number, "ms",
	    (json_int_t)(clock_mono(&driver.clock).ms - note->begun.ms), "resolver_works",
	    e->resolver_works, "names", names);
	json_dumpf(j, stdout, JSON_COMPACT);
	(void)putchar('\n');
	(void)fflush(stdout);
	json_decref(j);
	evidence_box_free(&box);
	free(note);
	driver.open--;
}

static void
take_line(struct str line)
{
	struct str names[NAMES_MAX], plan = str_cut(&line, ' ');
	struct probe_job job = { .names = names, .thumbprint = str_of(driver.thumbprint) };

	job.want_dns = str_find(plan, STR("dns")) != SIZE_MAX;
	job.want_http = str_find(plan, STR("http")) != SIZE_MAX;
	job.want_tls = str_find(plan, STR("tls")) != SIZE_MAX;
	job.want_registration = str_find(plan, STR("registration")) != SIZE_MAX;
	job.is_thorough = str_find(plan, STR("thorough")) != SIZE_MAX;
	while (line.n > 0 && job.names_n < NAMES_MAX)
		names[job.names_n++] = str_cut(&line, ' ');
	struct job_note *note = malloc(sizeof *note);
	if (note == NULL)
		exit(1);
	*note = (struct job_note){ driver.number++, clock_mono(&driver.clock) };
	enum err e = driver.probe.submit(driver.probe.ctx, &job, on_done, note);
	if (e == ERR_OK) {
		driver.open++;
		return;
	}
	printf("{\"job\": %u, \"refused\": \"%s\"}\n", note->number, err_name(e));
	(void)fflush(stdout);
	free(note);
}

static void
on_input(void *arg, int fd, int events)
{
	(void)arg;
	(void)events;
	ssize_t n = read(fd, driver.line + driver.line_n, sizeof driver.line - driver.line_n);
	if (n <= 0) {
		driver.is_ended = true;
		loop_unwatch(driver.loop, fd);
		return;
	}
	driver.line_n += (size_t)n;
	struct str rest = { driver.line, driver.line_n };
	while (rest.n > 0 && memchr(rest.p, '\n', rest.n) != NULL)
		take_line(str_cut(&rest, '\n'));
	if (rest.n > 0)
		memmove(driver.line, rest.p, rest.n);
	driver.line_n = rest.n;
}

static void
fail(const char *words)
{
	(void)fprintf(stderr, "probe_driver: %s\n", words);
	exit(2);
}

int
main(int argc, char **argv)
{
	struct address ours[LIST_MAX];
	struct address_range allowed[LIST_MAX];
	const char *forwarders[LIST_MAX];
	struct probe_service services[LIST_MAX];
	struct probe_net_options o = { .ours = ours,
		.allowed = allowed,
		.services = services,
		.forwarders = forwarders,
		.http_port = 80,
		.https_port = 443,
		.timeout_ms = 2000,
		.deadline_ms = 8000 };
	struct why why = { "" };
	struct probe_net *net = NULL;

	driver.thumbprint = "";
	for (int i = 1; i + 1 < argc; i += 2) {
		const char *key = argv[i], *value = argv[i + 1];

		if (strcmp(key, "--ours") == 0 && o.ours_n < LIST_MAX &&
		    address_read(str_of(value), &ours[o.ours_n]) == ERR_OK)
			o.ours_n++;
		else if (strcmp(key, "--allow") == 0 && o.allowed_n < LIST_MAX &&
			 address_range_read(str_of(value), &allowed[o.allowed_n]) == ERR_OK)
			o.allowed_n++;
		else if (strcmp(key, "--service") == 0 && o.services_n < LIST_MAX &&
			 probe_service_read(str_of(value), &services[o.services_n]) == ERR_OK)
			o.services_n++;
		else if (strcmp(key, "--forwarder") == 0 && o.forwarders_n < LIST_MAX)
			forwarders[o.forwarders_n++] = value;
		else if (strcmp(key, "--anchor") == 0)
			o.trust_anchor_file = value;
		else if (strcmp(key, "--roots") == 0)
			o.roots = value;
		else if (strcmp(key, "--rdap") == 0)
			o.rdap = value;
		else if (strcmp(key, "--http") == 0)
			o.http_port = (uint16_t)strtoul(value, NULL, 10);
		else if (strcmp(key, "--https") == 0)
			o.https_port = (uint16_t)strtoul(value, NULL, 10);
		else if (strcmp(key, "--timeout") == 0)
			o.timeout_ms = strtol(value, NULL, 10);
		else if (strcmp(key, "--deadline") == 0)
			o.deadline_ms = strtol(value, NULL, 10);
		else if (strcmp(key, "--thumbprint") == 0)
			driver.thumbprint = value;
		else
			fail(key);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	driver.clock = clock_real(SPAN_S(0));
	if (loop_new(&driver.clock, &driver.loop) != ERR_OK)
		fail("no loop");
	if (probe_net_new(driver.loop, &driver.clock, &o, &why, &net) != ERR_OK)
		fail(why.text);
	driver.probe = probe_net_port(net);
	if (loop_watch(driver.loop, STDIN_FILENO, LOOP_READ, on_input, NULL) != ERR_OK)
		fail("standard input cannot be watched");
	while (!driver.is_ended || driver.open > 0)
		if (loop_round(driver.loop, -1) != ERR_OK)
			fail("the loop failed");
	struct timespec cpu;
	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0 && driver.number > 0)
		(void)fprintf(stderr, "cpu: %.3f ms for each job\n",
		    ((double)cpu.tv_sec * 1e3 + (double)cpu.tv_nsec / 1e6) / driver.number);
	probe_net_free(&net);
	loop_free(&driver.loop);
	return 0;
}
