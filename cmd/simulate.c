#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cmd/cmd.h"
#include "sim/scenario.h"

/* koshin simulate FILE.scn…: plays scenarios on a virtual clock. */

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

int
cmd_simulate(struct cmd *c)
{
	int status = CMD_DONE;

	for (size_t i = 0; i < c->args_n; i++) {
		AUTO_BUF text = { .max = SCENARIO_BYTES_MAX }, words = { .max = 4096 };
		struct why why = { "" };
		enum err err = read_file(c->args[i], &text);

		if (err != ERR_OK)
			why_set(&why, "%s: %s", c->args[i], err_words(err));
		else
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
