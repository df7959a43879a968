/*
 * `koshin serve`: gets folders, keys and socket pairs ready as root, then lets the supervisor run the five processes; the watchdog has
 * neither key nor socket.
 *
 *   engine --(link)-- keeper --(link)-- web        web --(a byte for each wish)--> engine --(link)-- installer
 *
 * Only the installer stays root. Both ends of each pair stay open here, so that they outlive every child.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cmd/cmd.h"
#include "cmd/supervisor.h"
#include "engine/engine.h"
#include "http/web.h"
#include "installer/installer.h"
#include "keeper/keeper.h"
#include "ports/keys/lean.h"
#include "ports/keys/master.h"
#include "ports/link/link.h"
#include "ports/process/process.h"
#include "watch/watchdog.h"

enum { PATH_BYTES = 4096, MODE_SHARED = 01771, MODE_OWN = 0711 };

struct serve {
	struct config *config;
	struct clock clock;
	struct secret transport;
	int engine_keeper[2], web_keeper[2],
	    engine_installer[2]; /* client's end, server's end */
	int wake[2], news[2];		 /* reading end, writing end */
	int fd_lock;
};

static volatile sig_atomic_t serve_quit; /* of the installer */

static void
on_term(int number)
{
	(void)number;
	serve_quit = 1;
}

/* --- the children; each runs in a process of its own --- */

/* What engine and web give up: the transport key, which a fork copied, root, and core files, for the engine reads
 * the password of the mail server. */
static enum err
become_ordinary(const struct serve *s, pid_t parent, struct why *why)
{
	secret_wipe((struct str){ (const char *)s->transport.p, s->transport.n });
	enum err e = process_become(s->config->user, why);
	if (e == ERR_OK)
		e = process_die_with(parent);
	if (e == ERR_OK)
		e = process_keep_secret();
	return e == ERR_OK ? process_keep_low() : e;
}

static int
fail(const char *process, enum err e, const struct why *why)
{
	fprintf(stderr, "koshin-%s: stops: %s%s%s\n", process, err_words(e),
	    why->text[0] != '\0' ? ": " : "", why->text);
	return 1;
}

/* Where it does not work, certificates are read all the same, more slowly. */
static void
be_lean(void)
{
	if (lean_begin() != ERR_OK)
		fprintf(stderr, "koshin: OpenSSL cannot be made lean\n");
}

static int
run_keeper(const void *arg, int fd_ready, pid_t parent)
{
	const struct serve *s = arg;
	const struct keeper_options o = { .config = s->config,
		.transport_key = s->transport.p,
		.fd_engine = s->engine_keeper[1],
		.fd_web = s->web_keeper[1],
		.fd_ready = fd_ready,
		.parent = parent };

	be_lean();
	return keeper_run(&o);
}

static int
run_installer(const void *arg, int fd_ready, pid_t parent)
{
	const struct serve *s = arg;
	struct sigaction action = { .sa_handler = on_term };
	struct why why = { "" };
	sigset_t term, unblocked;

	(void)parent; /* it stays who it is, so the kernel remembers whom it dies with */
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &term, &unblocked);
	sigemptyset(&action.sa_mask);
	(void)sigaction(
	    SIGTERM, &action, NULL); /* cannot fail for this signal and this struct */
	const struct installer_options o = { .fd = s->engine_installer[1],
		.targets = s->config->targets,
		.targets_n = s->config->targets_n,
		.transport_key = s->transport.p,
		.clock = &s->clock,
		.quit = &serve_quit,
		.unblocked = &unblocked };

	/* What it does first is to say HELLO to the engine; until then questions wait in the socket. */
	if (write(fd_ready, "i", 1) != 1)
		return fail("installer", err_of_errno(errno), &why);
	enum err e = installer_run(&o, &why);
	return e == ERR_OK ? 0 : fail("installer", e, &why);
}

static int
run_engine(const void *arg, int fd_ready, pid_t parent)
{
	const struct serve *s = arg;
	const struct engine_options o = { .config = s->config,
		.fd_keeper = s->engine_keeper[0],
		.fd_installer = s->engine_installer[0],
		.fd_wake = s->wake[0],
		.fd_news = s->news[1],
		.fd_ready = fd_ready };
	struct why why = { "" };
	enum err e = become_ordinary(s, parent, &why);

	be_lean();
	return e == ERR_OK ? engine_run(&o) : fail("engine", e, &why);
}

static int
run_web(const void *arg, int fd_ready, pid_t parent)
{
	const struct serve *s = arg;
	const struct web_options o = { .config = s->config,
		.fd_keeper = s->web_keeper[0],
		.fd_wake = s->wake[1],
		.fd_news = s->news[0],
		.fd_ready = fd_ready };
	struct why why = { "" };
	enum err e = become_ordinary(s, parent, &why);

	return e == ERR_OK ? web_run(&o) : fail("web", e, &why);
}

