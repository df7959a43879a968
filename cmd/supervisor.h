#ifndef KOSHIN_CMD_SUPERVISOR_H
#define KOSHIN_CMD_SUPERVISOR_H
/*
 * Starts the processes of koshin and sees to it that they run. It decides nothing and reads nothing that comes from
 * outside; so it has no reason to die. What connects the children (socket pairs, pipes) belongs to the caller, who
 * keeps all of it open for ever: that is why the death of a child loses nothing that stands in a socket.
 *
 * - A child that dies is started again: at once, and if it dies again within a minute after 0.1 s, 0.2 s … 5 s.
 * - SIGTERM and SIGINT end the children (SIGTERM, after grace_ms SIGKILL), then it returns. SIGHUP is passed on; the
 *   children begin with it ignored.
 * - When each child has said for the first time that it is ready, "koshin: ready" is printed on stdout, and systemd is
 *   told if it asked to be (sd_notify).
 * - RUN/NAME.pid holds the id of each child while it runs.
 */
#include <sys/types.h>
#include "base/str.h"
#include "ports/clock/clock.h"

enum { SUPERVISOR_CHILDREN_MAX = 8, SUPERVISOR_KEEP_MAX = 4 };
struct supervisor_child {
	const char *name; /* "keeper"; the process is called "koshin-keeper", or by the name alone if that is too long */
	/* In the child: its exit status. fd_ready takes one byte when it is ready. SIGCHLD, SIGTERM, SIGINT and SIGHUP
	 * are as they were before supervisor_run, but for SIGHUP, which is ignored. parent: see process_die_with,
	 * which was called and must be again after a change of user. */
	int (*run)(const void *arg, int fd_ready, pid_t parent);
	const void *arg;
	int keep[SUPERVISOR_KEEP_MAX]; /* descriptors that are the child's own; all others but 0, 1 and 2 are closed */
	size_t keep_n;
};
struct supervisor_options {
	const struct supervisor_child *children;
	size_t children_n;
	const char *run_folder;
	const struct clock *clock;
	int64_t grace_ms; /* 0: 10 s */
};
/* Runs until SIGTERM or SIGINT. Then every child has ended, and it is OK. */
MUST_USE enum err supervisor_run(const struct supervisor_options *o);
#endif
