#include "installer/command.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/limits.h"

enum { COMMAND_ARGS_MAX = 64, COMMAND_ENV_MAX = 16, COMMAND_POLL_MS = 20 };
static const char *const base_env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C",
	"LC_ALL=C"
};
enum { BASE_ENV_N = sizeof base_env / sizeof base_env[0] };

/* posix_spawn's vectors are of char *; what it is given is not written to. */
static char *
unconst(const char *s)
{
	union {
		const char *in;
		char *out;
	} u = { .in = s };

	return u.out;
}

static int
spawn(const struct command *c, int output_fd, pid_t *ret)
{
	char *argv[COMMAND_ARGS_MAX + 1] = { 0 }, *env[COMMAND_ENV_MAX + 1] = { 0 };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	size_t env_n = 0;

	for (size_t i = 0; i < c->argc; i++)
		argv[i] = c->argv[i];
	for (size_t i = 0; i < BASE_ENV_N; i++)
		env[env_n++] = unconst(base_env[i]);
	for (size_t i = 0; i < c->env_n; i++)
		env[env_n++] = unconst(c->env[i]);
	sigemptyset(&none);
	sigfillset(&all);
	if (posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attr) != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	int failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (failed == 0)
		failed = posix_spawn_file_actions_adddup2(&actions, output_fd, 1);
	if (failed == 0)
		failed = posix_spawn_file_actions_adddup2(&actions, output_fd, 2);
	(void)posix_spawnattr_setsigmask(
	    &attr, &none); /* these four fail for flags that do not exist only */
	(void)posix_spawnattr_setsigdefault(&attr, &all);
	(void)posix_spawnattr_setpgroup(&attr, 0);
	(void)posix_spawnattr_setflags(
	    &attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	if (failed == 0)
		failed = posix_spawnp(ret, argv[0], &actions, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

/* Takes what is there; past the limit it is thrown away, so that the command is not held up. False at the end. */
static bool
drain(int fd, struct buf *output, size_t *kept)
{
	char piece[2048];
	ssize_t n = read(fd, piece, sizeof piece);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	size_t room = LIMIT_COMMAND_OUTPUT_BYTES - *kept,
	       take = (size_t)n < room ? (size_t)n : room;
	buf_put(output, piece, take);
	*kept += take;
	return n > 0;
}

/*
 * Waits for the end of the process; a child that holds the pipe open (a daemon that it started) is not waited for.
 * Where the system has no pidfd the end is looked for every COMMAND_POLL_MS.
 */
static enum err
await(const struct command *c, pid_t pid, int fd, struct buf *output, int *ret_status)
{
	int64_t end = clock_mono(c->clock).ms + c->timeout_ms;
	int pidfd = pidfd_open(pid, 0);
	enum err e = ERR_BUSY;
	size_t kept = 0;
	pid_t got = 0; /* a process can be waited for once: what was got stays */

	for (bool is_open = true; e == ERR_BUSY;) {
		int64_t left = end - clock_mono(c->clock).ms;
		if (got == 0)
			got = waitpid(pid, ret_status, WNOHANG);
		if (got < 0 && errno == EINTR)
			got = 0;
		bool is_over = got != 0;
		struct pollfd p[] = { { .fd = is_open ? fd : -1, .events = POLLIN },
			{ .fd = is_over ? -1 : pidfd, .events = POLLIN } };

		if (!is_over && left <= 0) {
			e = ERR_TIMEOUT;
			break;
		}
		if (pidfd < 0 || left > INT32_MAX)
			left = COMMAND_POLL_MS;
		int ready = poll(p, 2, is_over ? 0 : (int)left);
		if (ready > 0 && p[0].revents != 0)
			is_open = drain(fd, output, &kept);
		/* What it wrote before its end is in the pipe by now. */
		if (is_over && (ready <= 0 || !is_open))
			e = got == pid ? ERR_OK : ERR_COMMAND;
	}
	if (pidfd >= 0)
		close(pidfd);
	return e;
}

static enum err
run(const struct command *c, struct buf *output, int *ret_status)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0) {
		buf_putf(output, "cannot start %s: %s", c->argv[0], strerror(errno));
		return ERR_COMMAND;
	}
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	int failed = spawn(c, ends[1], &pid);
	close(ends[1]);
	if (failed != 0) {
		close(ends[0]);
		buf_putf(output, "cannot start %s: %s", c->argv[0], strerror(failed));
		return ERR_COMMAND;
	}
	enum err e = await(c, pid, ends[0], output, ret_status);
	close(ends[0]);
	if (e == ERR_TIMEOUT) {
		(void)kill(-pid, SIGKILL); /* it may have ended this very moment */
		while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR) {
		}
		buf_putf(output, "%s did not end within %lld s", c->argv[0],
		    (long long)(c->timeout_ms / 1000));
	}
	return e;
}

enum err
command_run(const struct command *c, struct buf *output)
{
	size_t before = output->n;
	int status = 0;

	if (c->argc == 0 || c->argc > COMMAND_ARGS_MAX ||
	    c->env_n > COMMAND_ENV_MAX - BASE_ENV_N)
		return ERR_CONFIG;
	enum err e = run(c, output, &status);
	if (e != ERR_OK)
		return e;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return ERR_OK;
	if (output->n == before && WIFSIGNALED(status))
		buf_putf(output, "%s was ended by signal %d", c->argv[0], WTERMSIG(status));
	else if (output->n == before)
		buf_putf(output, "%s ended with status %d", c->argv[0], WEXITSTATUS(status));
	return ERR_COMMAND;
}
