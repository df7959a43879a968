#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "cmd/cert.h"
#include "cmd/client.h"
#include "cmd/show.h"
#include "ports/keys/p12.h"
#include "ports/keys/secret.h"
#include "ports/mail/smtp.h"
#include "ports/process/process.h"

/* koshin cert show, koshin cert export. */

int
cmd_cert_show(struct cmd *c)
{
	json_t *o = NULL;
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	status =
	    client_ask(cl, "GET", client_site_path(cl, c->args[0], "/certificate"), NULL, &o);
	if (status == CMD_DONE && c->is_json) {
		client_print_json(o);
	} else if (status == CMD_DONE) {
		struct show s = show_init(c, client_config(cl));
		AUTO_BUF names = { .max = 65536 }, until = { .max = 4096 };
		size_t i;
		json_t *name;

		json_array_foreach(json_object_get(o, "names"), i, name)
		    buf_putf(&names, "%s%s", i > 0 ? "\n" : "", json_string_value(name));
		show_date(&s, o, "not_after", true, &until);
		show_row(&s, "cli.label.names", buf_str(&names));
		show_row(&s, "cli.label.until", buf_str(&until));
		show_row(&s, "cli.label.issuer", str_of(show_text(o, "issuer")));
		show_row(&s, "cli.label.fingerprint", str_of(show_text(o, "fingerprint")));
	}
	json_decref(o);
	client_close(&cl);
	return status;
}

int
cert_write_out(struct cmd *c, const char *path, struct str text)
{
	int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)
			      : STDOUT_FILENO;
	bool is_fine = fd >= 0;

	while (is_fine && text.n > 0) {
		ssize_t n = write(fd, text.p, text.n);

		is_fine = n > 0 || errno == EINTR;
		if (n > 0) {
			text.p += n;
			text.n -= (size_t)n;
		}
	}
	int saved = errno;
	if (fd >= 0 && path != NULL && (fsync(fd) != 0 || close(fd) != 0))
		is_fine = false;
	if (is_fine)
		return CMD_DONE;
	CMD_SAY(
	    c, stderr, "cli.file", str_of(path != NULL ? path : "-"), str_of(strerror(saved)));
	return CMD_FAILED;
}

/* --- PKCS#12: its password is read from a file or typed, never an argument that every user of the machine can see --- */

/* One line from the terminal, not shown. NULL if there is none. */
static char *
ask_line(const struct cmd *c, const char *key)
{
	char line[P12_PASSWORD_BYTES_MAX + 2];
	struct termios shown, hidden;
	char *ret = NULL;

	CMD_SAY(c, stderr, key, STR_NONE);
	if (tcgetattr(STDIN_FILENO, &shown) != 0)
		return NULL;
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) != 0)
		return NULL;
	if (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		ret = strdup(line);
	}
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown); /* it has been set once already */
	explicit_bzero(line, sizeof line);
	return ret;
}

static void
forget(char **password)
{
	if (*password != NULL)
		explicit_bzero(*password, strlen(*password));
	free(*password);
	*password = NULL;
}

static char *
typed_password(const struct cmd *c)
{
	char *first = ask_line(c, "cli.password");
	char *second = first != NULL ? ask_line(c, "cli.password-again") : NULL;

	if (first == NULL || second == NULL || strcmp(first, second) != 0 || *first == '\0') {
		CMD_SAY(c, stderr, "cli.password-differs", STR_NONE);
		forget(&first);
	}
	forget(&second);
	return first;
}

/* NULL after the reason was said. */
static char *
password_of(const struct cmd *c)
{
	const char *file = cmd_value(c, "password-file");
	struct why why = { "" };
	char *password = NULL;

	if (file == NULL && !isatty(STDIN_FILENO)) {
		(void)cmd_misused(c, "usage.p12-password", c->args[0]);
		return NULL;
	}
	if (file == NULL)
		return typed_password(c);
	if (smtp_read_password(file, &why, &password) != ERR_OK)
		CMD_SAY(c, stderr, "cli.error", str_of(why.text));
	return password;
}

static int
export_p12(struct cmd *c)
{
	json_t *chain = NULL, *key = NULL;
	AUTO_BUF p12 = { .max = 256 * 1024 };
	char *password = password_of(c);
	int status = CMD_MISUSED;
	struct client *cl = password != NULL ? client_open(c, &status) : NULL;

	if (cl != NULL)
		status = client_ask(cl, "GET", client_site_path(cl, c->args[0], "/certificate"), NULL, &chain);
	if (cl != NULL && status == CMD_DONE)
		status = client_ask(cl, "GET", client_site_path(cl, c->args[0], "/key"), NULL, &key);
	if (cl != NULL && status == CMD_DONE) {
		enum err e = p12_make(str_of(show_text(chain, "chain")), str_of(show_text(key, "key")),
		    str_of(password), str_of(show_text(chain, "site")), &p12);

		if (e == ERR_OK) {
			status = cert_write_out(c, cmd_value(c, "out"), buf_str(&p12));
		} else {
			CMD_SAY(c, stderr, "cli.error", str_of(err_words(e)));
			status = CMD_FAILED;
		}
	}
	secret_wipe(str_of(show_text(key, "key")));
	json_decref(key);
	json_decref(chain);
	client_close(&cl);
	forget(&password);
	return status;
}

int
cmd_cert_export(struct cmd *c)
{
	json_t *o = NULL;
	bool is_key = cmd_has(c, "key");
	int status;

	if (process_keep_secret() != ERR_OK)
		return CMD_FAILED;
	if (cmd_has(c, "p12"))
		return is_key || c->is_json ? cmd_misused(c, "usage.p12-alone", c->args[0]) : export_p12(c);
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	status = client_ask(cl, "GET",
	    client_site_path(cl, c->args[0], is_key ? "/key" : "/certificate"), NULL, &o);
	if (status == CMD_DONE && c->is_json)
		client_print_json(o);
	else if (status == CMD_DONE)
		status = cert_write_out(
		    c, cmd_value(c, "out"), str_of(show_text(o, is_key ? "key" : "chain")));
	json_decref(o);
	client_close(&cl);
	return status;
}
