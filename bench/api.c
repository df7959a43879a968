/*
 * What a page of the operator costs: api SITES FOLDER fills a store with so many sites, starts the real web process on it, and
 * asks over its socket as four people at once would, each waiting for one answer before the next question.
 *
 * The names are made of words, so that some parts of them are rare and others are in tens of thousands. One site in a hundred
 * has a finding that its owner must mend, one in two hundred waits for its first certificate, one in fifty has a Japanese name. One in
 * ten is in the audit, one in a thousand has a letter that was not taken, and a tenth hold certificates that end within 90 days and are
 * renewed before.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "http/web.h"
#include "ports/alarms/alarms.h"
#include "ports/names/names.h"
#include "ports/store/people.h"
#include "ports/store/store.h"
#include "ports/store/watch.h"

enum {
	PEOPLE = 4,
	ASKED = 400,
	ANSWER_BYTES = 4 * 1024 * 1024,
	START_S = 1760000000,
	COMMIT_EVERY = 5000
};

static const char *const words[] = { "sakura", "hikari", "midori", "yamato", "kaze", "umi",
	"sora", "hana", "tsuki", "hoshi", "kawa", "mori", "tani", "hayashi", "ishi", "kumo",
	"yuki", "ame", "niji", "asahi", "minato", "shima", "hashi", "machi", "mura", "sato",
	"cafe", "shop", "dental", "clinic", "studio", "design" };
enum { WORDS = sizeof words / sizeof *words };
static const char *const ends[] = { "jp", "co.jp", "com", "net", "or.jp", "info" };
enum { ENDS = sizeof ends / sizeof *ends };

static uint64_t
next_number(uint64_t *state)
{
	/* xorshift64 (Marsaglia): the same questions in every run. */
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static double
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* --- the store --- */

static struct str
name_of(int64_t n, struct arena *a)
{
	uint64_t state = (uint64_t)n * 2654435761u + 88172645463325252u;
	const char *one = words[next_number(&state) % WORDS],
		   *two = words[next_number(&state) % WORDS];
	const char *end = ends[next_number(&state) % ENDS];
	struct why why;
	struct str name;

	if (n % 50 == 0 && names_read(arena_strf(a, "日本の店%lld.jp", (long long)n), false, a,
			       &why, &name) == ERR_OK)
		return name;
	return arena_strf(a, "%s-%s%lld.%s", one, two, (long long)n, end);
}

static struct str
mail_of(int64_t owner, struct arena *a)
{
	return arena_strf(
	    a, "%s.%lld@mail.example", words[(uint64_t)owner % WORDS], (long long)owner);
}

static enum err
add_finding(struct store *s, int64_t id, struct str name, enum cause cause, struct arena *a,
    struct when now)
{
	struct finding f = { .cause = cause,
		.subject = name,
		.acts = cause_row(cause)->acts,
		.seen = STR("198.51.100.7"),
		.wanted = STR("203.0.113.10"),
		.copy = STR("203.0.113.10"),
		.first_seen = now,
		.last_seen = now,
		.next_look = when_plus(now, SPAN_H(1)),
		.told_at = WHEN_UNKNOWN,
		.times_seen = 1 };
	struct site site;
	enum err e = store_site_load(s, id, a, &site);

	if (e != ERR_OK)
		return e;
	site.findings = (struct finding_list){ .at = &f, .n = 1, .cap = 1 };
	return store_site_save(s, &site, now);
}

/* A certificate that has been held for some days. */
static enum err
add_certificate(struct store *s, int64_t n, int64_t id, struct arena *a)
{
	const struct when from = { START_S - n / 10 % 90 * 86400 }, to = when_plus(from, SPAN_D(90));
	struct certificate_row row = { .site_id = id, .info = { .not_before = from, .not_after = to, .serial = STR("1"), .issuer = STR("bench") },
		.chain_pem = STR("-"), .sealed_key = STR("-"), .created = from };
	struct site site;
	int64_t held;
	enum err e = store_site_load(s, id, a, &site);

	if (e != ERR_OK)
		return e;
	row.info.names = &site.names[0].name;
	row.info.names_n = 1;
	memcpy(row.info.fingerprint, &n, sizeof n);
	e = store_certificate_put(s, &row, &held);
	if (e != ERR_OK)
		return e;
	site.held = (struct held){ .id = held, .life = { from, to }, .is_live = true };
	memcpy(site.held.fingerprint, &n, sizeof n);
	site.names[0].is_held = true;
	return store_site_save(s, &site, from);
}

