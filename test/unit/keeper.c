/*
 * The keeper as a real process under the real supervisor: it answers, refuses, is killed and comes back, and cannot
 * do what it must not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/wait.h>
#include "cmd/supervisor.c" /* cmd is in no library */
#include "keeper/keeper.c"
#include "ports/keys/pair.h"
#include "ports/keys/remote.h"
#include "ports/keys/set.h"
#include "ports/link/message.h"

enum { PATIENCE_MS = 20000 };

static const uint8_t transport[SECRET_KEY_BYTES] = { 7 };
static struct clock the_clock;
static char folder[64];
static struct config config;
static struct loop *loop;
static int engine[2], web[2],
    out[2]; /* links: client's end, server's end; stdout of the supervisor */
static pid_t supervisor;
static struct arena arena;

static int
run_keeper(const void *arg, int fd_ready, pid_t parent)
{
	(void)arg;
	return keeper_run(&(struct keeper_options){ .config = &config,
	    .transport_key = transport,
	    .fd_engine = engine[1],
	    .fd_web = web[1],
	    .fd_ready = fd_ready,
	    .parent = parent });
}

static void
start_supervisor(void)
{
	const struct supervisor_child children[] = { { "keeper", run_keeper, NULL,
	    { engine[1], web[1] }, 2 } };
	const struct supervisor_options o = { children, 1, folder, &the_clock, 0 };
	char text[32];

	fflush(NULL);
	supervisor = fork();
	assert_true(supervisor >= 0);
	if (supervisor == 0) {
		if (process_die_with(getppid()) != ERR_OK)
			_exit(1);
		dup2(out[1], 1);
		_exit(supervisor_run(&o) == ERR_OK ? 0 : 1);
	}
	assert_true(read(out[0], text, sizeof text) > 0);
	assert_memory_equal(text, "koshin: ready", 13);
}

static int
set_up(void **state)
{
	struct why why;
	AUTO_BUF path = { .max = 0 };

	(void)state;
	buf_init(&path, 256);
	the_clock = clock_real(SPAN_S(0));
	arena_init(&arena, 8 << 20);
	memcpy(folder, "/tmp/koshin-keeper-XXXXXX", 26);
	if (mkdtemp(folder) == NULL)
		return -1;
	config = (struct config){ .state_folder = folder };
	if (keeper_master_key_path(&config, &path) != ERR_OK || sodium_init() < 0 ||
	    master_key_make(path.p, &why) != ERR_OK)
		return -1;
	if (loop_new(&the_clock, &loop) != ERR_OK || link_pair(engine) != ERR_OK ||
	    link_pair(web) != ERR_OK || pipe(out) != 0)
		return -1;
	start_supervisor();
	return 0;
}

static int
tear_down(void **state)
{
	AUTO_BUF path = { .max = 0 };
	int status = -1;

	(void)state;
	buf_init(&path, 256);
	(void)kill(supervisor, SIGTERM);
	if (waitpid(supervisor, &status, 0) != supervisor || status != 0)
		return -1;
	loop_free(&loop);
	const int fds[] = { engine[0], engine[1], web[0], web[1], out[0], out[1] };
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		close(fds[i]);
	if (keeper_master_key_path(&config, &path) == ERR_OK)
		unlink(path.p);
	arena_fini(&arena);
	return rmdir(folder);
}

static pid_t
keeper_pid(void)
{
	char path[128];
	int pid = 0;

	snprintf(path, sizeof path, "%s/keeper.pid", folder);
	FILE *f = fopen(path, "r");
	if (f != NULL) {
		(void)!fscanf(f, "%d", &pid);
		fclose(f);
	}
	return pid;
}

/* The keeper has not died meanwhile: nothing that it was asked hit its filter. */
static void
lives_on(pid_t pid)
{
	assert_true(pid > 0);
	assert_int_equal(kill(pid, 0), 0);
	assert_int_equal(keeper_pid(), pid);
}

