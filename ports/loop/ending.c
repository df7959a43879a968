#include "ports/loop/ending.h"
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void
on_signal(void *arg, int fd, int events)
{
	struct ending *e = arg;
	struct signalfd_siginfo info;

	(void)events;
	if (read(fd, &info, sizeof info) == (ssize_t)sizeof info)
		e->is_wanted = true;
}

enum err
ending_init(struct ending *e, struct loop *l)
{
	sigset_t set;

	*e = ENDING_NONE;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return err_of_errno(errno);
	e->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (e->fd < 0)
		return err_of_errno(errno);
	return loop_watch(l, e->fd, LOOP_READ, on_signal, e);
}

void
ending_fini(struct ending *e, struct loop *l)
{
	if (e->fd < 0)
		return;
	loop_unwatch(l, e->fd);
	(void)close(e->fd); /* a signalfd has nothing to lose */
	e->fd = -1;
}
