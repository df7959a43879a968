/*
 * What an installation costs while nothing is due: idle SITES FILE fills a store file with so many sites whose next
 * dates are a day away, and then prints what start-up, one turn of the engine and its memory cost.
 *
 * Store and engine are the real ones; the ports are those of the simulator, which cost nothing while nothing happens.
 * A child fills the store, so that its memory is not counted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "sim/world.h"

enum { TURNS = 2000, START_S = 1760000000 };

static double
seconds(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t); /* cannot fail for these clocks */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum err
add_site(struct sim *s, struct arena *a, int64_t owner_id, int64_t n)
{
	const struct setting setting = { .source = SOURCE_FREE,
		.coverage = COVERAGE_MULTI,
		.key_type = KEY_P256,
		.root = STR("/srv/www") };
	const struct str names[] = { arena_strf(a, "site%lld.example", (long long)n),
		arena_strf(a, "www.site%lld.example", (long long)n) };
	struct site site;
	int64_t id, other;
	enum err e = arena_failed(a) ? ERR_MEMORY
				     : store_site_add(s->store, owner_id, &setting, names, 2,
					   sim_now(s), &id, &other);

	if (e == ERR_OK)
		e = store_site_load(s->store, id, a, &site);
	if (e != ERR_OK)
		return e;
	/* Spread over a day, as the dates of real sites are. */
	site.wake = site.look_at = when_plus(sim_now(s), SPAN_S(86400 + n % 86400));
	site.checked_at = sim_now(s);
	return store_site_save(s->store, &site, sim_now(s));
}

static enum err
add_sites(struct sim *s, int64_t sites)
{
	const struct owner_row owner = { .mail = STR("owner@example.jp"), .lang = STR("ja") };
	struct arena a;
	int64_t owner_id;
	enum err e = store_begin(s->store);

	arena_init(&a, LIMIT_TURN_BYTES);
	if (e == ERR_OK)
		e = store_owner_put(s->store, &owner, sim_now(s), &owner_id);
	for (int64_t n = 0; e == ERR_OK && n < sites; n++) {
		arena_clear(&a);
		e = add_site(s, &a, owner_id, n);
	}
	arena_fini(&a);
	return e == ERR_OK ? store_commit(s->store) : e;
}

/* A world on the store in this file, with an engine that has not taken a turn. */
static enum err
open_world(const char *file, struct sim **ret)
{
	const struct store_options o = { .file = file, .may_create = true };
	struct why why = { "" };
	enum err e = sim_new((struct when){ START_S }, 1, NULL, ret);

	if (e != ERR_OK)
		return e;
	engine_free(&(*ret)->engine);
	store_close(&(*ret)->store);
	e = store_open(&o, &why, &(*ret)->store);
	return e == ERR_OK ? sim_crash(*ret) : e;
}

static enum err
fill(const char *file, int64_t sites)
{
	struct why why = { "" };
	struct sim *s = NULL;
	enum err e = open_world(file, &s);

	if (e == ERR_OK) /* the account at the CA is opened */
		e = sim_pass(s, SPAN_MIN(1), &why);
	if (e == ERR_OK)
		e = add_sites(s, sites);
	sim_free(&s);
	return e;
}

static long
resident_kib(void)
{
	char line[256];
	long kib = -1;
	FILE *f = fopen("/proc/self/status", "re");

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	if (f != NULL)
		(void)fclose(f);
	return kib;
}

static enum err
measure(const char *file)
{
	struct why why = { "" };
	struct sim *s = NULL;
	int64_t next_ms = 0;
	double begun = seconds(CLOCK_MONOTONIC);
	enum err e = open_world(file, &s);

	if (e == ERR_OK)
		e = engine_turn(s->engine, &why, &next_ms);
	printf("start_ms %.3f\n", (seconds(CLOCK_MONOTONIC) - begun) * 1e3);
	if (e == ERR_OK) /* the account is found again; then there is rest */
		e = sim_pass(s, SPAN_MIN(2), &why);
	uint64_t before = e == ERR_OK ? engine_count(s->engine).turns : 0;
	double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; e == ERR_OK && i < TURNS; i++)
		e = engine_turn(s->engine, &why, &next_ms);
	if (e == ERR_OK) {
		uint64_t turns = engine_count(s->engine).turns - before;

		printf("turn_us %.3f\n",
		    (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e6 / (double)turns);
		printf("next_ms %lld\nchecks %zu\nrss_kib %ld\n", (long long)next_ms,
		    engine_count(s->engine).checks, resident_kib());
	} else
		fprintf(stderr, "idle: %s: %s\n", err_words(e), why.text);
	sim_free(&s);
	return e;
}

int
main(int argc, char **argv)
{
	int64_t sites;
	int status = 0;

	if (argc != 3 || !str_to_int(str_of(argv[1]), &sites) || sites < 0) {
		fprintf(stderr, "usage: idle SITES FILE\n");
		return 2;
	}
	double begun = seconds(CLOCK_MONOTONIC);
	pid_t child = fork();
	if (child == 0)
		_exit(fill(argv[2], sites) == ERR_OK ? 0 : 1);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (child < 0 || status != 0) {
		fprintf(stderr, "idle: the store could not be filled\n");
		return 1;
	}
	printf("fill_s %.3f\n", seconds(CLOCK_MONOTONIC) - begun);
	return measure(argv[2]) == ERR_OK ? 0 : 1;
}