static int
run_watch(const void *arg, int fd_ready, pid_t parent)
{
	const struct serve *s = arg;
	const struct watchdog_options o = { .config = s->config, .fd_ready = fd_ready };
	struct why why = { "" };
	enum err e = become_ordinary(s, parent, &why);

	be_lean();
	return e == ERR_OK ? watchdog_run(&o) : fail("watch", e, &why);
}

/* --- getting ready --- */

/* Makes a folder and those above it. EXISTS if it was there. */
static enum err
make_folder(const char *path, struct why *why)
{
	AUTO_BUF part = { .max = 0 };

	buf_init(&part, PATH_BYTES);
	buf_put_str(&part, str_of(path));
	if (part.err != ERR_OK)
		return part.err;
	for (char *slash = strchr(part.p + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part.p, 0755) == 0)
			(void)chmod(part.p,
			    0755); /* whatever the umask; if not, the next step says what cannot be done */
		*slash = '/';
	}
	if (mkdir(path, 0700) == 0)
		return ERR_OK;
	if (errno == EEXIST)
		return ERR_EXISTS;
	why_set(why, "%s: the folder cannot be made: %s", path, strerror(errno));
	return err_of_errno(errno);
}

static bool
is_empty(const char *path)
{
	DIR *dir = opendir(path);
	size_t n = 0;

	if (dir == NULL)
		return false;
	for (const struct dirent *d = readdir(dir); d != NULL && n == 0; d = readdir(dir))
		n += strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
	(void)closedir(dir);
	return n == 0;
}

/*
 * A folder in which engine and web may make their files, but may not replace those of root: it belongs to root, the
 * user's group may write, and the sticky bit keeps each from the files of the other. A folder that somebody filled
 * is left as it is; it is said if it does not serve.
 */
static enum err
prepare_folder(const char *path, const struct passwd *user, struct why *why)
{
	struct stat st;
	enum err e = make_folder(path, why);
	bool is_fresh = e == ERR_OK || (e == ERR_EXISTS && is_empty(path));

	if (e != ERR_OK && e != ERR_EXISTS)
		return e;
	if (geteuid() != 0 || user == NULL) {
		if (e == ERR_OK && chmod(path, MODE_OWN) != 0)
			return err_of_errno(errno);
		if (access(path, W_OK | X_OK) == 0)
			return ERR_OK;
		why_set(why, "%s: this user cannot write in the folder", path);
		return ERR_UNWRITABLE;
	}
	if (is_fresh && (chown(path, 0, user->pw_gid) != 0 || chmod(path, MODE_SHARED) != 0)) {
		why_set(why, "%s: cannot be given to the group of %s: %s", path, user->pw_name,
		    strerror(errno));
		return err_of_errno(errno);
	}
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		why_set(why, "%s: is not a folder", path);
		return ERR_CONFIG;
	}
	if ((st.st_uid == user->pw_uid && (st.st_mode & 0300) == 0300) ||
	    (st.st_gid == user->pw_gid && (st.st_mode & 0030) == 0030))
		return ERR_OK;
	why_set(why,
	    "%s: user %s cannot write there: chgrp %u and chmod 1771 the folder, and give its "
	    "files to that user",
	    path, user->pw_name, (unsigned)user->pw_gid);
	return ERR_UNWRITABLE;
}

static enum err
prepare_folders(const struct config *c, struct why *why)
{
	const struct passwd *user = NULL;

	if (c->user != NULL && c->user[0] != '\0') {
		user = getpwnam(c->user);
		if (user == NULL) {
			why_set(why, "user %s: there is no such user on this machine", c->user);
			return ERR_CONFIG;
		}
		if (geteuid() != 0 && geteuid() != user->pw_uid) {
			why_set(why,
			    "user %s: only root can become another user; start as root or as "
			    "this user",
			    c->user);
			return ERR_CONFIG;
		}
	}
	enum err e = prepare_folder(c->state_folder, user, why);
	return e == ERR_OK ? prepare_folder(c->run_folder, user, why) : e;
}

