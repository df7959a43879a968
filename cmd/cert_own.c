#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "cmd/cert.h"
#include "cmd/client.h"
#include "cmd/show.h"
#include "cmd/wait.h"
#include "ports/keys/secret.h"
#include "ports/mail/smtp.h"
#include "ports/process/process.h"

/* koshin cert request, koshin cert import: a certificate that its owner buys elsewhere. */

/* --- request --- */

static void
show_requests(struct cmd *c, const struct config *config, const json_t *document)
{
	struct show s = show_init(c, config);
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(document, "csrs"), i, one)
	{
		AUTO_BUF id = { .max = 32 }, begun = { .max = 256 }, ends = { .max = 256 };

		buf_putf(&id, "%lld", (long long)json_integer_value(json_object_get(one, "id")));
		show_date(&s, one, "created", false, &begun);
		show_date(&s, one, "ends", false, &ends);
		show_row(&s, "cli.label.number", buf_str(&id));
		show_row(&s, "cli.label.begun", buf_str(&begun));
		show_row(&s, "cli.label.ends", buf_str(&ends));
		show_row(&s, "cli.label.key-type", str_of(show_text(one, "key_type")));
	}
	if (json_array_size(json_object_get(document, "csrs")) == 0)
		CMD_SAY(c, stdout, "cli.no-requests", str_of(c->args[0]));
}

static int
list_requests(struct cmd *c, struct client *cl)
{
	const char *number = cmd_value(c, "discard");
	json_t *o = NULL;
	char rest[64];

	(void)snprintf(rest, sizeof rest, "/csr%s%.20s", number != NULL ? "?id=" : "", number != NULL ? number : "");
	int status = client_ask(cl, number != NULL ? "DELETE" : "GET", client_site_path(cl, c->args[0], rest), NULL, &o);
	if (status == CMD_DONE && c->is_json)
		client_print_json(o);
	else if (status == CMD_DONE)
		show_requests(c, client_config(cl), o);
	json_decref(o);
	return status;
}

static int
make_request(struct cmd *c, struct client *cl)
{
	static const struct {
		const char *option, *field;
	} fields[] = { { "organization", "organization" }, { "locality", "locality" }, { "state", "state" }, { "country", "country" },
		{ "key-type", "key_type" } };
	json_t *body = json_object(), *o = NULL;

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (cmd_value(c, fields[i].option) != NULL)
			(void)json_object_set_new(body, fields[i].field, json_string(cmd_value(c, fields[i].option)));
	int status = client_ask(cl, "POST", client_site_path(cl, c->args[0], "/csr"), body, &o);
	json_decref(body);
	if (status == CMD_DONE && c->is_json)
		client_print_json(o);
	else if (status == CMD_DONE)
		status = cert_write_out(c, cmd_value(c, "out"), str_of(show_text(o, "pem")));
	json_decref(o);
	return status;
}

int
cmd_cert_request(struct cmd *c)
{
	const char *number = cmd_value(c, "discard");
	int64_t n;
	int status;

	if (number != NULL && (!str_to_int(str_of(number), &n) || n < 1))
		return cmd_misused(c, "usage.discard", number);
	struct client *cl = client_open(c, &status);
	if (cl == NULL)
		return status;
	status = number != NULL || cmd_has(c, "list") ? list_requests(c, cl) : make_request(c, cl);
	client_close(&cl);
	return status;
}

/* --- import --- */

static enum err
read_file(const char *path, struct buf *to)
{
	FILE *f = fopen(path, "re");
	char part[4096];
	size_t n;

	if (f == NULL)
		return err_of_errno(errno);
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		buf_put(to, part, n);
	bool is_bad = ferror(f) != 0;
	(void)fclose(f); /* it was only read */
	explicit_bzero(part, sizeof part);
	return is_bad ? ERR_IO : to->err;
}

static void
wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	buf_fini(b);
}

static json_t *
base64_of(struct str bytes)
{
	size_t n = sodium_base64_encoded_len(bytes.n, sodium_base64_VARIANT_ORIGINAL);
	char *text = malloc(n);
	json_t *ret = NULL;

	if (text != NULL) {
		ret = json_string(sodium_bin2base64(text, n, (const unsigned char *)bytes.p, bytes.n, sodium_base64_VARIANT_ORIGINAL));
		explicit_bzero(text, n);
	}
	free(text);
	return ret;
}

