#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cmd/client.h"
#include "cmd/show.h"
#include "cmd/terminal.h"
#include "core/classify.h"
#include "http/doctor.h"
#include "http/json_site.h"
#include "ports/clock/clock.h"
#include "ports/names/names.h"
#include "ports/probe/net.h"
#include "ports/store/store.h"

/*
 * koshin check NAME: looks at a name as the CA's validator and a visitor do, and says what is wrong with it. It needs no
 * daemon. What the store knows of the name (its site, the account's thumbprint) is used where it can be read.
 */

struct checking {
	struct cmd *cmd;
	struct config *config;
	struct clock clock;
	struct arena arena;
	struct store *store;
	struct ca_row ca;
	struct site site;
	bool is_site;
	struct str name; /* ASCII */
	struct evidence_box *box;
	struct finding_list findings;
	struct str addresses[LIMIT_ADDRESSES];
	struct mono began;
	bool has_told;
};

static void
on_evidence(void *arg, struct evidence_box *box)
{
	struct checking *k = arg;

	k->box = box;
}

/* Without a store the check goes on: the name is then nobody's, and the challenge path is not tried. */
static void
read_store(struct checking *k)
{
	const struct store_options o = { .file = doctor_store_file(k->config, &k->arena).p,
		.is_readonly = true,
		.busy_timeout_ms = 5000 };
	struct ca_row *cas;
	size_t n = 0;
	int64_t id;

	if (store_open(&o, NULL, &k->store) != ERR_OK)
		return;
	if (store_cas(k->store, &k->arena, &cas, &n) == ERR_OK && n > 0)
		k->ca = cas[0];
	if (store_site_find(k->store, k->name, &id) == ERR_OK)
		k->is_site = store_site_load(k->store, id, &k->arena, &k->site) == ERR_OK;
}

/* --- on a terminal: what has come in, as it comes --- */

static struct str
addresses_text(const struct name_evidence *n, struct arena *a)
{
	AUTO_BUF text = { .max = 4096 };
	char ip[46];

	for (size_t i = 0; i < n->addresses_n && i < LIMIT_ADDRESSES; i++) {
		address_text(&n->addresses[i].ip, ip);
		buf_putf(&text, "%s%s", i > 0 ? ", " : "", ip);
	}
	return arena_str(a, buf_str(&text));
}

static void
on_told(void *arg, enum probe_step step, const struct name_evidence *n, const struct address_evidence *at)
{
	struct checking *k = arg;
	int64_t ms = clock_mono(&k->clock).ms - k->began.ms;
	const char *key = NULL;
	char ip[46] = "";
	AUTO_ARENA a = { .max = 64 * 1024 };
	struct str what = addresses_text(n, &a);

	k->has_told = true;
	if (at != NULL)
		address_text(&at->ip, ip);
	switch (step) {
	case PROBE_STEP_ADDRESSES:
		key = n->addresses_n > 0 ? "cli.check.addresses" : "cli.check.addresses.none";
		break;
	case PROBE_STEP_HTTP:
		what = str_of(ip);
		key = at->http.result == HTTP_ANSWERED ? "cli.check.http" : "cli.check.http.none";
		break;
	case PROBE_STEP_TLS:
		what = str_of(ip);
		key = at->tls.result == TLS_SHOWN ? "cli.check.tls" : "cli.check.tls.none";
		break;
	}
	CMD_SAY(k->cmd, stdout, key, arena_strf(&a, "%d.%02d", (int)(ms / 1000), (int)(ms % 1000 / 10)),
	    names_for_people(n->name, &a), what);
	(void)fflush(stdout); /* a terminal that is gone is noticed at the end */
}

