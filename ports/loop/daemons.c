#include "ports/loop/daemons.h"

void
daemons_run(struct daemons *d)
{
	for (size_t i = 0; i < d->n; i++)
		(void)MHD_run(d->at[i]); /* MHD_NO: started without epoll, which daemons_add excludes */
}

static void
on_daemon(void *arg, int fd, int events)
{
	(void)fd;
	(void)events;
	daemons_run(arg);
}

enum err
daemons_add(struct daemons *d, struct MHD_Daemon *one, struct loop *l)
{
	if (d->n == DAEMONS_MAX) {
		MHD_stop_daemon(one);
		return ERR_FULL;
	}
	d->at[d->n++] = one;
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(one, MHD_DAEMON_INFO_EPOLL_FD);
	return info == NULL ? ERR_BUG : loop_watch(l, info->epoll_fd, LOOP_READ, on_daemon, d);
}

int64_t
daemons_longest_wait(const struct daemons *d, int64_t most_ms)
{
	int64_t wait = -1;

	for (size_t i = 0; i < d->n; i++) {
		MHD_UNSIGNED_LONG_LONG ms;

		if (MHD_get_timeout(d->at[i], &ms) == MHD_YES && (wait < 0 || ms < (MHD_UNSIGNED_LONG_LONG)wait))
			wait = ms > (MHD_UNSIGNED_LONG_LONG)most_ms ? most_ms : (int64_t)ms;
	}
	return wait;
}

void
daemons_stop(struct daemons *d)
{
	for (size_t i = 0; i < d->n; i++)
		MHD_stop_daemon(d->at[i]);
	d->n = 0;
}
