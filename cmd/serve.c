#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <pwd.h>
#include "base/point.h"
#include "cmd/cmd.h"
#include "cmd/supervisor.h"
#include "engine/engine.h"
#include "http/web.h"
#include "installer/installer.h"
#include "keeper/keeper.h"
#include "ports/keys/secret.h"
#include "ports/link/link.h"
#include "ports/process/process.h"

/*
 * koshin serve: the four processes on one machine. Here are the pairs of sockets between them, the key under which
 * certificates travel from the keeper to the installer, and who gives up what.
 */

struct plan {
	const struct config *config;
	struct clock clock;
	uint8_t transport_key[SECRET_KEY_BYTES];
	/* Pairs: [0] is the end of the one who asks. wake: [0] is read by the engine. */
	int engine_keeper[2], web_keeper[2], engine_installer[2], wake[2];
};

static volatile sig_atomic_t quit;

static void
on_term(int signal)
{
	(void)signal;
	quit = 1;
}

static int
complain(const char *process, const struct why *why, enum err err)
{
	fprintf(stderr, "koshin-%s: %s: %s\n", process, err_words(err), why->text);
	return 1;
}

/* What all but the installer do: become the user, die with the supervisor, gain nothing, leave no core. */
static int
step_down(const struct plan *p, const char *process, pid_t parent)
{
	struct why why = { "" };
	enum err err = process_become(p->config->user, &why);

	if (err == ERR_OK)
		err = process_die_with(parent);
	if (err == ERR_OK)
		err = process_keep_secret();
	if (err == ERR_OK)
		err = process_keep_low();
	return err == ERR_OK ? 0 : complain(process, &why, err);
}

static int
run_keeper(const void *arg, int fd_ready, pid_t parent)
{
	const struct plan *p = arg;
	const struct keeper_options o = {
		.config = p->config,
		.transport_key = p->transport_key,
		.fd_engine = p->engine_keeper[1],
		.fd_web = p->web_keeper[1],
		.fd_ready = fd_ready,
		.parent = parent,
	};

	POINT_PROCESS("keeper");
	return keeper_run(&o);
}

static int
run_engine(const void *arg, int fd_ready, pid_t parent)
{
	const struct plan *p = arg;
	const struct engine_options o = {
		.config = p->config,
		.fd_keeper = p->engine_keeper[0],
		.fd_installer = p->engine_installer[0],
		.fd_wake = p->wake[0],
		.fd_ready = fd_ready,
	};

	POINT_PROCESS("engine");
	return step_down(p, "engine", parent) != 0 ? 1 : engine_run(&o);
}

static int
run_web(const void *arg, int fd_ready, pid_t parent)
{
	const struct plan *p = arg;
	const struct web_options o = {
		.config = p->config,
		.fd_keeper = p->web_keeper[0],
		.fd_wake = p->wake[1],
		.fd_ready = fd_ready,
	};

	POINT_PROCESS("web");
	return step_down(p, "web", parent) != 0 ? 1 : web_run(&o);
}

static int
run_installer(const void *arg, int fd_ready, pid_t parent)
{
	const struct plan *p = arg;
	struct sigaction act = { .sa_handler = on_term };
	sigset_t blocked, before;
	struct why why = { "" };

	POINT_PROCESS("installer");
	/* Signals come only where the installer waits: between two batches, never in the middle of one. */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	if (sigprocmask(SIG_BLOCK, &blocked, &before) != 0 || sigaction(SIGTERM, &act, NULL) != 0 ||
	    sigaction(SIGINT, &act, NULL) != 0 || process_die_with(parent) != ERR_OK)
		return complain("installer", &why, ERR_IO);
	const struct installer_options o = {
		.fd = p->engine_installer[1],
		.targets = p->config->targets,
		.targets_n = p->config->targets_n,
		.transport_key = p->transport_key,
		.clock = &p->clock,
		.quit = &quit,
		.unblocked = &before,
	};
	if (write(fd_ready, "i", 1) != 1)
		return complain("installer", &why, err_of_errno(errno));
	enum err err = installer_run(&o, &why);
	return err == ERR_OK ? 0 : complain("installer", &why, err);
}

/* A folder of ours: made if it is not there, and the user's. Not recursive, so that a mistyped path is an error. */
static enum err
own_folder(const char *path, const char *user, mode_t mode)
{
	struct passwd *pw = user != NULL && user[0] != '\0' && geteuid() == 0 ? getpwnam(user) : NULL;

	if (mkdir(path, mode) != 0 && errno != EEXIST)
		return err_of_errno(errno);
	if (pw != NULL && chown(path, pw->pw_uid, pw->pw_gid) != 0)
		return err_of_errno(errno);
	return ERR_OK;
}

static enum err
prepare(struct plan *p)
{
	enum err err = own_folder(p->config->state_folder, p->config->user, 0750);

	if (err == ERR_OK)
		err = own_folder(p->config->run_folder, p->config->user, 0750);
	if (err == ERR_OK)
		err = link_pair(p->engine_keeper);
	if (err == ERR_OK)
		err = link_pair(p->web_keeper);
	if (err == ERR_OK)
		err = link_pair(p->engine_installer);
	if (err == ERR_OK && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p->wake) != 0)
		err = err_of_errno(errno);
	p->clock.random(p->clock.ctx, p->transport_key, sizeof p->transport_key);
	return err;
}

int
cmd_serve(struct cmd *c)
{
	struct config *config = cmd_config(c);
	struct plan plan = { .config = config };

	if (config == NULL)
		return CMD_FAILED;
	plan.clock = clock_real(config->clock_offset);
	enum err err = prepare(&plan);
	if (err != ERR_OK) {
		fprintf(stderr, "koshin: %s: %s\n", config->state_folder, err_words(err));
		config_free(&config);
		return CMD_FAILED;
	}
	const struct supervisor_child children[] = {
		{ "keeper", run_keeper, &plan, { plan.engine_keeper[1], plan.web_keeper[1] }, 2 },
		{ "installer", run_installer, &plan, { plan.engine_installer[1] }, 1 },
		{ "engine", run_engine, &plan, { plan.engine_keeper[0], plan.engine_installer[0], plan.wake[0] }, 3 },
		{ "web", run_web, &plan, { plan.web_keeper[0], plan.wake[1] }, 2 },
	};
	const struct supervisor_options o = {
		.children = children,
		.children_n = sizeof children / sizeof *children,
		.run_folder = config->run_folder,
		.clock = &plan.clock,
	};
	err = supervisor_run(&o);
	config_free(&config);
	return err == ERR_OK ? CMD_DONE : CMD_FAILED;
}