/* PEM files one after the other; beside them at most one of another form. */
static enum err
put_files(struct cmd *c, json_t *body)
{
	struct buf text, one;
	enum err e = ERR_OK;

	buf_init(&text, LIMIT_CHAIN_BYTES);
	buf_init(&one, LIMIT_CHAIN_BYTES);
	for (size_t i = 1; i < c->args_n && e == ERR_OK; i++) {
		buf_clear(&one);
		e = read_file(c->args[i], &one);
		if (e != ERR_OK) {
			CMD_SAY(c, stderr, "cli.file", str_of(c->args[i]), str_of(err_words(e)));
		} else if (str_find(buf_str(&one), STR("-----BEGIN ")) != SIZE_MAX && str_is_utf8(buf_str(&one))) {
			buf_put_str(&text, buf_str(&one));
			buf_putc(&text, '\n');
			e = text.err;
		} else if (json_object_set_new(body, "binary", base64_of(buf_str(&one))) != 0) {
			e = ERR_MEMORY;
		}
	}
	if (e == ERR_OK && text.n > 0 && json_object_set_new(body, "text", json_stringn(text.p, text.n)) != 0)
		e = ERR_MEMORY;
	wipe(&text);
	wipe(&one);
	return e;
}

static bool
put_password(struct cmd *c, json_t *body)
{
	const char *file = cmd_value(c, "password-file");
	struct why why = { "" };
	char *password = NULL;

	if (file == NULL)
		return true;
	if (smtp_read_password(file, &why, &password) != ERR_OK) {
		CMD_SAY(c, stderr, "cli.error", str_of(why.text));
		return false;
	}
	bool is_put = json_object_set_new(body, "password", json_string(password)) == 0;
	explicit_bzero(password, strlen(password));
	free(password);
	return is_put;
}

/* Every mistake at once, and only then the import. */
static int
judge(struct cmd *c, struct client *cl, const json_t *body, bool is_told, json_t **ret_verdict)
{
	struct show s = show_init(c, client_config(cl));
	json_t *finding;
	size_t i;
	int status = client_ask(cl, "POST", client_site_path(cl, c->args[0], "/own/check"), body, ret_verdict);

	if (status != CMD_DONE)
		return status;
	bool is_usable = json_is_true(json_object_get(*ret_verdict, "usable"));
	if (c->is_json && (is_told || !is_usable))
		client_print_json(*ret_verdict);
	json_array_foreach(json_object_get(*ret_verdict, "findings"), i, finding)
		if (!c->is_json)
			show_finding(&s, finding);
	if (!c->is_json && is_told && is_usable)
		CMD_SAY(c, stdout, "cli.own-usable", STR_NONE);
	if (!c->is_json && is_usable && json_is_true(json_object_get(*ret_verdict, "completed")))
		CMD_SAY(c, stdout, "cli.own-completed", STR_NONE);
	return is_usable ? CMD_DONE : CMD_FAILED;
}

static int
import(struct cmd *c, struct client *cl, const json_t *body)
{
	json_t *verdict = NULL, *site = NULL;
	bool is_check = cmd_has(c, "check");
	int status = judge(c, cl, body, is_check, &verdict);

	if (status == CMD_DONE && !is_check)
		status = client_ask(cl, "POST", client_site_path(cl, c->args[0], "/own"), body, &site);
	if (status == CMD_DONE && !is_check && cmd_has(c, "wait"))
		status = wait_for_this(c, cl, c->args[0], show_text(verdict, "fingerprint"));
	else if (status == CMD_DONE && !is_check && c->is_json)
		client_print_json(site);
	else if (status == CMD_DONE && !is_check)
		CMD_SAY(c, stdout, "cli.own-taken", str_of(c->args[0]));
	json_decref(verdict);
	json_decref(site);
	return status;
}

int
cmd_cert_import(struct cmd *c)
{
	json_t *body = json_object();
	struct client *cl = NULL;
	int status = CMD_FAILED;

	/* There may be a key in the files. */
	if (process_keep_secret() == ERR_OK && put_password(c, body) && put_files(c, body) == ERR_OK) {
		if (cmd_has(c, "takeover"))
			(void)json_object_set_new(body, "takeover", json_true());
		cl = client_open(c, &status);
	}
	if (cl != NULL)
		status = import(c, cl, body);
	secret_wipe(str_of(show_text(body, "text")));
	secret_wipe(str_of(show_text(body, "binary")));
	secret_wipe(str_of(show_text(body, "password")));
	json_decref(body);
	client_close(&cl);
	return status;
}