static enum err
probe(struct checking *k, struct why *why)
{
	struct loop *loop = NULL;
	struct probe_net *net = NULL;
	struct str one[1] = { k->name }, *names = one;
	size_t names_n = 1;
	enum err err = loop_new(&k->clock, &loop);

	if (k->is_site) {
		names = arena_get(&k->arena, k->site.names_n * sizeof *names);
		names_n = 0;
		for (size_t i = 0; names != NULL && i < k->site.names_n; i++)
			if (k->site.names[i].is_wanted)
				names[names_n++] = k->site.names[i].name;
	}
	const struct probe_job job = {
		.names = names,
		.names_n = names_n,
		.want_dns = true,
		.want_http = true,
		.want_tls = true,
		.want_registration = true,
		.is_thorough = true,
		.told = !k->cmd->is_json && isatty(STDOUT_FILENO) == 1 ? on_told : NULL,
		.thumbprint = k->ca.thumbprint,
	};
	if (err == ERR_OK)
		err = probe_net_configured(loop, &k->clock, k->config, why, &net);
	if (err == ERR_OK) {
		struct probe port = probe_net_port(net);

		k->began = clock_mono(&k->clock);
		err = port.submit(port.ctx, &job, on_evidence, k);
	}
	while (err == ERR_OK && k->box == NULL)
		err = loop_round(loop, -1);
	probe_net_free(&net);
	loop_free(&loop);
	return err;
}

/* The CA's or the installer's word is no check's to take back; it is told beside what was seen. */
static void
keep_foreign_findings(struct checking *k)
{
	for (size_t i = 0; i < k->site.findings.n; i++) {
		const struct finding *old = &k->site.findings.at[i];

		if (!old->is_from_order || k->findings.n == k->findings.cap)
			continue;
		k->findings.at[k->findings.n++] = *old;
	}
	finding_sort(&k->findings);
}

/* What a visitor said belongs to the name that was asked for. */
static void
take_report(struct checking *k)
{
	const char *words = cmd_value(k->cmd, "visitor");

	for (size_t i = 0; words != NULL && i < k->box->evidence.names_n; i++)
		if (str_eq(k->box->evidence.names[i].name, k->name))
			k->box->evidence.names[i].reported = str_of(words);
}

static void
judge(struct checking *k)
{
	struct policy p = {
		.look_every = k->config->check.look_every,
		.poll_min = k->config->check.poll_min,
		.poll_max = k->config->check.poll_max,
		.ca_not_before = WHEN_UNKNOWN,
		.addresses = k->addresses,
		.draft_tell_after = k->config->draft.tell_after,
		.ca_issuer = k->ca.caa_identity,
		.ca_issuers = k->ca.caa_identities,
		.account_url = k->ca.account_url,
		.thumbprint = k->ca.thumbprint,
	};
	size_t cap = (k->box->evidence.names_n + 1) * LIMIT_FINDINGS;

	for (; p.addresses_n < k->config->server.addresses_n && p.addresses_n < LIMIT_ADDRESSES;
	     p.addresses_n++)
		k->addresses[p.addresses_n] =
		    str_of(k->config->server.addresses[p.addresses_n]);
	k->findings =
	    (struct finding_list){ .at = arena_get(&k->arena, cap * sizeof *k->findings.at) };
	k->findings.cap = k->findings.at != NULL ? cap : 0;
	classify(&k->box->evidence, k->is_site ? &k->site : NULL, &p, &k->arena, &k->findings);
	if (k->is_site)
		keep_foreign_findings(k);
}

/* Beside the last good look of the engine stands this one. */
static void
put_sighting(struct checking *k, const struct name_evidence *n)
{
	struct site *s = &k->site;

	for (size_t i = 0; s->memory != NULL && i < s->names_n; i++)
		if (str_eq(s->names[i].name, n->name))
			s->memory[i].last = sighting_of(&k->box->evidence, n, &s->memory[i].good,
			    s->held.id != 0 ? s->held.fingerprint : NULL, &k->arena);
}

/*
 * The site as it would be after this check, so that what is said comes from the one function that says it (core/view).
 * A name that is no site is taken for one of its own, without a certificate of ours.
 */
