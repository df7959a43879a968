#ifndef KOSHIN_INSTALLER_WORKERS_H
#define KOSHIN_INSTALLER_WORKERS_H
/*
 * Whether nginx's workers of before a reload have stopped taking connections. Its master starts new workers, and tells
 * the old ones a tenth of a second later; an old one changes its title to "nginx: worker process is shutting down" and closes
 * its listening sockets at once after that (ngx_worker_process_cycle). So the titles under /proc say it.
 *
 * It proves that the reload was taken, not what is served: that is the handshake's matter. Where the titles cannot be read
 * (another machine, a hidden /proc), or do not say which nginx is meant, nothing is known and the caller waits as before.
 */
#include "base/str.h"
#include "ports/clock/clock.h"

enum { WORKERS_MAX = 256 };
struct workers {
	const char *proc; /* where the system shows its processes; borrowed */
	int64_t old[WORKERS_MAX];
	size_t old_n; /* 0: nothing is known */
};

/* Pure: whether a process of this title is the master that this command reloads. */
bool workers_title_is_master(struct str title, char *const *reload, size_t reload_n);
/* Pure: whether it is a worker that takes connections. */
bool workers_title_takes(struct str title);

/* Before the reload: who takes connections now. */
void workers_note(struct workers *w, const char *proc, char *const *reload, size_t reload_n);
/* After it: true as soon as none of them does any more; false when that is not known, or not so within `most_ms`. */
bool workers_await_end(const struct workers *w, const struct clock *clock, int64_t most_ms);
#endif
