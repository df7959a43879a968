#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "cmd/cert.h"
#include "cmd/client.h"
#include "cmd/show.h"
#include "core/own_issuer.h"
#include "http/json_site.h"
#include "ports/clock/clock.h"
#include "ports/keys/own.h"
#include "ports/mail/smtp.h"
#include "ports/names/names.h"
#include "ports/probe/issuers.h"
#include "ports/probe/net.h"

/* koshin cert check: can this file of another issuer be used for these names? Needs no daemon, changes nothing. */

enum { NAMES_MAX = 100 };

struct looking {
	struct cmd *cmd;
	struct config *config;
	struct arena arena;
	struct str names[NAMES_MAX];
	size_t names_n;
	struct own_certificate certificate;
	struct buf file, chain;
	struct when now;
	struct finding_list findings;
	struct clock clock;
	struct buf found; /* of its issuer, who was asked for it */
	bool is_searched;
};

static enum err
read_names(struct looking *k, struct why *why)
{
	struct str rest = str_of(cmd_value(k->cmd, "for"));
	enum err e = rest.n > 0 ? ERR_OK : ERR_INVALID;

	while (e == ERR_OK && rest.n > 0) {
		struct str name = str_trim(str_cut(&rest, ','));

		if (k->names_n == NAMES_MAX)
			return ERR_TOO_LONG;
		e = names_read(name, true, &k->arena, why, &k->names[k->names_n++]);
	}
	return e;
}

static enum err
read_file(struct looking *k, struct why *why)
{
	const char *path = k->cmd->args[0];
	FILE *f = fopen(path, "re");
	char part[4096];
	size_t n;

	if (f == NULL) {
		why_set(why, "%s: %s", path, strerror(errno));
		return err_of_errno(errno);
	}
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		buf_put(&k->file, part, n);
	bool is_bad = ferror(f) != 0;
	(void)fclose(f); /* it was only read */
	explicit_bzero(part, sizeof part);
	return is_bad ? ERR_IO : k->file.err;
}

static enum err
read_certificate(struct looking *k, const char *password)
{
	buf_clear(&k->chain);
	return own_read(&(struct own_input){ .files = { buf_str(&k->file) },
			    .known = buf_str(&k->found),
			    .password = password != NULL ? password : "",
			    .roots = k->config->check.roots,
			    .now = k->now },
	    &k->arena, &k->certificate, &k->chain, NULL);
}

static void
on_searched(void *arg, struct str pem)
{
	struct looking *k = arg;

	k->is_searched = true;
	buf_put_str(&k->found, pem);
}

/* Asks its issuer for what the file lacks, as the daemon does. What cannot be asked was not found. */
static void
search(struct looking *k)
{
	struct loop *loop = NULL;
	struct probe_net *net = NULL;
	struct issuer_search *one = NULL;
	struct why why;
	enum err e = loop_new(&k->clock, &loop);

	(void)signal(SIGPIPE, SIG_IGN);
	if (e == ERR_OK)
		e = probe_net_configured(loop, &k->clock, k->config, NULL, &why, &net);
	if (e == ERR_OK)
		e = issuers_find(probe_net_issuers(net), buf_str(&k->chain), on_searched, k, &one);
	while (e == ERR_OK && !k->is_searched)
		e = loop_round(loop, -1);
	probe_net_free(&net);
	loop_free(&loop);
}

static enum err
look(struct looking *k, struct why *why)
{
	const char *password_file = cmd_value(k->cmd, "password-file");
	char *password = NULL;
	enum err e = read_names(k, why);

	if (e == ERR_OK)
		e = read_file(k, why);
	if (e == ERR_OK && password_file != NULL)
		e = smtp_read_password(password_file, why, &password);
	if (e == ERR_OK)
		e = read_certificate(k, password);
	if (e == ERR_OK && own_issuer_next(&k->certificate, NULL, 0).n > 0)
		search(k);
	if (e == ERR_OK && k->found.n > 0)
		e = read_certificate(k, password);
	if (password != NULL)
		explicit_bzero(password, strlen(password));
	free(password);
	return e;
}

static json_t *
document_of(struct looking *k)
{
	static const struct view none;
	const struct json_site_facts facts = { .order_phase = ORDER_PHASE_COUNT, .now = k->now, .zone = config_zone(k->config) };
	json_t *list = json_array(), *o = json_object();
	bool ok = true;

	for (size_t i = 0; i < k->findings.n; i++)
		ok = json_array_append_new(list, json_finding(&k->findings.at[i], k->names[0], &none, &facts, &k->arena)) == 0 && ok;
	ok = json_put(o, "ok", json_boolean(k->findings.n == 0)) && ok;
	ok = json_put(o, "completed", json_boolean(k->found.n > 0)) && ok;
	ok = json_put(o, "findings", list) && ok;
	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

static int
tell(struct looking *k)
{
	json_t *o = document_of(k), *finding;
	struct show s = show_init(k->cmd, k->config);
	const char *out = cmd_value(k->cmd, "out");
	size_t i;

	if (o == NULL) {
		CMD_SAY(k->cmd, stderr, "cli.error", str_of(err_words(ERR_MEMORY)));
		return CMD_FAILED;
	}
	if (k->cmd->is_json)
		client_print_json(o);
	else if (k->findings.n == 0)
		CMD_SAY(k->cmd, stdout, k->found.n > 0 ? "cli.own-usable" : "cli.cert-usable", STR_NONE);
	if (!k->cmd->is_json && k->found.n > 0 && own_certificate_is_usable(&k->findings))
		CMD_SAY(k->cmd, stdout, "cli.own-completed", STR_NONE);
	json_array_foreach(json_object_get(o, "findings"), i, finding)
		if (!k->cmd->is_json)
			show_finding(&s, finding);
	json_decref(o);
	if (!own_certificate_is_usable(&k->findings))
		return CMD_FAILED;
	return out != NULL ? cert_write_out(k->cmd, out, buf_str(&k->chain)) : CMD_DONE;
}

static int
check(struct looking *k)
{
	struct finding room[NAMES_MAX + 4];
	struct why why = { "" };

	k->clock = clock_real(k->config->clock_offset);
	k->now = clock_now(&k->clock);
	enum err e = look(k, &why);

	if (e != ERR_OK) {
		CMD_SAY(k->cmd, stderr, "cli.error", str_of(why.text[0] != '\0' ? why.text : err_words(e)));
		return CMD_FAILED;
	}
	k->findings = (struct finding_list){ .at = room, .cap = sizeof room / sizeof *room };
	classify_own_certificate(&k->certificate, k->names, k->names_n, k->now, &k->arena, &k->findings);
	return tell(k);
}

int
cmd_cert_check(struct cmd *c)
{
	struct looking k = { .cmd = c };
	int status = CMD_FAILED;

	if (cmd_value(c, "for") == NULL)
		return cmd_misused(c, "usage.cert-for", c->args[0]);
	k.config = cmd_config(c);
	if (k.config != NULL) {
		arena_init(&k.arena, 4 * 1024 * 1024);
		buf_init(&k.file, LIMIT_CHAIN_BYTES);
		buf_init(&k.chain, 2 * LIMIT_CHAIN_BYTES);
		buf_init(&k.found, OWN_ISSUER_ASKED_MAX * 2 * LIMIT_CHAIN_BYTES);
		status = check(&k);
		/* There may be a key in it. */
		if (k.file.p != NULL)
			explicit_bzero(k.file.p, k.file.cap);
		buf_fini(&k.file);
		buf_fini(&k.chain);
		buf_fini(&k.found);
		arena_fini(&k.arena);
	}
	config_free(&k.config);
	return status;
}
