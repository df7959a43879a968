#include "keeper/keeper.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <seccomp.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/point.h"
#include "ports/keys/core.h"
#include "ports/keys/master.h"
#include "ports/keys/protocol.h"
#include "ports/link/link.h"
#include "ports/process/process.h"

static volatile sig_atomic_t keeper_quit;

/* What one link may ask. */
struct desk {
	struct keys_core *core;
	const char *client;
	bool is_for_export;
};

static void
on_signal(int number)
{
	(void)number;
	keeper_quit = 1;
}

/* The texts are ours: nothing of a key or of what a client sent is ever printed. */
static void
print(const char *client, const char *words)
{
	fprintf(stderr, "koshin-keeper: %s: %s\n", client, words);
}

static void
on_dropped(void *arg, const char *words)
{
	const struct desk *desk = arg;

	print(desk->client, words);
}

/* The web process gives keys out to the operator, seals what people give, makes requests for what they buy, and judges their codes; it
 * signs nothing else but questions to vantage points, which are for nothing else. */
static bool
may_ask(const struct desk *desk, enum keys_verb verb)
{
	bool is_of_web = verb == KEYS_EXPORT || verb == KEYS_CODE_NEW || verb == KEYS_CODE || verb == KEYS_CSR || verb == KEYS_OWN;

	if (desk->is_for_export)
		return is_of_web || verb == KEYS_SEAL || verb == KEYS_QUESTION;
	return !is_of_web;
}

static void
serve(void *arg, struct str body, struct buf *to)
{
	const struct desk *desk = arg;
	struct keys_answer answer = { 0 };
	struct keys_job job;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 4 * LIMIT_MESSAGE_BYTES);
	answer.err = keys_job_get(body, &a, &job);
	if (answer.err != ERR_OK) {
		print(desk->client, "a question that cannot be read was refused");
	} else if (!may_ask(desk, job.verb)) {
		print(desk->client, "a question that it may not ask was refused");
		answer.err = ERR_DENIED;
	} else {
		POINT("keys before");
		keys_do(desk->core, &job, &a, &answer);
		POINT("keys after");
	}
	keys_answer_put(to, &answer);
	secret_wipe(answer.key_pem);
	secret_wipe(answer.secret);
	if (to->err == ERR_TOO_LONG) {
		buf_clear(to);
		keys_answer_put(to, &(struct keys_answer){ .err = ERR_TOO_LONG });
	}
}

/*
 * Each way through OpenSSL once, before the filter: it opens its configuration, loads providers and seeds its
 * generator at first use, and none of that is allowed afterwards.
 */
static enum err
warm_up(struct keys_core *core)
{
	static const struct str name = { "koshin.invalid", 14 };
	struct keys_job account = { .verb = KEYS_ACCOUNT_NEW };
	struct keys_job site = { .verb = KEYS_SITE_NEW, .names = &name, .names_n = 1 };
	struct keys_answer answer;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 4 * LIMIT_MESSAGE_BYTES);
	if (OPENSSL_init_crypto(
		OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL) != 1)
		return ERR_CRYPTO;
	keys_do(core, &account, &a, &answer);
	if (answer.err == ERR_OK)
		keys_do(core,
		    &(struct keys_job){
			.verb = KEYS_JWS, .sealed = answer.sealed, .url = STR("u") },
		    &a, &answer);
	if (answer.err == ERR_OK)
		keys_do(core, &(struct keys_job){ .verb = KEYS_QUESTION, .payload = STR("{}") }, &a, &answer);
	if (answer.err == ERR_OK)
		keys_do(core, &site, &a, &answer);
	struct str sealed = answer.sealed;
	if (answer.err == ERR_OK)
		keys_do(core, &(struct keys_job){ .verb = KEYS_EXPORT, .sealed = sealed }, &a,
		    &answer);
	secret_wipe(answer.key_pem);
	secret_wipe(answer.secret);
	if (answer.err != ERR_OK)
		return answer.err;
	/* A chain that is none: the reader of PEM texts and its words for errors. */
	keys_do(core,
	    &(struct keys_job){ .verb = KEYS_SET, .sealed = sealed, .chain_pem = STR("-") }, &a,
	    &answer);
	return answer.err == ERR_INVALID ? ERR_OK : ERR_CRYPTO;
}

