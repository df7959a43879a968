#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cmd/client.h"
#include "cmd/show.h"

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

/* A file for its owner alone, made anew: a key is never written into a file that others may have open. */
static int
write_out(struct cmd *c, const char *path, struct str text)
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

int
cmd_cert_export(struct cmd *c)
{
	json_t *o = NULL;
	bool is_key = cmd_has(c, "key");
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	status = client_ask(cl, "GET",
	    client_site_path(cl, c->args[0], is_key ? "/key" : "/certificate"), NULL, &o);
	if (status == CMD_DONE && c->is_json)
		client_print_json(o);
	else if (status == CMD_DONE)
		status = write_out(
		    c, cmd_value(c, "out"), str_of(show_text(o, is_key ? "key" : "chain")));
	json_decref(o);
	client_close(&cl);
	return status;
}
