#include "cmd/supervisor.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/must.h"
#include "base/point.h"
#include "ports/process/process.h"

enum {
	TITLE_BYTES = 16, /* that the kernel keeps, with its NUL */
	GRACE_MS = 10000,
	CALM_MS = 60000,   /* a child that lived so long since its last death has recovered */
	BACK_OFF_MS = 100, /* doubled with each death */
	BACK_OFF_MAX_MS = 5000,
};

struct watched {
	const struct supervisor_child *child;
	pid_t pid;     /* 0: does not run */
	int ready[2];  /* pipe: kept for ever, so that no child ever writes into a closed one */
	bool is_ready; /* has been so once */
	unsigned deaths; /* in a row, none of them a minute after the one before */
	struct mono died_at, start_at;
};

struct supervisor {
	const struct supervisor_options *o;
	struct watched watched[SUPERVISOR_CHILDREN_MAX];
	int fd_signal;
	pid_t pid;
	sigset_t before; /* the signal mask that children get back */
	bool is_stopping, was_told_ready, was_killed;
	struct mono kill_at;
};

static int64_t
now_ms(const struct supervisor *s)
{
	return clock_mono(s->o->clock).ms;
}

static void
pid_path(const struct supervisor *s, const char *name, struct buf *ret)
{
	buf_init(ret, PATH_MAX);
	buf_putf(ret, "%s/%s.pid", s->o->run_folder, name);
}

/* For people and tests; koshin itself does not read it. So a failure is said and nothing more. */
static void
write_pid_file(const struct supervisor *s, const char *name, pid_t pid)
{
	AUTO_BUF path = { .max = 0 }, beside = { .max = 0 };
	FILE *f = NULL;
	bool is_written = false;

	pid_path(s, name, &path);
	buf_init(&beside, PATH_MAX);
	buf_putf(&beside, "%s.new", path.p == NULL ? "" : path.p);
	int fd =
	    path.err != ERR_OK || beside.err != ERR_OK
		? -1
		: open(beside.p, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd >= 0)
		f = fdopen(fd, "w");
	if (f == NULL && fd >= 0)
		(void)close(fd);
	if (f != NULL) {
		is_written = fprintf(f, "%d\n", (int)pid) > 0;
		is_written = fclose(f) == 0 && is_written && rename(beside.p, path.p) == 0;
	}
	if (!is_written)
		fprintf(
		    stderr, "koshin: %s.pid cannot be written in %s\n", name, s->o->run_folder);
}

static void
remove_pid_file(const struct supervisor *s, const char *name)
{
	AUTO_BUF path = { .max = 0 };

	pid_path(s, name, &path);
	if (path.err == ERR_OK)
		(void)unlink(path.p); /* it may never have been written */
}

/* --- in the child --- */

static int
compare_ints(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Closes all descriptors but the standard ones and the child's own. */
static void
close_others(const struct supervisor_child *child, int fd_ready)
{
	int keep[SUPERVISOR_KEEP_MAX + 1];
	size_t n = child->keep_n;
	unsigned from = 3;

	memcpy(keep, child->keep, n * sizeof *keep);
	keep[n++] = fd_ready;
	qsort(keep, n, sizeof *keep, compare_ints);
	for (size_t i = 0; i < n; i++) {
		must(keep[i] >= 0);
		if ((unsigned)keep[i] > from)
			(void)close_range(from, (unsigned)keep[i] - 1,
			    0); /* fails on a kernel before 5.9 only */
		if ((unsigned)keep[i] >= from)
			from = (unsigned)keep[i] + 1;
	}
	(void)close_range(from, UINT_MAX, 0);
}

_Noreturn static void
be_child(const struct supervisor *s, const struct watched *w)
{
	static const int ours[] = { SIGCHLD, SIGTERM, SIGINT };
	struct sigaction action = { .sa_handler = SIG_DFL };
	char title[TITLE_BYTES];

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		(void)sigaction(ours[i], &action, NULL);
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGHUP, &action, NULL);
	(void)sigprocmask(SIG_SETMASK, &s->before, NULL);
	/* "koshin-installer" is a byte too long for the kernel; a whole word is found more easily than a cut one. */
	if (snprintf(title, sizeof title, "koshin-%s", w->child->name) >= (int)sizeof title)
		(void)snprintf(title, sizeof title, "%s", w->child->name);
	(void)prctl(PR_SET_NAME, title, 0, 0, 0);
	(void)setpgid(
	    0, 0); /* Ctrl-C in a terminal is for the supervisor, which passes it on in order */
	close_others(w->child, w->ready[1]);
	if (process_die_with(s->pid) != ERR_OK)
		_exit(1);
	/* By the child itself, so that the file is there before the child does anything. */
	write_pid_file(s, w->child->name, getpid());
	POINT_PROCESS(w->child->name);
	_exit(w->child->run(w->child->arg, w->ready[1], s->pid));
}

