/* The supervisor with children of this test: each story is a real supervisor process with real children. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cmd/supervisor.c" /* cmd is in no library */
#include "ports/process/process.h"

enum { PATIENCE_MS = 10000 };

static struct clock the_clock;
static char folder[64];
static int report[2]; /* children tell the test what happens in them, a letter each */
static int out[2];    /* stdout of the supervisor */
static int foreign;   /* a descriptor that no child may have */
static pid_t supervisor;

static int
set_up(void **state)
{
	(void)state;
	the_clock = clock_real(SPAN_S(0));
	strcpy(folder, "/tmp/koshin-supervisor-XXXXXX");
	foreign = open("/dev/null", O_RDONLY);
	return mkdtemp(folder) != NULL && pipe(report) == 0 && pipe(out) == 0 && foreign >= 0
		   ? 0
		   : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	close(report[0]);
	close(report[1]);
	close(out[0]);
	close(out[1]);
	close(foreign);
	return rmdir(folder); /* the pid files are gone */
}

static void
tell(char letter)
{
	(void)!write(report[1], &letter, 1);
}

/* The next letter of a child. */
static char
hear(int wait_ms)
{
	struct pollfd p = { .fd = report[0], .events = POLLIN };
	char letter = '\0';

	if (poll(&p, 1, wait_ms) == 1)
		(void)!read(report[0], &letter, 1);
	return letter;
}

static void
expect(char letter)
{
	char got = hear(PATIENCE_MS);

	if (got != letter)
		fail_msg("wanted '%c', heard '%c'", letter, got == '\0' ? '?' : got);
}

static void
wait_for_line(const char *line)
{
	char text[256] = "";
	size_t n = 0;
	struct pollfd p = { .fd = out[0], .events = POLLIN };

	while (strstr(text, line) == NULL) {
		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		ssize_t got = read(out[0], text + n, sizeof text - 1 - n);
		assert_true(got > 0);
		n += (size_t)got;
		text[n] = '\0';
	}
}

static pid_t
pid_of(const char *name)
{
	char path[128];
	int pid = 0;

	snprintf(path, sizeof path, "%s/%s.pid", folder, name);
	FILE *f = fopen(path, "r");
	if (f != NULL) {
		(void)!fscanf(f, "%d", &pid);
		fclose(f);
	}
	return pid;
}

static pid_t
run(const struct supervisor_child *children, size_t n, int64_t grace_ms)
{
	fflush(NULL);
	supervisor = fork();
	assert_true(supervisor >= 0);
	if (supervisor > 0)
		return supervisor;
	if (process_die_with(getppid()) != ERR_OK)
		_exit(1);
	dup2(out[1], 1);
	struct supervisor_options o = { children, n, folder, &the_clock, grace_ms };
	_exit(supervisor_run(&o) == ERR_OK ? 0 : 1);
}

static int
ended(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
be_ready(int fd)
{
	(void)!write(fd, "r", 1);
}

/* Is ready, says so to the test, and lives until it is told to end. */
static int
live(const void *arg, int fd_ready, pid_t parent)
{
	sigset_t set;
	int number = 0;

	(void)parent;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGHUP, SIG_DFL); /* it was ignored; an ignored signal cannot be waited for */
	be_ready(fd_ready);
	tell(*(const char *)arg);
	while (number != SIGTERM) {
		sigwait(&set, &number);
		if (number == SIGHUP)
			tell('h');
	}
	tell('t');
	return 0;
}

static int
be_deaf(const void *arg, int fd_ready, pid_t parent)
{
	(void)parent;
	signal(SIGTERM, SIG_IGN);
	be_ready(fd_ready);
	tell(*(const char *)arg);
	while (pause() < 0) /* always, after a signal */
		continue;
	return 0;
}

static int
die_soon(const void *arg, int fd_ready, pid_t parent)
{
	(void)parent;
	be_ready(fd_ready);
	tell(*(const char *)arg);
	return 3;
}

static const char letter_a = 'a', letter_b = 'b';

/* Looks at what it was given. */
static int
inspect(const void *arg, int fd_ready, pid_t parent)
{
	char title[16] = "";
	int signal_at_death = 0;
	bool is_right;

	prctl(PR_GET_NAME, title, 0, 0, 0);
	prctl(PR_GET_PDEATHSIG, &signal_at_death, 0, 0, 0);
	is_right = strcmp(title, arg == &letter_a ? "koshin-inspect" : "inspector") == 0 &&
		   signal_at_death == SIGKILL && getppid() == parent && getpgrp() == getpid() &&
		   fcntl(foreign, F_GETFD) == -1 && fcntl(report[0], F_GETFD) == -1 &&
		   fcntl(report[1], F_GETFD) >= 0 && fcntl(fd_ready, F_GETFD) >= 0 &&
		   fcntl(1, F_GETFD) >= 0;
	tell(is_right ? 'y' : 'n');
	return live(arg, fd_ready, parent);
}