/* Of each tenth site somebody did something, and of each thousandth a letter was not taken. */
static enum err
add_traces(struct store *s, int64_t n, int64_t id, struct str name, struct arena *a, struct when now)
{
	const struct audit_row row = { .at = now,
		.who = mail_of(n / 300, a),
		.role = STR("owner"),
		.address = STR("198.51.100.7"),
		.action = n % 20 == 0 ? STR("site_renew") : STR("site_check_again"),
		.object = name };
	const struct letter_row letter = { .site_id = id,
		.kind = LETTER_ACT,
		.key = arena_strf(a, "bench/%lld", (long long)n),
		.to = mail_of(n / 3, a),
		.subject = name,
		.created = now,
		.next_try = WHEN_NEVER,
		.sent_at = WHEN_UNKNOWN,
		.tries = 9,
		.error = STR("550 5.1.1 no such mailbox") };
	enum err e = n % 10 == 0 ? store_audit_put(s, &row) : ERR_OK;

	return e == ERR_OK && n % 1000 == 0 ? store_letter_put(s, &letter) : e;
}

static enum err
add_site(struct store *s, int64_t n, struct arena *a)
{
	const struct when now = { START_S };
	const struct setting setting = { .source = n % 200 == 1 || n % 10 == 4 ? SOURCE_FREE : SOURCE_NONE,
		.coverage = COVERAGE_MULTI,
		.root = STR("/srv/www") };
	const struct owner_row owner = { .mail = mail_of(n / 3, a), .lang = STR("ja") };
	struct str names[2] = { name_of(n, a), STR_NONE };
	int64_t owner_id, id, other;
	enum err e = store_owner_put(s, &owner, now, &owner_id);

	names[1] = arena_strf(a, "www.%.*s", STR_ARG(names[0]));
	if (e == ERR_OK)
		e = store_site_add(s, owner_id, &setting, names, 2, now, &id, &other);
	if (e == ERR_OK && n % 100 == 7)
		e = add_finding(s, id, names[0],
		    n % 1000 == 7 ? CAUSE_DNS_CAA_FORBIDS : CAUSE_DNS_A_ELSEWHERE, a, now);
	if (e == ERR_OK && n % 10 == 4)
		e = add_certificate(s, n, id, a);
	if (e == ERR_OK)
		e = add_traces(s, n, id, names[0], a, now);
	return arena_failed(a) ? ERR_MEMORY : e;
}

static enum err
fill(const char *file, int64_t sites)
{
	const struct store_options o = { .file = file, .may_create = true };
	struct why why = { "" };
	struct store *s;
	struct arena a;
	enum err e = store_open(&o, &why, &s);

	if (e != ERR_OK)
		return e;
	arena_init(&a, 1 << 20);
	for (int64_t n = 0; e == ERR_OK && n < sites; n++) {
		if (n % COMMIT_EVERY == 0)
			e = store_begin(s);
		arena_clear(&a);
		if (e == ERR_OK)
			e = add_site(s, n, &a);
		if (e == ERR_OK && (n % COMMIT_EVERY == COMMIT_EVERY - 1 || n == sites - 1))
			e = store_commit(s);
	}
	if (e != ERR_OK)
		fprintf(stderr, "api: %s: %s\n", err_name(e), store_words(s));
	arena_fini(&a);
	store_close(&s);
	return e;
}

/* --- the questions --- */

enum question {
	SEARCH_RARE,
	SEARCH_COMMON,
	SEARCH_SHORT,
	SEARCH_MAIL,
	SEARCH_JAPANESE,
	SEARCH_AND_SHOW,
	SHOW_OWNER,
	SHOW_PROGRESS,
	SHOW_FINE,
	BY_CAUSE,
	BY_OWNER,
	PAGE,
	SITE,
	OVERVIEW,
	ALARMS,
	LETTERS,
	AUDIT,
	AUDIT_WHO,
	AUDIT_SITE,
	STATUS,
	QUESTIONS
};
static const char *const question_names[QUESTIONS] = { "search_rare", "search_common",
	"search_short", "search_mail", "search_japanese", "search_and_show", "show_owner",
	"show_progress", "show_fine", "by_cause", "by_owner", "page", "site", "overview", "alarms", "letters",
	"audit", "audit_who", "audit_site", "status" };