/* --- in the supervisor --- */

static void
start(struct supervisor *s, struct watched *w)
{
	(void)fflush(NULL);
	pid_t pid = fork();

	if (pid == 0)
		be_child(s, w);
	if (pid < 0) {
		fprintf(stderr, "koshin: %s cannot be started: %s\n", w->child->name,
		    strerror(errno));
		w->start_at.ms = now_ms(s) + BACK_OFF_MAX_MS;
		return;
	}
	w->pid = pid;
}

static void
on_death(struct supervisor *s, struct watched *w, int status)
{
	char how[96];

	if (WIFSIGNALED(status))
		(void)snprintf(how, sizeof how, "was killed by signal %d (%s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		(void)snprintf(how, sizeof how, "ended with status %d", WEXITSTATUS(status));
	int pid = (int)w->pid;
	w->pid = 0;
	if (s->is_stopping) {
		if (status != 0)
			fprintf(stderr, "koshin: %s (%d) %s\n", w->child->name, pid, how);
		return;
	}
	int64_t now = now_ms(s), wait = 0;
	if (w->deaths > 0 && now - w->died_at.ms > CALM_MS)
		w->deaths = 0;
	if (w->deaths > 0)
		wait = w->deaths > 6 ? BACK_OFF_MAX_MS : BACK_OFF_MS << (w->deaths - 1);
	wait = wait > BACK_OFF_MAX_MS ? BACK_OFF_MAX_MS : wait;
	w->deaths++;
	w->died_at.ms = now;
	w->start_at.ms = now + wait;
	fprintf(stderr, "koshin: %s (%d) %s; it is started again in %lld ms\n", w->child->name,
	    pid, how, (long long)wait);
}

static void
reap(struct supervisor *s)
{
	for (size_t i = 0; i < s->o->children_n; i++) {
		struct watched *w = &s->watched[i];
		int status;

		if (w->pid > 0 && waitpid(w->pid, &status, WNOHANG) == w->pid)
			on_death(s, w, status);
	}
}

static void
signal_all(const struct supervisor *s, int number)
{
	for (size_t i = 0; i < s->o->children_n; i++)
		if (s->watched[i].pid > 0)
			(void)kill(s->watched[i].pid,
			    number); /* one that has just died is reaped next */
}

/* sd_notify(3) in full: one datagram to the socket that the environment names. */
static void
notify(const char *state)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = name == NULL ? 0 : strlen(name);

	if (n < 2 || n >= sizeof to.sun_path || (name[0] != '/' && name[0] != '@'))
		return;
	memcpy(to.sun_path, name, n);
	if (name[0] == '@')
		to.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to, size) <
	    0)
		fprintf(stderr, "koshin: systemd cannot be told \"%s\": %s\n", state,
		    strerror(errno));
	(void)close(fd);
}

static void
on_ready(struct supervisor *s, struct watched *w)
{
	char bytes[16];
	bool is_all = true;

	if (read(w->ready[0], bytes, sizeof bytes) > 0)
		w->is_ready = true;
	for (size_t i = 0; i < s->o->children_n; i++)
		is_all = is_all && s->watched[i].is_ready;
	if (!is_all || s->was_told_ready)
		return;
	s->was_told_ready = true;
	printf("koshin: ready\n");
	(void)fflush(stdout);
	notify("READY=1");
}