/* One koshin on one store, or several that share a lease. The lock goes with the process, however it ends. */
static enum err
lock_store(struct serve *s, struct why *why)
{
	AUTO_BUF path = { .max = 0 };

	buf_init(&path, PATH_BYTES);
	buf_putf(&path, "%s/serve.lock", s->config->state_folder);
	if (path.err != ERR_OK)
		return path.err;
	s->fd_lock = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->fd_lock < 0) {
		why_set(why, "%s: %s", path.p, strerror(errno));
		return err_of_errno(errno);
	}
	if (flock(s->fd_lock, (s->config->lease.s > 0 ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0)
		return ERR_OK;
	why_set(why, "another koshin serve runs already in %s%s", s->config->state_folder,
	    s->config->lease.s > 0 ? ", and its configuration has no lease" : "");
	return ERR_BUSY;
}

/* Reads the master key once, so that a damaged one is said at the start and not by a keeper that dies; makes it at
 * the first start. A store without its key is never given a new one: nothing in it could be opened. */
static enum err
prepare_master_key(const struct config *c, struct why *why)
{
	AUTO_BUF path = { .max = 0 }, store = { .max = 0 };
	AUTO_SECRET key = { 0 };

	buf_init(&path, PATH_BYTES);
	buf_init(&store, PATH_BYTES);
	buf_putf(&store, "%s/koshin.db", c->state_folder);
	enum err e = keeper_master_key_path(c, &path);
	if (e == ERR_OK)
		e = store.err;
	if (e != ERR_OK)
		return e;
	e = master_key_read(path.p, why, &key);
	if (e != ERR_NOT_FOUND)
		return e;
	if (access(store.p, F_OK) == 0) {
		why_set(why,
		    "%s: there is a store but no master key: restore the file from the backup",
		    path.p);
		return ERR_CORRUPT;
	}
	return master_key_make(path.p, why);
}

static enum err
make_pairs(struct serve *s)
{
	enum err e = secret_init(SECRET_KEY_BYTES, &s->transport);

	if (e == ERR_OK)
		randombytes_buf(s->transport.p, s->transport.n);
	if (e == ERR_OK)
		e = link_pair(s->engine_keeper);
	if (e == ERR_OK)
		e = link_pair(s->web_keeper);
	if (e == ERR_OK)
		e = link_pair(s->engine_installer);
	if (e == ERR_OK && (pipe2(s->wake, O_CLOEXEC | O_NONBLOCK) != 0 || pipe2(s->news, O_CLOEXEC | O_NONBLOCK) != 0))
		e = err_of_errno(errno);
	return e;
}

static enum err
get_ready(struct serve *s, struct why *why)
{
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN); /* a reader of our log that goes away ends nobody */
	if (sodium_init() < 0)
		return ERR_CRYPTO;
	/* The transport key stays in this process as long as it lives. */
	enum err e = process_keep_secret();
	if (e == ERR_OK)
		e = prepare_folders(s->config, why);
	if (e == ERR_OK)
		e = lock_store(s, why);
	if (e == ERR_OK)
		e = prepare_master_key(s->config, why);
	return e == ERR_OK ? make_pairs(s) : e;
}

static enum err
supervise(const struct serve *s)
{
	/* Keeper and installer first: the others ask them. */
	const struct supervisor_child children[] = {
		{ "keeper", run_keeper, s, { s->engine_keeper[1], s->web_keeper[1] }, 2 },
		{ "installer", run_installer, s, { s->engine_installer[1] }, 1 },
		{ "engine", run_engine, s,
		    { s->engine_keeper[0], s->engine_installer[0], s->wake[0], s->news[1] }, 4 },
		{ "web", run_web, s, { s->web_keeper[0], s->wake[1], s->news[0] }, 3 },
		{ "watch", run_watch, s, { 0 }, 0 },
	};
	const struct supervisor_options o = { .children = children,
		.children_n = sizeof children / sizeof *children,
		.run_folder = s->config->run_folder,
		.clock = &s->clock };

	return supervisor_run(&o);
}

int
cmd_serve(struct cmd *c)
{
	struct serve s = { .config = cmd_config(c),
		.engine_keeper = { -1, -1 },
		.web_keeper = { -1, -1 },
		.engine_installer = { -1, -1 },
		.wake = { -1, -1 },
		.news = { -1, -1 },
		.fd_lock = -1 };
	struct why why = { "" };

	if (s.config == NULL)
		return CMD_FAILED;
	s.clock = clock_real(s.config->clock_offset);
	enum err e = get_ready(&s, &why);
	if (e == ERR_OK)
		e = supervise(&s);
	if (e != ERR_OK)
		fprintf(stderr, "koshin: %s\n", why.text[0] != '\0' ? why.text : err_words(e));
	const int fds[] = { s.engine_keeper[0], s.engine_keeper[1], s.web_keeper[0],
		s.web_keeper[1], s.engine_installer[0], s.engine_installer[1], s.wake[0],
		s.wake[1], s.news[0], s.news[1], s.fd_lock };
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	secret_fini(&s.transport);
	config_free(&s.config);
	return e == ERR_OK ? CMD_DONE : CMD_FAILED;
}