struct heard {
	int n;
	struct keys_answer answer;
};

static void
hear(void *arg, const struct keys_answer *answer)
{
	struct heard *heard = arg;

	heard->n++;
	heard->answer = *answer;
	heard->answer.sealed = arena_str(&arena, answer->sealed);
	heard->answer.thumbprint = arena_str(&arena, answer->thumbprint);
	heard->answer.json = arena_str(&arena, answer->json);
	heard->answer.csr_der = arena_str(&arena, answer->csr_der);
	heard->answer.set = arena_str(&arena, answer->set);
	heard->answer.key_pem = arena_str(&arena, answer->key_pem);
}

static void
until(const int *n, int wanted)
{
	int64_t begun = clock_mono(&the_clock).ms;

	while (*n < wanted) {
		assert_int_equal(loop_round(loop, 100), ERR_OK);
		assert_true(clock_mono(&the_clock).ms - begun < PATIENCE_MS);
	}
}

static struct keys_answer
ask(struct keys_remote *remote, struct keys_job job)
{
	struct keys keys = keys_remote_port(remote);
	struct heard heard = { 0 };

	assert_int_equal(keys.submit(keys.ctx, &job, hear, &heard), ERR_OK);
	assert_int_equal(heard.n, 0);
	until(&heard.n, 1);
	return heard.answer;
}

static struct keys_remote *
open_remote(int fd)
{
	struct keys_remote *remote = NULL;

	assert_int_equal(keys_remote_new(loop, &the_clock, fd, &remote), ERR_OK);
	return remote;
}

/* A self-signed certificate for a key. */
static struct str
certificate_for(struct str key_pem)
{
	BIO *in = BIO_new_mem_buf(key_pem.p, (int)key_pem.n), *to = BIO_new(BIO_s_mem());
	EVP_PKEY *pair = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	X509 *x = X509_new();
	char *p;

	assert_non_null(pair);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, pair);
	assert_true(X509_sign(x, pair, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(to, x), 1);
	long n = BIO_get_mem_data(to, &p);
	struct str pem = arena_str(&arena, (struct str){ p, (size_t)n });
	X509_free(x);
	EVP_PKEY_free(pair);
	BIO_free(in);
	BIO_free(to);
	return pem;
}

/* Every verb and every kind of key through the filter. */
static void
answers_all_verbs_under_its_filter(void **state)
{
	(void)state;
	static const struct str name = { "example.jp", 10 };
	struct keys_remote *from_engine = open_remote(engine[0]),
			   *from_web = open_remote(web[0]);
	struct str chain, key;
	pid_t pid = keeper_pid();

	struct keys_answer account =
	    ask(from_engine, (struct keys_job){ .verb = KEYS_ACCOUNT_NEW });
	assert_int_equal(account.err, ERR_OK);
	struct keys_answer hmac =
	    ask(from_engine, (struct keys_job){ .verb = KEYS_SEAL, .secret = STR("YWJjZA") });
	assert_int_equal(hmac.err, ERR_OK);
	assert_int_equal(ask(from_engine,
			     (struct keys_job){
				 .verb = KEYS_JWS, .sealed = account.sealed, .url = STR("u") })
			     .err,
	    ERR_OK);
	assert_int_equal(ask(from_engine, (struct keys_job){ .verb = KEYS_EAB,
					      .sealed = account.sealed,
					      .sealed_hmac = hmac.sealed,
					      .kid = STR("k"),
					      .url = STR("u") })
			     .err,
	    ERR_OK);
	struct keys_answer print = ask(from_engine,
	    (struct keys_job){ .verb = KEYS_THUMBPRINT, .sealed = account.sealed });
	assert_true(str_eq(print.thumbprint, account.thumbprint));
	for (enum key_type type = KEY_P256; type <= KEY_RSA2048; type++) {
		struct keys_answer site =
		    ask(from_engine, (struct keys_job){ .verb = KEYS_SITE_NEW,
					 .key_type = type,
					 .names = &name,
					 .names_n = 1 });
		assert_int_equal(site.err, ERR_OK);
		struct keys_answer exported = ask(
		    from_web, (struct keys_job){ .verb = KEYS_EXPORT, .sealed = site.sealed });
		assert_int_equal(exported.err, ERR_OK);
		struct keys_answer set =
		    ask(from_engine, (struct keys_job){ .verb = KEYS_SET,
					 .sealed = site.sealed,
					 .chain_pem = certificate_for(exported.key_pem) });
		assert_int_equal(set.err, ERR_OK);
		assert_int_equal(
		    keys_set_open(transport, set.set, &arena, &chain, &key), ERR_OK);
		assert_true(str_eq(key, exported.key_pem));
	}
	lives_on(pid);
	keys_remote_free(&from_engine);
	keys_remote_free(&from_web);
}