static void
ready_then_ends_on_sigterm(void **state)
{
	(void)state;
	const struct supervisor_child children[] = { { "one", live, &letter_a, { report[1] },
							 1 },
		{ "two", live, &letter_a, { report[1] }, 1 } };
	pid_t pid = run(children, 2, 0);

	wait_for_line("koshin: ready\n");
	expect('a');
	expect('a');
	assert_true(pid_of("one") > 0 && pid_of("two") > 0 && pid_of("one") != pid_of("two"));
	assert_int_equal(kill(pid, SIGHUP), 0);
	expect('h');
	expect('h');
	assert_int_equal(kill(pid, SIGTERM), 0);
	expect('t');
	expect('t');
	assert_int_equal(ended(pid), 0);
	assert_int_equal(pid_of("one"), 0);
}

static void
child_has_only_what_is_its_own(void **state)
{
	(void)state;
	const struct supervisor_child children[] = { { "inspect", inspect, &letter_a,
	    { report[1] }, 1 } };
	const struct supervisor_child long_name[] = { { "inspector", inspect, &letter_b,
	    { report[1] }, 1 } };

	pid_t pid = run(children, 1, 0);
	expect('y');
	expect('a');
	assert_int_equal(kill(pid, SIGINT), 0);
	expect('t');
	assert_int_equal(ended(pid), 0);
	pid = run(long_name, 1, 0);
	expect('y');
	expect('b');
	assert_int_equal(kill(pid, SIGTERM), 0);
	expect('t');
	assert_int_equal(ended(pid), 0);
}

static void
dead_child_is_started_again(void **state)
{
	(void)state;
	const struct supervisor_child children[] = { { "one", live, &letter_a, { report[1] },
							 1 },
		{ "two", live, &letter_b, { report[1] }, 1 } };
	pid_t pid = run(children, 2, 0);

	wait_for_line("koshin: ready\n");
	assert_int_equal(hear(PATIENCE_MS) + hear(PATIENCE_MS), 'a' + 'b');
	pid_t one = pid_of("one"), two = pid_of("two");
	int64_t begun = clock_mono(&the_clock).ms;
	assert_int_equal(kill(one, SIGKILL), 0);
	expect('a');
	int64_t first = clock_mono(&the_clock).ms;
	assert_true(first - begun < 5000); /* at once, as far as a busy machine goes */
	pid_t again = pid_of("one");
	assert_true(again > 0 && again != one);
	assert_int_equal(pid_of("two"), two);
	/* The second death within a minute costs 100 ms. */
	assert_int_equal(kill(again, SIGKILL), 0);
	expect('a');
	assert_true(clock_mono(&the_clock).ms - first >= 100);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(ended(pid), 0);
}

static void
back_off_doubles(void **state)
{
	(void)state;
	const struct supervisor_child children[] = { { "mayfly", die_soon, &letter_a,
	    { report[1] }, 1 } };
	pid_t pid = run(children, 1, 0);

	expect('a');
	expect('a'); /* at once */
	int64_t begun = clock_mono(&the_clock).ms;
	for (int64_t least = 100; least <= 400; least += least) {
		expect('a');
		int64_t now = clock_mono(&the_clock).ms;
		/* The date of the death before is a little earlier than ours. */
		assert_true(now - begun >= least - 20);
		begun = now;
	}
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(ended(pid), 0);
}

static void
deaf_child_is_killed(void **state)
{
	(void)state;
	const struct supervisor_child children[] = { { "deaf", be_deaf, &letter_a,
	    { report[1] }, 1 } };
	pid_t pid = run(children, 1, 50);

	expect('a');
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(ended(pid), 0);
}

static void
children_die_with_the_supervisor(void **state)
{
	(void)state;
	const struct supervisor_child children[] = { { "deaf", be_deaf, &letter_a,
	    { report[1] }, 1 } };
	pid_t pid = run(children, 1, 0);

	expect('a');
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_true(WIFSIGNALED(ended(pid)));
	/* Once all copies of the writing end are closed, the reading end says so. */
	close(report[1]);
	struct pollfd p = { .fd = report[0], .events = POLLIN };
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_true((p.revents & POLLHUP) != 0);
	report[1] = dup(report[0]); /* for tear_down */
	char path[128];
	snprintf(path, sizeof path, "%s/deaf.pid", folder);
	assert_int_equal(unlink(path), 0);
}

static void
systemd_is_told(void **state)
{
	(void)state;
	const struct supervisor_child children[] = { { "one", live, &letter_a, { report[1] },
	    1 } };
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	char text[64];

	snprintf(name.sun_path, sizeof name.sun_path, "%s/notify", folder);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&name, sizeof name), 0);
	setenv("NOTIFY_SOCKET", name.sun_path, 1);
	pid_t pid = run(children, 1, 0);
	unsetenv("NOTIFY_SOCKET");
	ssize_t n = recv(fd, text, sizeof text, 0);
	assert_true(n == 7 && memcmp(text, "READY=1", 7) == 0);
	assert_int_equal(kill(pid, SIGTERM), 0);
	n = recv(fd, text, sizeof text, 0);
	assert_true(n == 10 && memcmp(text, "STOPPING=1", 10) == 0);
	assert_int_equal(ended(pid), 0);
	close(fd);
	unlink(name.sun_path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ready_then_ends_on_sigterm, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    child_has_only_what_is_its_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(dead_child_is_started_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(back_off_doubles, set_up, tear_down),
		cmocka_unit_test_setup_teardown(deaf_child_is_killed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    children_die_with_the_supervisor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(systemd_is_told, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