/* The path of one question; a page somewhere in the middle where the list is in order of names. */
static struct str
path_of(enum question q, int64_t sites, uint64_t *state, struct arena *a)
{
	long long n = (long long)(next_number(state) % (uint64_t)sites);
	const char *one = words[next_number(state) % WORDS],
		   *two = words[next_number(state) % WORDS];

	switch (q) {
	case SEARCH_RARE:
		return arena_strf(a, "/sites?limit=50&search=%s%lld", one, n);
	case SEARCH_COMMON:
		return arena_strf(a, "/sites?limit=50&search=%s&after=%%23%lld", one, n);
	case SEARCH_SHORT:
		return arena_strf(a, "/sites?limit=50&search=%.2s", one);
	case SEARCH_MAIL:
		return arena_strf(a, "/sites?limit=50&search=%lld%%40mail", n / 3);
	case SEARCH_JAPANESE:
		return arena_strf(a, "/sites?limit=50&search=%%E3%%81%%AE%%E5%%BA%%97%lld", n);
	case SEARCH_AND_SHOW:
		return arena_strf(a, "/sites?limit=50&search=%s-%s&show=owner", one, two);
	case SHOW_OWNER:
		return arena_strf(a, "/sites?limit=50&show=owner&after=%s.jp", one);
	case SHOW_PROGRESS:
		return arena_strf(a, "/sites?limit=50&show=progress&after=%s.jp", one);
	case SHOW_FINE:
		return arena_strf(a, "/sites?limit=50&show=fine&after=%s.jp", one);
	case BY_CAUSE:
		return arena_strf(a, "/sites?limit=50&cause=dns.a.elsewhere&after=%%23%lld", n);
	case BY_OWNER:
		return arena_strf(a, "/sites?limit=50&owner=%.*s", STR_ARG(mail_of(n / 3, a)));
	case PAGE:
		return arena_strf(a, "/sites?limit=50&after=%s.jp", one);
	case SITE:
		return arena_strf(a, "/sites/%.*s", STR_ARG(name_of(n, a)));
	case OVERVIEW:
		return STR("/overview");
	case ALARMS:
		return STR("/alarms");
	case LETTERS:
		return arena_strf(a, "/letters?limit=50&before=%lld", n / 1000 + 51);
	case AUDIT:
		return arena_strf(a, "/audit?limit=50&before=%lld", n / 10 + 51);
	case AUDIT_WHO:
		return arena_strf(a, "/audit?limit=50&action=site_renew&who=%.*s", STR_ARG(mail_of(n / 300, a)));
	case AUDIT_SITE:
		return arena_strf(a, "/audit?limit=50&object=%.*s", STR_ARG(name_of(n - n % 10, a)));
	case STATUS:
		return STR("/status");
	case QUESTIONS:
		break;
	}
	abort();
}

static int
connect_to(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
		fprintf(stderr, "api: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	return fd;
}

/* Reads one answer to its end: the head, then as many bytes as it says. */
static bool
read_answer(int fd, char *room)
{
	size_t got = 0, wanted = 0;

	while (wanted == 0 || got < wanted) {
		ssize_t n = read(fd, room + got, ANSWER_BYTES - 1 - got);
		const char *end, *length;

		if (n <= 0)
			return false;
		got += (size_t)n;
		room[got] = '\0';
		end = wanted == 0 ? strstr(room, "\r\n\r\n") : NULL;
		length = end == NULL ? NULL : strcasestr(room, "content-length:");
		if (length != NULL)
			wanted = (size_t)(end + 4 - room) + strtoul(length + 15, NULL, 10);
	}
	return strncmp(room, "HTTP/1.1 200", 12) == 0;
}

/* One person: every question in turn. */
static int
ask_all(const char *socket_path, int64_t sites, uint64_t seed, double (*ret)[ASKED])
{
	char *room = malloc(ANSWER_BYTES);
	int fd = connect_to(socket_path);
	struct arena a;

	if (room == NULL)
		return 1;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ASKED; i++)
		for (enum question q = 0; q < QUESTIONS; q++) {
			struct str path, request;
			double begun = now_ms();

			arena_clear(&a);
			path = path_of(q, sites, &seed, &a);
			request = arena_strf(&a,
			    "GET /api/v1%.*s HTTP/1.1\r\nHost: koshin\r\n\r\n", STR_ARG(path));
			if (write(fd, request.p, request.n) != (ssize_t)request.n ||
			    !read_answer(fd, room)) {
				fprintf(stderr, "api: %s: %.300s\n", path.p, room);
				return 1;
			}
			ret[q][i] = now_ms() - begun;
		}
	return 0;
}