static struct str
der_of(struct str key_pem)
{
	BIO *in = BIO_new_mem_buf(key_pem.p, (int)key_pem.n);
	EVP_PKEY *pair = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	struct secret der = { 0 };

	assert_int_equal(pair_to_der(pair, &der), ERR_OK);
	struct str copy = arena_str(&arena, (struct str){ (const char *)der.p, der.n });
	secret_fini(&der);
	EVP_PKEY_free(pair);
	BIO_free(in);
	return copy;
}

/* Under the filter of system calls too: a request with a subject, and a key that its owner brought, sealed for its chain alone. */
static void
what_owners_buy(void **state)
{
	(void)state;
	static const struct str name = { "example.jp", 10 };
	const struct csr_subject subject = { STR("株式会社例"), STR("千代田区"), STR("東京都"), STR("JP") };
	struct keys_remote *from_engine = open_remote(engine[0]), *from_web = open_remote(web[0]);
	pid_t pid = keeper_pid();

	for (enum key_type type = KEY_P256; type <= KEY_RSA2048; type++) {
		struct keys_answer made =
		    ask(from_web, (struct keys_job){ .verb = KEYS_CSR, .key_type = type, .names = &name, .names_n = 1, .subject = subject });
		assert_int_equal(made.err, ERR_OK);
		assert_true(str_find(made.csr_der, subject.organization) != SIZE_MAX && str_find(made.csr_der, name) != SIZE_MAX);
		struct keys_answer exported = ask(from_web, (struct keys_job){ .verb = KEYS_EXPORT, .sealed = made.sealed });
		struct str chain = certificate_for(exported.key_pem), other = certificate_for(
		    ask(from_web, (struct keys_job){ .verb = KEYS_EXPORT, .sealed = ask(from_web, (struct keys_job){
			.verb = KEYS_CSR, .key_type = type, .names = &name, .names_n = 1 }).sealed }).key_pem);
		struct str der = der_of(exported.key_pem);
		struct keys_answer own = ask(from_web, (struct keys_job){ .verb = KEYS_OWN, .secret = der, .chain_pem = chain });
		assert_int_equal(own.err, ERR_OK);
		assert_int_equal(ask(from_engine, (struct keys_job){ .verb = KEYS_SET, .sealed = own.sealed, .chain_pem = chain }).err, ERR_OK);
		assert_int_equal(ask(from_web, (struct keys_job){ .verb = KEYS_OWN, .secret = der, .chain_pem = other }).err, ERR_MISMATCH);
		assert_int_equal(ask(from_web, (struct keys_job){ .verb = KEYS_OWN, .secret = STR("no key"), .chain_pem = chain }).err, ERR_CORRUPT);
	}
	const struct csr_subject lower = { .country = STR("jp") }, lines = { .organization = STR("a\nb") };
	assert_int_equal(ask(from_web, (struct keys_job){ .verb = KEYS_CSR, .names = &name, .names_n = 1, .subject = lower }).err, ERR_INVALID);
	assert_int_equal(ask(from_web, (struct keys_job){ .verb = KEYS_CSR, .names = &name, .names_n = 1, .subject = lines }).err, ERR_INVALID);
	lives_on(pid);
	keys_remote_free(&from_engine);
	keys_remote_free(&from_web);
}

