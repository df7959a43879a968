#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "cmd/client.h"
#include "cmd/show.h"
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
	const struct store_options o = { .file = doctor_store_file(k->config, &k->arena).p, .is_readonly = true, .busy_timeout_ms = 5000 };
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
	const struct probe_job job = { names, names_n, true, true, true, k->ca.thumbprint };
	if (err == ERR_OK)
		err = probe_net_configured(loop, &k->clock, k->config, why, &net);
	if (err == ERR_OK) {
		struct probe port = probe_net_port(net);

		err = port.submit(port.ctx, &job, on_evidence, k);
	}
	while (err == ERR_OK && k->box == NULL)
		err = loop_round(loop, -1);
	probe_net_free(&net);
	loop_free(&loop);
	return err;
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
		.ca_issuer = k->ca.caa_identity,
		.account_url = k->ca.account_url,
		.thumbprint = k->ca.thumbprint,
	};
	size_t cap = (k->box->evidence.names_n + 1) * LIMIT_FINDINGS;

	for (; p.addresses_n < k->config->server.addresses_n && p.addresses_n < LIMIT_ADDRESSES; p.addresses_n++)
		k->addresses[p.addresses_n] = str_of(k->config->server.addresses[p.addresses_n]);
	k->findings = (struct finding_list){ .at = arena_get(&k->arena, cap * sizeof *k->findings.at) };
	k->findings.cap = k->findings.at != NULL ? cap : 0;
	classify(&k->box->evidence, k->is_site ? &k->site : NULL, &p, &k->arena, &k->findings);
}

/* What visitors get on the first address that shows a certificate. */
static json_t *
served_of_name(const struct name_evidence *n)
{
	for (size_t i = 0; i < n->addresses_n; i++) {
		const struct tls_evidence *t = &n->addresses[i].tls;
		char ip[46];

		if (t->result != TLS_SHOWN)
			continue;
		address_text(&n->addresses[i].ip, ip);
		return json_pack("{s:s, s:o, s:o, s:o, s:b}", "address", ip, "not_after", json_date(t->leaf.not_after), "issuer",
		    json_text(t->leaf.issuer), "fingerprint", json_fingerprint(t->leaf.fingerprint), "chain_ok", t->chain_ok);
	}
	return json_null();
}

static json_t *
name_document(const struct checking *k, const struct name_evidence *n, const struct json_site_facts *facts, struct arena *a)
{
	json_t *findings = json_array();
	struct view view = { .until = WHEN_UNKNOWN, .since = WHEN_UNKNOWN, .next_look = WHEN_UNKNOWN, .next_renewal = WHEN_UNKNOWN };

	for (size_t i = 0; i < k->findings.n; i++) {
		view.cause = &k->findings.at[i];
		view.acts = view.cause->acts;
		if (str_eq(k->findings.at[i].subject, n->name))
			(void)json_array_append_new(findings, json_finding(&k->findings.at[i], n->name, &view, facts, a));
	}
	return json_pack("{s:o, s:o, s:o, s:o}", "name", json_text(names_for_people(n->name, a)), "ascii", json_text(n->name),
	    "served", served_of_name(n), "findings", findings);
}

static json_t *
document_of(struct checking *k)
{
	const struct evidence *e = &k->box->evidence;
	const struct json_site_facts facts = { .order_phase = ORDER_PHASE_COUNT, .now = e->at, .zone = config_zone(k->config),
		.panel_url = str_of(k->config->panel_url) };
	json_t *names = json_array(), *served = json_null();

	for (size_t i = 0; i < e->names_n; i++) {
		(void)json_array_append_new(names, name_document(k, &e->names[i], &facts, &k->arena));
		if (str_eq(e->names[i].name, k->name)) {
			json_decref(served);
			served = served_of_name(&e->names[i]);
		}
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:b}", "name", json_text(names_for_people(k->name, &k->arena)), "at",
	    json_date(e->at), "served", served, "names", names, "ok", k->findings.n == 0);
}

static void
show_names(const struct show *s, const json_t *document)
{
	size_t i, n;
	json_t *name, *f;

	json_array_foreach(json_object_get(document, "names"), i, name)
	{
		const json_t *findings = json_object_get(name, "findings"), *served = json_object_get(name, "served");

		(void)printf("%s%s\n", i > 0 ? "\n" : "", show_text(name, "name"));
		if (json_is_object(served)) {
			AUTO_BUF until = { .max = 4096 };

			show_date(s, served, "not_after", true, &until);
			show_row(s, "cli.label.until", buf_str(&until));
		}
		if (json_array_size(findings) == 0)
			cmd_say(s->cmd, stdout, "cli.all-well", NULL, 0);
		json_array_foreach(findings, n, f)
		{
			/* The first is the cause; the rest was also noticed, in one line each. */
			if (n == 0 || s->cmd->is_verbose)
				show_finding(s, f);
			else
				show_row(s, n == 1 ? "cli.label.also" : NULL, str_of(show_spoken(s, f, "explanation")));
		}
	}
}

static int
check(struct checking *k)
{
	struct why why = { "" };
	enum err err = names_read(str_of(k->cmd->args[0]), false, &k->arena, &why, &k->name);

	if (err == ERR_OK) {
		read_store(k);
		err = probe(k, &why);
	}
	if (err != ERR_OK) {
		CMD_SAY(k->cmd, stderr, "cli.error", str_of(why.text[0] != '\0' ? why.text : err_words(err)));
		return CMD_FAILED;
	}
	judge(k);
	json_t *document = document_of(k);
	if (k->cmd->is_json) {
		client_print_json(document);
	} else {
		struct show s = show_init(k->cmd, k->config);

		show_names(&s, document);
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