static int
by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
print(const char *name, double *at, size_t n)
{
	qsort(at, n, sizeof *at, by_size);
	printf("%s_p50_ms %.3f\n%s_p99_ms %.3f\n", name, at[n / 2], name, at[n * 99 / 100]);
}

static void
print_all(double (*ms)[QUESTIONS][ASKED])
{
	static double one[PEOPLE * ASKED], all[PEOPLE * ASKED * QUESTIONS];
	size_t all_n = 0;

	for (size_t q = 0; q < QUESTIONS; q++) {
		for (size_t p = 0; p < PEOPLE; p++)
			memcpy(one + p * ASKED, ms[p][q], sizeof ms[p][q]);
		memcpy(all + all_n, one, sizeof one);
		all_n += PEOPLE * ASKED;
		print(question_names[q], one, PEOPLE * ASKED);
	}
	print("all", all, all_n);
}

/* The renewals to come, as the watchdog counts them, and in the file from which the overview has them. */
static enum err
foresee(const char *file, const char *folder)
{
	const struct store_options o = { .file = file, .is_readonly = true };
	static struct watch w;
	struct why why = { "" };
	struct store *s;
	char kept[4096];
	double begun = now_ms();
	int64_t last = 0;
	enum err e = store_open(&o, &why, &s);

	watch_init(&w);
	w.at = (struct when){ START_S };
	forecast_begin(&w.forecast, w.at, SPAN_H(9));
	do {
		if (e == ERR_OK)
			e = store_plans(s, last, 50000, SPAN_H(9), &w.forecast, &last);
	} while (e == ERR_OK && last != 0);
	store_close(&s);
	printf("forecast_s %.3f\n", (now_ms() - begun) / 1e3);
	(void)fflush(stdout);
	(void)snprintf(kept, sizeof kept, "%s/%s", folder, ALARMS_FILE);
	return e == ERR_OK ? alarms_write(kept, &w) : e;
}

static int
ask(const struct config *config, int64_t sites)
{
	const size_t size = sizeof(double[PEOPLE][QUESTIONS][ASKED]);
	double(*ms)[QUESTIONS][ASKED] =
	    mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0, failed = 0;

	if (ms == MAP_FAILED)
		return 1;
	for (size_t p = 0; p < PEOPLE; p++) {
		pid_t child = fork();

		if (child == 0)
			_exit(ask_all(config->web.socket, sites, 7919 * (p + 1), ms[p]));
		failed |= child < 0;
	}
	for (size_t p = 0; p < PEOPLE; p++)
		failed |= wait(&status) < 0 || status != 0;
	if (failed == 0)
		print_all(ms);
	return failed;
}

int
main(int argc, char **argv)
{
	char text[8192], file[4096];
	struct why why = { "" };
	struct config *config;
	int64_t sites;
	int ready[2], failed;
	char byte;

	if (argc != 3 || !str_to_int(str_of(argv[1]), &sites) || sites < 1) {
		fprintf(stderr, "usage: api SITES FOLDER\n");
		return 2;
	}
	(void)snprintf(file, sizeof file, "%s/koshin.db", argv[2]);
	(void)snprintf(text, sizeof text,
	    "server: {addresses: [203.0.113.10]}\ncas: [{directory: "
	    "\"https://ca.example/dir\"}]\nstate_folder: \"%s\"\nrun_folder: \"%s\"\n"
	    "web: {listen: [\"127.0.0.1:18402\"]}\n",
	    argv[2], argv[2]);
	if (config_parse(str_of(text), "bench", &why, &config) != ERR_OK || pipe(ready) != 0) {
		fprintf(stderr, "api: %s\n", why.text);
		return 1;
	}
	double begun = now_ms();
	if (access(file, F_OK) != 0 && fill(file, sites) != ERR_OK)
		return 1;
	printf("fill_s %.3f\n", (now_ms() - begun) / 1e3);
	(void)fflush(stdout);
	if (foresee(file, argv[2]) != ERR_OK)
		return 1;
	pid_t web = fork();
	if (web == 0)
		_exit(web_run(&(struct web_options){ .config = config,
		    .fd_keeper = -1,
		    .fd_wake = -1,
		    .fd_news = -1,
		    .fd_ready = ready[1] }));
	(void)close(ready[1]);
	failed = web < 0 || read(ready[0], &byte, 1) != 1;
	/* The load is waited for by wait(): the web process has to be there still, and is not one of them. */
	if (failed == 0)
		failed = ask(config, sites);
	(void)kill(web, SIGTERM);
	(void)waitpid(web, NULL, 0);
	config_free(&config);
	return failed;
}