static void
stop(struct supervisor *s)
{
	if (s->is_stopping)
		return;
	s->is_stopping = true;
	s->kill_at.ms = now_ms(s) + (s->o->grace_ms > 0 ? s->o->grace_ms : GRACE_MS);
	notify("STOPPING=1");
	signal_all(s, SIGTERM);
}

static void
on_signals(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (read(s->fd_signal, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			stop(s);
		else if (info.ssi_signo == SIGHUP)
			signal_all(s, SIGHUP);
	}
	reap(s); /* one SIGCHLD may stand for several deaths */
}

static bool
is_over(const struct supervisor *s)
{
	for (size_t i = 0; i < s->o->children_n; i++)
		if (s->watched[i].pid > 0)
			return false;
	return s->is_stopping;
}

/* Does what is due; milliseconds until something else will be, -1 if nothing waits for a date. */
static int
do_due(struct supervisor *s)
{
	int64_t now = now_ms(s), next = INT64_MAX;

	if (s->is_stopping) {
		if (now >= s->kill_at.ms && !s->was_killed) {
			fprintf(stderr,
			    "koshin: not all processes have ended in time; they are killed\n");
			signal_all(s, SIGKILL);
			s->was_killed = true;
		}
		return s->was_killed ? -1 : (int)(s->kill_at.ms - now);
	}
	for (size_t i = 0; i < s->o->children_n; i++) {
		struct watched *w = &s->watched[i];

		if (w->pid == 0 && w->start_at.ms <= now)
			start(s, w);
		if (w->pid == 0 && w->start_at.ms < next)
			next = w->start_at.ms;
	}
	if (next == INT64_MAX)
		return -1;
	return next <= now ? 0 : (int)(next - now);
}

static enum err
watch(struct supervisor *s)
{
	size_t n = s->o->children_n;

	while (!is_over(s)) {
		struct pollfd polls[SUPERVISOR_CHILDREN_MAX + 1];
		int wait_ms = do_due(s);

		for (size_t i = 0; i < n; i++)
			polls[i] =
			    (struct pollfd){ .fd = s->watched[i].ready[0], .events = POLLIN };
		polls[n] = (struct pollfd){ .fd = s->fd_signal, .events = POLLIN };
		if (poll(polls, (nfds_t)n + 1, wait_ms) < 0) {
			if (errno != EINTR && errno != EAGAIN && errno != ENOMEM)
				return err_of_errno(errno);
			continue;
		}
		for (size_t i = 0; i < n; i++)
			if (polls[i].revents != 0)
				on_ready(s, &s->watched[i]);
		if (polls[n].revents != 0)
			on_signals(s);
	}
	return ERR_OK;
}

static enum err
open_all(struct supervisor *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, &s->before) != 0)
		return err_of_errno(errno);
	s->fd_signal = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->fd_signal < 0)
		return err_of_errno(errno);
	for (size_t i = 0; i < s->o->children_n; i++)
		if (pipe2(s->watched[i].ready, O_CLOEXEC | O_NONBLOCK) != 0)
			return err_of_errno(errno);
	return ERR_OK;
}

enum err
supervisor_run(const struct supervisor_options *o)
{
	struct supervisor s = { .o = o, .fd_signal = -1, .pid = getpid() };

	must(o->children_n > 0 && o->children_n <= SUPERVISOR_CHILDREN_MAX);
	for (size_t i = 0; i < o->children_n; i++)
		s.watched[i] =
		    (struct watched){ .child = &o->children[i], .ready = { -1, -1 } };
	enum err e = open_all(&s);
	if (e == ERR_OK)
		e = watch(&s);
	for (size_t i = 0; i < o->children_n; i++) {
		remove_pid_file(&s, o->children[i].name);
		for (int k = 0; k < 2; k++)
			if (s.watched[i].ready[k] >= 0)
				(void)close(s.watched[i].ready[k]);
	}
	if (s.fd_signal >= 0)
		(void)close(s.fd_signal);
	return e;
}
