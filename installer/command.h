#ifndef KOSHIN_INSTALLER_COMMAND_H
#define KOSHIN_INSTALLER_COMMAND_H
/*
 * A configured command: a web server's own test, its reload, or what follows a change of files. Its exit status is the
 * answer. No shell: an argv, a small fixed environment, and standard input from /dev/null. Its process group is
 * ended when the time is over.
 */
#include "ports/clock/clock.h"
#include "base/str.h"

struct command {
	char *const *argv;
	size_t argc;
	const char *const *env; /* further "NAME=value" entries; may be NULL */
	size_t env_n;
	int64_t timeout_ms;
	const struct clock *clock;
};
/*
 * OK: it ended with 0. COMMAND: with something else, or it could not be started. TIMEOUT: it was ended. What it
 * wrote to either output is appended to `output`, the first LIMIT_COMMAND_OUTPUT_BYTES of it; when it wrote nothing and
 * failed, words of ours.
 */
MUST_USE enum err command_run(const struct command *c, struct buf *output);
#endif
