#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cmd/client.h"
#include "cmd/show.h"
#include "cmd/terminal.h"
#include "http/doctor.h"
#include "http/look.h"
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
	struct probe_job job;
	enum err err = look_plan(&k->look, &job) ? loop_new(&k->clock, &loop) : ERR_MEMORY;

	job.told = !k->cmd->is_json && isatty(STDOUT_FILENO) == 1 ? on_told : NULL;
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
	}
	json_decref(document);
	return k->look.findings.n == 0 ? CMD_DONE : CMD_FAILED;
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
		k.look = (struct look){ .config = k.config, .a = &k.arena };
		status = check(&k);
	}
	evidence_box_free(&k.box);
	store_close(&k.store);
	arena_fini(&k.arena);
	config_free(&k.config);
	return status;
}