/* System calls that are needed to answer, to allocate and to end. Any other kills the process. */
static const int allowed_calls[] = {
	SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(read),
	SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap),
	SCMP_SYS(madvise), SCMP_SYS(mlock), SCMP_SYS(mlock2), SCMP_SYS(munlock),
	SCMP_SYS(getrandom), SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
	SCMP_SYS(time), SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(gettid), SCMP_SYS(tgkill),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack), SCMP_SYS(sched_yield), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
	SCMP_SYS(exit_group),
#ifdef KOSHIN_POINTS
	SCMP_SYS(unlink), SCMP_SYS(unlinkat), /* a point removes the file that asked for it */
#endif
};

static enum err
limit_system_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	/* Memory may be asked for, but none that can be run. */
	const struct scmp_arg_cmp not_run = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	int r = filter == NULL ? -ENOMEM : 0;

	for (size_t i = 0; r == 0 && i < sizeof allowed_calls / sizeof *allowed_calls; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed_calls[i], 0);
	if (r == 0)
		r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &not_run);
	if (r == 0)
		r = seccomp_rule_add_array(
		    filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &not_run);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r == 0 ? ERR_OK : err_of_errno(-r);
}

enum err
keeper_master_key_path(const struct config *config, struct buf *to)
{
	buf_clear(to);
	buf_putf(to, "%s/master.key", config->state_folder);
	return to->err;
}

static enum err
open_core(const struct keeper_options *o, struct why *why, struct keys_core **ret)
{
	AUTO_SECRET master = { 0 };
	AUTO_BUF path = { .max = 0 };

	buf_init(&path, 4096);
	if (sodium_init() < 0)
		return ERR_CRYPTO;
	enum err e = keeper_master_key_path(o->config, &path);
	if (e == ERR_OK)
		e = master_key_read(path.p, why, &master);
	return e == ERR_OK ? keys_core_new(master.p, o->transport_key, ret) : e;
}

/* Root, core files, debuggers, and in the end nearly all system calls. */
static enum err
give_up_rights(const struct keeper_options *o, struct keys_core *core, struct why *why)
{
	enum err e = process_become(o->config->user, why);

	if (e == ERR_OK && o->parent != 0)
		e = process_die_with(o->parent);
	if (e == ERR_OK)
		e = process_keep_secret();
	if (e == ERR_OK)
		e = process_keep_low();
	if (e == ERR_OK)
		e = warm_up(core);
	return e == ERR_OK ? limit_system_calls() : e;
}

static void
catch_signals(sigset_t *ret_unblocked)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &term, ret_unblocked);
	sigdelset(ret_unblocked, SIGTERM);
	sigemptyset(&action.sa_mask);
	(void)sigaction(
	    SIGTERM, &action, NULL); /* cannot fail for this signal and this struct */
}

int
keeper_run(const struct keeper_options *o)
{
	struct keys_core *core = NULL;
	struct why why = { "" };
	sigset_t unblocked;

	catch_signals(&unblocked);
	enum err e = open_core(o, &why, &core);
	if (e == ERR_OK)
		e = give_up_rights(o, core, &why);
	if (e == ERR_OK && o->fd_ready >= 0 && write(o->fd_ready, "k", 1) != 1)
		e = err_of_errno(errno);
	if (e == ERR_OK) {
		struct desk engine = { core, "engine", false }, web = { core, "web", true };
		const struct link_end ends[] = { { o->fd_engine, serve, &engine, on_dropped },
			{ o->fd_web, serve, &web, on_dropped } };

		e = link_serve(ends, sizeof ends / sizeof *ends, &keeper_quit, &unblocked);
	}
	keys_core_free(&core);
	if (e != ERR_OK)
		fprintf(stderr, "koshin-keeper: stops: %s%s%s\n", err_words(e),
		    why.text[0] != '\0' ? ": " : "", why.text);
	return e == ERR_OK ? 0 : 1;
}