static void
each_link_has_its_own_verbs(void **state)
{
	(void)state;
	struct keys_remote *from_engine = open_remote(engine[0]),
			   *from_web = open_remote(web[0]);
	pid_t pid = keeper_pid();

	for (enum keys_verb verb = KEYS_ACCOUNT_NEW; verb < KEYS_VERB_COUNT; verb++) {
		bool is_of_web = verb == KEYS_EXPORT || verb == KEYS_CODE_NEW || verb == KEYS_CODE || verb == KEYS_CSR || verb == KEYS_OWN;
		struct keys_remote *wrong = is_of_web ? from_engine : from_web;

		/* Both may seal: nothing comes out of it that could be used. And both may ask vantage points. */
		if (verb == KEYS_SEAL || verb == KEYS_QUESTION)
			continue;
		assert_int_equal(
		    ask(wrong, (struct keys_job){ .verb = verb, .secret = STR("x") }).err,
		    ERR_DENIED);
	}
	assert_int_equal(ask(from_web, (struct keys_job){ .verb = KEYS_SEAL, .secret = STR("x") }).err, ERR_OK);
	struct keys_answer one = ask(from_web, (struct keys_job){ .verb = KEYS_QUESTION, .payload = STR("{}") }),
			   other = ask(from_engine, (struct keys_job){ .verb = KEYS_QUESTION, .payload = STR("{}") });
	assert_int_equal(one.err, ERR_OK);
	/* One key for the installation, whoever asks; Ed25519 signs the same in the same way. */
	assert_true(one.thumbprint.n == 43 && str_eq(one.thumbprint, other.thumbprint) && str_eq(one.json, other.json));
	lives_on(pid);
	keys_remote_free(&from_engine);
	keys_remote_free(&from_web);
}

/* Rubbish in each layer is refused with a line in the log, and the next question is answered. */
static void
rubbish_harms_nobody(void **state)
{
	(void)state;
	char message[LINK_HEAD_BYTES + 200];
	struct keys_job job = { .verb = KEYS_SEAL, .secret = STR("x") };
	pid_t pid = keeper_pid();
	AUTO_BUF good = { .max = 0 };

	buf_init(&good, 1024);
	keys_job_put(&good, &job);
	assert_int_equal(send(engine[0], "", 0, 0), 0);
	assert_int_equal(send(engine[0], "rubbish", 7, 0), 7);
	message_put_head(message, MESSAGE_REQUEST, 5);
	for (size_t n = 0; n <= good.n;
	     n++) { /* cut at each byte; whole; then each byte changed */
		memcpy(message + LINK_HEAD_BYTES, good.p, n);
		assert_true(send(engine[0], message, LINK_HEAD_BYTES + n, 0) > 0);
	}
	for (size_t i = 0; i < good.n; i++) {
		memcpy(message + LINK_HEAD_BYTES, good.p, good.n);
		message[LINK_HEAD_BYTES + i] = (char)(message[LINK_HEAD_BYTES + i] ^ 0x55);
		assert_true(send(engine[0], message, LINK_HEAD_BYTES + good.n, 0) > 0);
	}
	struct keys_remote *remote = open_remote(engine[0]);
	assert_int_equal(
	    ask(remote, (struct keys_job){ .verb = KEYS_ACCOUNT_NEW }).err, ERR_OK);
	lives_on(pid);
	keys_remote_free(&remote);
}

