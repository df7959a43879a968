#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include "cmd/ca.h"
#include "cmd/client.h"
#include "cmd/show.h"
#include "ports/mail/smtp.h"

/* koshin ca add, koshin ca rollover: wishes of the operator, and what became of them. */

enum { WAIT_S = 60, LOOK_MS = 300 };

/* The row of this CA; borrowed from *document, which is replaced. NULL after the reason was said. */
static const json_t *
look(struct client *cl, const char *name, json_t **document, int *ret_status)
{
	json_t *ca;
	size_t i;

	json_decref(*document);
	*document = NULL;
	*ret_status = client_ask(cl, "GET", STR("/cas"), NULL, document);
	json_array_foreach(json_object_get(*document, "cas"), i, ca)
		if (strcmp(show_text(ca, "name"), name) == 0)
			return ca;
	return NULL;
}

static void
pause_between_looks(void)
{
	(void)poll(NULL, 0, LOOK_MS); /* shorter after a signal: the next look is a little early */
}

/* --- add --- */

static bool
put_eab(struct cmd *c, json_t *body)
{
	const char *kid = cmd_value(c, "eab-kid"), *file = cmd_value(c, "eab-hmac-file");
	struct why why = { "" };
	char *hmac = NULL;

	if (kid == NULL && file == NULL)
		return true;
	if (kid == NULL || file == NULL) {
		(void)cmd_misused(c, "usage.eab-both", c->args[0]);
		return false;
	}
	if (smtp_read_password(file, &why, &hmac) != ERR_OK) {
		CMD_SAY(c, stderr, "cli.error", str_of(why.text));
		return false;
	}
	bool is_put = json_object_set_new(body, "eab_kid", json_string(kid)) == 0 &&
		      json_object_set_new(body, "eab_hmac", json_string(hmac)) == 0;
	explicit_bzero(hmac, strlen(hmac));
	free(hmac);
	return is_put;
}

/* What can be known before the daemon is asked: that there is an ACME CA at that address, and what it demands. */
static bool
is_usable(struct cmd *c)
{
	char *directory = strdup(cmd_value(c, "directory"));
	char *root = cmd_has(c, "root") ? strdup(cmd_value(c, "root")) : NULL;
	const struct config_ca ca = { .directory = directory, .bundle = root };
	struct why why = { "" };
	json_t *document = directory != NULL ? ca_read_directory(&ca, &why) : NULL;
	bool is_good = document != NULL;
	bool wants_eab = json_is_true(json_object_get(json_object_get(document, "meta"), "externalAccountRequired"));

	if (!is_good)
		CMD_SAY(c, stderr, "cli.ca-failed", str_of(c->args[0]), str_of(why.text));
	else if (wants_eab && !cmd_has(c, "eab-kid")) {
		CMD_SAY(c, stderr, "cli.ca-needs-eab", str_of(c->args[0]));
		is_good = false;
	}
	json_decref(document);
	free(root);
	free(directory);
	return is_good;
}

/* Until the account is there, or the CA has refused it. */
static int
wait_for_account(struct cmd *c, struct client *cl)
{
	json_t *document = NULL;
	const json_t *ca = NULL;
	int status = CMD_DONE;

	for (int i = 0; i < WAIT_S * 1000 / LOOK_MS; i++) {
		ca = look(cl, c->args[0], &document, &status);
		if (ca == NULL || json_is_true(json_object_get(ca, "ready")) || show_text(ca, "error")[0] != '\0')
			break;
		pause_between_looks();
	}
	bool is_ready = json_is_true(json_object_get(ca, "ready"));
	if (c->is_json && ca != NULL)
		client_print_json(ca);
	else if (is_ready)
		CMD_SAY(c, stdout, "cli.ca-added", str_of(c->args[0]), str_of(show_text(ca, "account")));
	else if (ca != NULL)
		CMD_SAY(c, stderr, "cli.ca-no-account", str_of(c->args[0]), str_of(show_text(ca, "error")));
	json_decref(document);
	return status == CMD_DONE && !is_ready ? CMD_FAILED : status;
}

int
cmd_ca_add(struct cmd *c)
{
	static const char *const options[] = { "directory", "contact", "root" };
	json_t *body = json_pack("{s:s}", "name", c->args[0]);
	int status = CMD_FAILED;

	if (!cmd_has(c, "directory")) {
		json_decref(body);
		return cmd_misused(c, "usage.ca-directory", c->args[0]);
	}
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (cmd_has(c, options[i]))
			(void)json_object_set_new(body, options[i], json_string(cmd_value(c, options[i])));
	if (!put_eab(c, body)) {
		json_decref(body);
		return cmd_has(c, "eab-kid") != cmd_has(c, "eab-hmac-file") ? CMD_MISUSED : CMD_FAILED;
	}
	struct client *cl = is_usable(c) ? client_open(c, &status) : NULL;
	if (cl != NULL) {
		status = client_ask(cl, "POST", STR("/cas"), body, NULL);
		if (status == CMD_DONE)
			status = wait_for_account(c, cl);
	}
	json_decref(body);
	client_close(&cl);
	return status;
}

/* --- rollover --- */

int
cmd_ca_rollover(struct cmd *c)
{
	json_t *asked = NULL, *document = NULL;
	const json_t *ca = NULL;
	const char *words = "cli.ca-rolling-yet";
	AUTO_BUF path = { .max = 8192 };
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	buf_putf(&path, "/cas/%.*s/rollover", STR_ARG(client_escape(cl, c->args[0])));
	status = client_ask(cl, "POST", buf_str(&path), NULL, &asked);
	for (int i = 0; status == CMD_DONE && i < WAIT_S * 1000 / LOOK_MS; i++) {
		ca = look(cl, c->args[0], &document, &status);
		if (ca == NULL || strcmp(show_text(ca, "rollover"), "none") == 0)
			break;
		pause_between_looks();
	}
	if (status == CMD_DONE && ca != NULL && strcmp(show_text(ca, "rollover"), "none") == 0) {
		bool is_done = strcmp(show_text(asked, "thumbprint"), show_text(ca, "thumbprint")) != 0;

		words = is_done ? "cli.ca-rolled" : "cli.ca-not-rolled";
		status = is_done ? CMD_DONE : CMD_FAILED;
	}
	if (ca != NULL && c->is_json)
		client_print_json(ca);
	else if (ca != NULL)
		CMD_SAY(c, status == CMD_DONE ? stdout : stderr, words, str_of(c->args[0]), str_of(show_text(ca, "error")));
	json_decref(asked);
	json_decref(document);
	client_close(&cl);
	return status;
}
