#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "cmd/client.h"
#include "cmd/places.h"
#include "cmd/show.h"
#include "cmd/terminal.h"
#include "core/classify.h"
#include "http/doctor.h"
#include "http/look.h"
#include "ports/clock/clock.h"
#include "ports/names/names.h"
#include "ports/probe/net.h"
#include "ports/process/process.h"
#include "ports/store/store.h"
#include "ports/vantage/ask.h"

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
	struct look look;
	struct evidence_box *box;
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
	int64_t id;

	if (store_open(&o, NULL, &k->store) == ERR_OK)
		look_read(&k->look, k->store, store_site_find(k->store, k->look.name, &id) == ERR_OK ? id : 0);
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
on_told(void *arg, const struct probe_news *news)
{
	const struct name_evidence *n = news->name;
	const struct address_evidence *at = news->at;
	struct checking *k = arg;
	int64_t ms = clock_mono(&k->clock).ms - k->began.ms;
	const char *key = NULL;
	char ip[46] = "";
	AUTO_ARENA a = { .max = 64 * 1024 };
	struct str what = addresses_text(n, &a);

	k->has_told = true;
	if (at != NULL)
		address_text(&at->ip, ip);
	switch (news->step) {
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
	case PROBE_STEP_VIEW:
		what = news->view->place;
		key = news->view->result == VIEW_SEEN ? "cli.check.vantage" : "cli.check.vantage.none";
		break;
	}
	CMD_SAY(k->cmd, stdout, key, arena_strf(&a, "%d.%02d", (int)(ms / 1000), (int)(ms % 1000 / 10)),
	    names_for_people(n->name, &a), what);
	(void)fflush(stdout); /* a terminal that is gone is noticed at the end */
}

/* Who may not read the master key looks without vantage points, and is told so where it was asked for everything. */
static void
find_key(struct checking *k, struct question_key **ret)
{
	struct why why = { "" };
	enum err err = places_key(k->config, &why, ret);

	if (err != ERR_OK && k->cmd->is_verbose)
		CMD_SAY(k->cmd, stderr, "cli.check.vantage.no-key", str_of(why.text[0] != '\0' ? why.text : err_words(err)));
}

static enum err
probe(struct checking *k, struct why *why)
{
	struct loop *loop = NULL;
	struct probe_net *net = NULL;
	struct vantages *vantages = NULL;
	struct question_key *key = NULL;
	struct probe_job job;
	enum err err = look_plan(&k->look, &job) ? loop_new(&k->clock, &loop) : ERR_MEMORY;

	job.told = !k->cmd->is_json && terminal_is_one() ? on_told : NULL;
	if (err == ERR_OK)
		find_key(k, &key);
	if (err == ERR_OK && key != NULL)
		err = vantages_new(loop, &k->clock, &(struct vantages_options){ .config = k->config, .key = key }, &vantages);
	if (err == ERR_OK)
		err = probe_net_configured(loop, &k->clock, k->config, vantages, why, &net);
	if (err == ERR_OK) {
		struct probe port = probe_net_port(net);

		k->began = clock_mono(&k->clock);
		err = port.submit(port.ctx, &job, on_evidence, k);
	}
	while (err == ERR_OK && k->box == NULL)
		err = loop_round(loop, -1);
	probe_net_free(&net);
	vantages_free(&vantages);
	question_key_free(&key);
	loop_free(&loop);
	return err;
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

/* -v: each vantage point with what it saw. */
static void
show_views(const struct show *s, const struct evidence *e)
{
	AUTO_TABLE t = { 0 };
	size_t rows = 0;

	table_init(&t, 4);
	const struct str head[] = { show_ui(s, "cli.head.vantage", &t.arena), show_ui(s, "cli.head.name", &t.arena),
		show_ui(s, "cli.head.address", &t.arena), STR("HTTP") };
	table_put(&t, head);
	for (size_t i = 0; i < e->names_n; i++)
		for (size_t k = 0; k < e->names[i].views_n; k++, rows++) {
			const struct view_evidence *v = &e->names[i].views[k];
			AUTO_BUF addresses = { .max = 4096 }, http = { .max = 4096 };

			for (size_t n = 0; n < v->addresses_n; n++) {
				char ip[46];

				address_text(&v->addresses[n].ip, ip);
				buf_putf(&addresses, "%s%s", n > 0 ? ", " : "", ip);
				buf_putf(&http, "%s%s", n > 0 ? ", " : "", classify_http_words(v->addresses[n].http.result));
				if (v->addresses[n].http.result == HTTP_ANSWERED)
					buf_putf(&http, " %d", v->addresses[n].http.status);
			}
			const struct str cells[] = { v->place, names_for_people(e->names[i].name, &t.arena), addresses.n > 0 ? buf_str(&addresses) : STR("-"),
				v->result != VIEW_SEEN ? v->detail.n > 0 ? v->detail : STR("-") : http.n > 0 ? buf_str(&http) : STR("-") };
			table_put(&t, cells);
		}
	if (rows == 0)
		return;
	(void)putchar('\n');
	table_print(&t);
}

static int
check(struct checking *k)
{
	struct why why = { "" };
	enum err err = names_read(str_of(k->cmd->args[0]), true, &k->arena, &why, &k->look.name);

	if (err == ERR_OK) {
		read_store(k);
		err = probe(k, &why);
	}
	if (err != ERR_OK) {
		CMD_SAY(k->cmd, stderr, "cli.error",
		    str_of(why.text[0] != '\0' ? why.text : err_words(err)));
		return CMD_FAILED;
	}
	k->look.reported = str_of(cmd_value(k->cmd, "visitor"));
	json_t *document = look_document(&k->look, &k->box->evidence);
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
		if (k->cmd->is_verbose)
			show_views(&s, &k->box->evidence);
	}
	json_decref(document);
	return k->look.findings.n == 0 ? CMD_DONE : CMD_FAILED;
}

int
cmd_check(struct cmd *c)
{
	struct checking k = { .cmd = c, .config = cmd_config(c) };
	int status = CMD_FAILED;

	/* It may hold the master key for a moment. */
	if (k.config != NULL && process_keep_secret() == ERR_OK) {
		(void)signal(SIGPIPE, SIG_IGN);
		k.clock = clock_real(k.config->clock_offset);
		arena_init(&k.arena, 64 * 1024 * 1024);
		k.look = (struct look){ .config = k.config, .a = &k.arena };
		status = check(&k);
	}
	evidence_box_free(&k.box);
	store_close(&k.store);
	arena_fini(&k.arena);
	config_free(&k.config);
	return status;
}