static bool
put_seen(struct checking *k)
{
	const struct evidence *e = &k->box->evidence;
	struct site *s = &k->site;

	if (!k->is_site) {
		*s = (struct site){
			.setting = { .source = SOURCE_FREE, .coverage = COVERAGE_SINGLE },
			.names = arena_get(&k->arena, sizeof *s->names),
			.names_n = 1,
			.doing_since = WHEN_UNKNOWN,
			.retry_at = WHEN_UNKNOWN,
			.deploy_at = WHEN_UNKNOWN,
			.letter_at = WHEN_UNKNOWN,
			.wake = WHEN_UNKNOWN,
		};
		if (s->names == NULL)
			return false;
		s->names[0] = (struct site_name){
			.name = k->name,
			.is_wanted = true,
			.passed_at = WHEN_UNKNOWN,
			.refused_until = WHEN_UNKNOWN,
			.validated_at = WHEN_UNKNOWN,
			.served = { .at = WHEN_UNKNOWN, .not_after = WHEN_UNKNOWN },
		};
	}
	s->checked_at = s->look_at = e->at;
	s->findings = k->findings;
	for (size_t i = 0; i < e->names_n; i++)
		put_sighting(k, &e->names[i]);
	for (size_t i = 0; i < s->names_n; i++)
		for (size_t n = 0; n < e->names_n; n++)
			if (str_eq(e->names[n].name, s->names[i].name))
				s->names[i].served = served_of(e, &e->names[n], &s->held);
	return true;
}

static json_t *
address_document(const struct address_evidence *a)
{
	json_t *o = json_object(), *certificate = NULL;
	char ip[46];

	address_text(&a->ip, ip);
	if (a->tls.result == TLS_SHOWN)
		certificate = json_pack("{s:o, s:o, s:o, s:o, s:b}", "not_before",
		    json_date(a->tls.leaf.not_before), "not_after",
		    json_date(a->tls.leaf.not_after), "issuer", json_text(a->tls.leaf.issuer),
		    "fingerprint", json_fingerprint(a->tls.leaf.fingerprint), "chain_ok",
		    a->tls.chain_ok);
	if (json_put(o, "address", json_string(ip)) &&
	    json_put(o, "ours", json_boolean(a->is_ours)) &&
	    json_put(o, "http_status",
		a->http.result == HTTP_ANSWERED ? json_integer(a->http.status) : json_null()) &&
	    json_put(o, "certificate", certificate != NULL ? certificate : json_null()))
		return o;
	json_decref(o);
	return NULL;
}

/* Puts what was seen on each address beside the findings of its name. */
static bool
put_addresses(const struct evidence *e, json_t *names)
{
	size_t i;
	json_t *name;

	json_array_foreach(names, i, name)
	{
		json_t *list = json_array();

		for (size_t n = 0; n < e->names_n; n++) {
			if (!str_eq(e->names[n].name, str_of(show_text(name, "ascii"))))
				continue;
			for (size_t a = 0; a < e->names[n].addresses_n; a++)
				(void)json_array_append_new(
				    list, address_document(&e->names[n].addresses[a]));
		}
		if (!json_put(name, "addresses", list))
			return false;
	}
	return true;
}

/* "served" of the name that was asked for. */
static json_t *
served_of_asked(const struct checking *k, const json_t *names)
{
	size_t i;
	json_t *name;

	json_array_foreach(names, i,
	    name) if (str_eq(str_of(show_text(name, "ascii")),
			  k->name)) return json_incref(json_object_get(name, "served"));
	return json_null();
}

