#include <stdio.h>
#include <unistd.h>
#include "cmd/client.h"
#include "cmd/places.h"
#include "ports/process/process.h"
#include "vantage/server.h"

/* koshin vantage: this machine as a vantage point of installations elsewhere; and those of an installation, by hand. */

int
cmd_vantage(struct cmd *c)
{
	struct config *config = cmd_config_any(c);
	int status = CMD_FAILED;

	if (config == NULL)
		return CMD_FAILED;
	const struct vantage_options o = { .config = config, .fd_ready = -1 };
	if (config->vantage.listen_n == 0)
		CMD_SAY(c, stderr, "cli.vantage.none-here", str_of(config->file));
	else
		status = vantage_run(&o) == 0 ? CMD_DONE : CMD_FAILED;
	config_free(&config);
	return status;
}

static int
fail(const struct cmd *c, enum err err, const struct why *why)
{
	CMD_SAY(c, stderr, "cli.error", str_of(why->text[0] != '\0' ? why->text : err_words(err)));
	return CMD_FAILED;
}

/* "HOST KEY": the line for the list of a vantage point, whole. */
static int
print_key(const struct cmd *c, const struct question_key *key)
{
	char host[65] = "";

	if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
		(void)snprintf(host, sizeof host, "koshin");
	if (c->is_json) {
		json_t *document = json_pack("{s:s, s:s}", "name", host, "key", question_key_text(key));

		client_print_json(document);
		json_decref(document);
	} else {
		(void)printf("%s %s\n", host, question_key_text(key));
	}
	return CMD_DONE;
}

/* Also before any vantage point stands in the configuration: it needs the key to let us in. */
static int
show_key(const struct cmd *c, const struct config *config)
{
	struct question_key *key = NULL;
	struct why why = { "" };
	enum err err = places_own_key(config, &why, &key);
	int status = err == ERR_OK ? print_key(c, key) : fail(c, err, &why);

	question_key_free(&key);
	return status;
}

int
cmd_vantage_key(struct cmd *c)
{
	struct config *config = cmd_config(c);
	int status = config != NULL && process_keep_secret() == ERR_OK ? show_key(c, config) : CMD_FAILED;

	config_free(&config);
	return status;
}

/* --- are they there? --- */

struct testing {
	struct cmd *cmd;
	json_t *list;
	bool is_any_silent;
};

static void
on_place(void *arg, const struct view_evidence *v)
{
	struct testing *t = arg;
	bool is_there = v->result == VIEW_SEEN;
	char ms[24];

	t->is_any_silent = t->is_any_silent || !is_there;
	(void)snprintf(ms, sizeof ms, "%d", (int)v->ms);
	if (t->cmd->is_json)
		(void)json_array_append_new(t->list, json_pack("{s:s%, s:b, s:i, s:s%}", "vantage", v->place.p, v->place.n, "answered", is_there, "ms",
							 (int)v->ms, "detail", v->detail.n > 0 ? v->detail.p : "", v->detail.n));
	else if (is_there)
		CMD_SAY(t->cmd, stdout, "cli.vantage.there", v->place, str_of(ms));
	else
		CMD_SAY(t->cmd, stdout, "cli.vantage.silent", v->place, v->detail);
}

static int
test(struct cmd *c, const struct config *config)
{
	struct clock clock = clock_real(config->clock_offset);
	struct testing t = { .cmd = c, .list = json_array() };
	struct question_key *key = NULL;
	struct why why = { "" };
	enum err err = places_key(config, &why, &key);

	if (err == ERR_OK && key == NULL)
		CMD_SAY(c, stderr, "cli.vantage.none", str_of(config->file));
	else if (err == ERR_OK)
		err = places_ask(config, &clock, key, on_place, &t);
	if (err == ERR_OK && key != NULL && c->is_json)
		client_print_json(t.list);
	bool is_good = err == ERR_OK && key != NULL && !t.is_any_silent;
	question_key_free(&key);
	json_decref(t.list);
	if (err != ERR_OK)
		return fail(c, err, &why);
	return is_good ? CMD_DONE : CMD_FAILED;
}

int
cmd_vantage_test(struct cmd *c)
{
	struct config *config = cmd_config(c);
	int status = config != NULL && process_keep_secret() == ERR_OK ? test(c, config) : CMD_FAILED;

	config_free(&config);
	return status;
}