/* Killed again and again while questions wait: each is answered, once. */
static void
killed_while_questions_wait(void **state)
{
	(void)state;
	enum { LIVES = 4, N = 60 };
	struct keys_remote *remote = open_remote(engine[0]);
	struct keys keys = keys_remote_port(remote);
	struct keys_answer account = ask(remote, (struct keys_job){ .verb = KEYS_ACCOUNT_NEW });
	pid_t last = 0;

	for (int life = 0; life < LIVES; life++) {
		struct heard heard[N] = { 0 };
		int64_t begun = clock_mono(&the_clock).ms;

		while (
		    keeper_pid() == last) { /* its successor says HELLO, which ends the round */
			assert_int_equal(loop_round(loop, 100), ERR_OK);
			assert_true(clock_mono(&the_clock).ms - begun < PATIENCE_MS);
		}
		last = keeper_pid();
		for (int i = 0; i < N; i++) {
			struct keys_job job = { .verb =
						    i % 10 == 0 ? KEYS_ACCOUNT_NEW : KEYS_JWS,
				.sealed = account.sealed,
				.url = STR("u") };

			assert_int_equal(keys.submit(keys.ctx, &job, hear, &heard[i]), ERR_OK);
		}
		until(&heard[life].n, 1); /* so the others are under way */
		assert_int_equal(kill(last, SIGKILL), 0);
		for (int i = 0; i < N; i++) {
			until(&heard[i].n, 1);
			assert_int_equal(heard[i].answer.err, ERR_OK);
			assert_int_equal(heard[i].answer.json.n > 0, i % 10 != 0);
		}
		assert_int_equal(loop_round(loop, 0), ERR_OK);
		for (int i = 0; i < N; i++)
			assert_int_equal(heard[i].n, 1);
	}
	keys_remote_free(&remote);
}

/* Runs fn in a child behind the keeper's filter; how the child ended. */
static int
behind_the_filter(void (*fn)(void))
{
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (process_keep_secret() != ERR_OK || process_keep_low() != ERR_OK ||
		    limit_system_calls() != ERR_OK)
			_exit(9);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
do_nothing(void)
{
}

static void
open_file(void)
{
	(void)!open("/dev/null", O_RDONLY);
}

static void
open_socket(void)
{
	(void)!socket(AF_INET, SOCK_STREAM, 0);
}

static void
fork_off(void)
{
	(void)!fork();
}

static void
run_program(void)
{
	(void)!execl("/bin/true", "true", (char *)NULL);
}

static void
map_code(void)
{
	(void)!mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
make_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)!mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static void
kill_other(void)
{
	(void)kill(getppid(), 0);
}

static void
filter_kills(void **state)
{
	(void)state;
	static const struct row {
		const char *name;
		int line;
		void (*fn)(void);
		bool is_allowed;
	} rows[] = {
		{ "nothing", __LINE__, do_nothing, true },
		{ "open a file", __LINE__, open_file, false },
		{ "open a socket", __LINE__, open_socket, false },
		{ "fork", __LINE__, fork_off, false },
		{ "run a program", __LINE__, run_program, false },
		{ "memory that can be run", __LINE__, map_code, false },
		{ "make memory runnable", __LINE__, make_code, false },
		{ "signal another process", __LINE__, kill_other, false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int status = behind_the_filter(rows[i].fn);
		bool was_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;

		if (rows[i].is_allowed ? status != 0 : !was_killed)
			fail_msg("%s:%d: %s: status %#x", __FILE__, rows[i].line, rows[i].name,
			    (unsigned)status);
	}
}

static int
run_alone(const char *state_folder)
{
	struct config other = { .state_folder = (char *)(uintptr_t)state_folder };
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(keeper_run(&(struct keeper_options){ .config = &other,
		    .transport_key = transport,
		    .fd_engine = 3,
		    .fd_web = 4,
		    .fd_ready = -1 }));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
without_a_master_key_it_ends(void **state)
{
	(void)state;
	assert_int_equal(run_alone("/nonexistent"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    answers_all_verbs_under_its_filter, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_owners_buy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_link_has_its_own_verbs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rubbish_harms_nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(killed_while_questions_wait, set_up, tear_down),
		cmocka_unit_test(filter_kills),
		cmocka_unit_test(without_a_master_key_it_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