/* What a site's document says, without what only a site can have. */
static json_t *
document_of(struct checking *k)
{
	static const char *const taken[] = { "until", "since", "acts", "cause" };
	struct json_site_facts facts = {
		.order_phase = ORDER_PHASE_COUNT,
		.now = k->box->evidence.at,
		.zone = config_zone(k->config),
		.panel_url = str_of(k->config->panel_url),
	};
	json_t *site = put_seen(k) ? json_site(&k->site, &facts, &k->arena) : NULL;
	json_t *names = json_incref(json_object_get(site, "names")), *o = json_object();
	bool ok = put_addresses(&k->box->evidence, names) &&
		  json_put(o, "name", json_text(names_for_people(k->name, &k->arena))) &&
		  json_put(o, "at", json_date(k->box->evidence.at)) &&
		  json_put(o, "ok", json_boolean(k->findings.n == 0)) &&
		  json_put(o, "site",
		      k->is_site ? json_incref(json_object_get(site, "name")) : json_null()) &&
		  json_put(o, "state",
		      k->is_site ? json_incref(json_object_get(site, "state")) : json_null()) &&
		  json_put(o, "served", served_of_asked(k, names));

	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		ok = ok && json_put(o, taken[i], json_incref(json_object_get(site, taken[i])));
	ok = json_put(o, "names", names) && ok;
	json_decref(site);
	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

/* -v: each address with what it answered. */
static void
show_addresses(const struct show *s, const json_t *document)
{
	AUTO_TABLE t = { 0 };
	size_t i, n;
	json_t *name, *address;

	table_init(&t, 4);
	const struct str head[] = { show_ui(s, "cli.head.name", &t.arena),
		show_ui(s, "cli.head.address", &t.arena), STR("HTTP"),
		show_ui(s, "cli.head.served", &t.arena) };
	table_put(&t, head);
	json_array_foreach(json_object_get(document, "names"), i, name)
	    json_array_foreach(json_object_get(name, "addresses"), n, address)
	{
		const json_t *certificate = json_object_get(address, "certificate");
		json_int_t http = json_integer_value(json_object_get(address, "http_status"));
		AUTO_BUF served = { .max = 8192 };

		if (json_is_object(certificate)) {
			show_date(s, certificate, "not_after", false, &served);
			buf_putf(&served, " %s", show_text(certificate, "issuer"));
		} else {
			buf_putc(&served, '-');
		}
		const struct str cells[] = { str_of(show_text(name, "name")),
			str_of(show_text(address, "address")),
			http > 0 ? arena_strf(&t.arena, "%d", (int)http) : STR("-"),
			buf_str(&served) };
		table_put(&t, cells);
	}
	(void)putchar('\n');
	table_print(&t);
}

static int
check(struct checking *k)
{
	struct why why = { "" };
	enum err err = names_read(str_of(k->cmd->args[0]), true, &k->arena, &why, &k->name);

	if (err == ERR_OK) {
		read_store(k);
		err = probe(k, &why);
	}
	if (err != ERR_OK) {
		CMD_SAY(k->cmd, stderr, "cli.error",
		    str_of(why.text[0] != '\0' ? why.text : err_words(err)));
		return CMD_FAILED;
	}
	take_report(k);
	judge(k);
	json_t *document = document_of(k);
	if (document == NULL) {
		CMD_SAY(k->cmd, stderr, "cli.error", str_of(err_words(ERR_MEMORY)));
		return CMD_FAILED;
	}
	if (k->cmd->is_json) {
		client_print_json(document);
	} else {
		struct show s = show_init(k->cmd, k->config);

		if (k->has_told)
			(void)putchar('\n');
		show_lines(&s, document);
		if (k->cmd->is_verbose)
			show_addresses(&s, document);
	}
	json_decref(document);
	return k->findings.n == 0 ? CMD_DONE : CMD_FAILED;
}

int
cmd_check(struct cmd *c)
{
	struct checking k = { .cmd = c, .config = cmd_config(c) };
	int status = CMD_FAILED;

	if (k.config != NULL) {
		(void)signal(SIGPIPE, SIG_IGN);
		k.clock = clock_real(k.config->clock_offset);
		arena_init(&k.arena, 64 * 1024 * 1024);
		status = check(&k);
	}
	evidence_box_free(&k.box);
	store_close(&k.store);
	arena_fini(&k.arena);
	config_free(&k.config);
	return status;
}
