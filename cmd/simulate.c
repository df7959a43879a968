#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cmd/simulate.h"
#include "ports/keys/lean.h"
#include "sim/acme/fake.h"
#include "sim/scenario.h"

/* koshin simulate FILE.scn…: plays scenarios on a virtual clock. --sites: plays whole fleets. --serve-ca: runs the fake CA. */

enum { SCENARIO_BYTES_MAX = 256 * 1024 };

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
	return is_bad ? ERR_IO : to->err;
}

/* "A,B" as a list of pointers into `copy`; false: too many. */
static bool
split_listen(char *copy, struct fake_options *o)
{
	for (char *rest = copy, *one; (one = strsep(&rest, ",")) != NULL;) {
		if (o->listen_n == FAKE_LISTEN_MAX)
			return false;
		o->listen[o->listen_n++] = one;
	}
	return true;
}

static int
serve_ca(struct cmd *c)
{
	const char *listen = cmd_value(c, "listen"), *control = cmd_value(c, "control");
	AUTO_BUF text = { .max = SCENARIO_BYTES_MAX }, addresses = { .max = 4096 };
	struct fake_options o = { .control = control != NULL ? control : "127.0.0.1:0",
		.folder = cmd_value(c, "folder"),
		.words_file = c->args_n > 0 ? c->args[0] : NULL,
		.tells = stdout };
	struct clock clock = clock_real(SPAN_S(0));
	struct why why = { "" };
	enum err err = ERR_OK;

	if (c->args_n > 1)
		return cmd_misused(c, "usage.too-many", c->args[1]);
	buf_put_str(&addresses, str_of(listen != NULL ? listen : "127.0.0.1:14000"));
	if (addresses.err != ERR_OK || !split_listen(addresses.p, &o))
		return cmd_misused(c, "usage.too-many", listen);
	if (o.words_file != NULL)
		err = read_file(o.words_file, &text);
	if (err != ERR_OK) {
		fprintf(stderr, "koshin: %s: %s\n", o.words_file, err_words(err));
		return CMD_FAILED;
	}
	o.words = buf_str(&text);
	if (lean_begin() != ERR_OK)
		fprintf(stderr, "koshin: OpenSSL cannot be made lean; the CA is slower\n");
	err = fake_run(&o, &clock, &why);
	if (err == ERR_OK)
		return CMD_DONE;
	fprintf(stderr, "koshin: %s\n", why.text[0] != '\0' ? why.text : err_words(err));
	return CMD_FAILED;
}

int
cmd_simulate(struct cmd *c)
{
	int status = CMD_DONE;

	if (cmd_has(c, "serve-ca"))
		return serve_ca(c);
	if (cmd_has(c, "sites"))
		return simulate_fleet(c);
	if (c->args_n == 0)
		return cmd_misused(c, "usage.too-few", c->command->arguments);

	for (size_t i = 0; i < c->args_n; i++) {
		AUTO_BUF text = { .max = SCENARIO_BYTES_MAX }, words = { .max = 4096 };
		struct why why = { "" };
		enum err err = read_file(c->args[i], &text);

		if (err != ERR_OK)
			why_set(&why, "%s: %s", c->args[i], err_words(err));
		else if (str_ends(str_of(c->args[i]), STR(".yaml"))) {
			if (simulate_fleet_file(c, buf_str(&text), c->args[i]) != CMD_DONE)
				status = CMD_FAILED;
			continue;
		} else
			err = scenario_play(buf_str(&text), c->args[i], &why, &words);
		printf("%s %s: %.*s\n", err == ERR_OK ? "ok" : "FAIL", c->args[i],
		    STR_ARG(buf_str(&words)));
		if (err != ERR_OK) {
			fprintf(stderr, "%s\n", why.text);
			status = CMD_FAILED;
		}
	}
	return status;
}
