#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sqlite3.h>
#include "sim/scenario.h"
#include "test/unit/like.h"
#include "test/unit/sweep_story.h"

/*
 * The allocation sweep: memory is short once, at the Nth allocation of the engine and its ports, for N = 1, 2, … until a
 * run passes untouched; and the same for the allocations of SQLite. The linker puts these functions in the place of the
 * C library's (Makefile: --wrap). Each time nothing crashes, nothing leaks, the store is sound, and the story, whose
 * engine is started anew where it gave up, ends as it always does.
 */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void __real_free(void *p);
void *__real_arena_get(struct arena *a, size_t n);
struct str __real_arena_str(struct arena *a, struct str s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
void __wrap_free(void *p);
void *__wrap_arena_get(struct arena *a, size_t n);
struct str __wrap_arena_str(struct arena *a, struct str s);
__attribute__((format(printf, 2, 3))) struct str __wrap_arena_strf(struct arena *a, const char *fmt, ...);

/* Whose memory is short. An arena's pieces are swept for themselves: one in a thousand asks the C library for a block. */
enum heap { HEAP_OURS, HEAP_ARENA, HEAP_SQLITE, HEAP_COUNT };
static const struct {
	const char *words;
	size_t stride, stride_full;
} heaps[HEAP_COUNT] = {
	[HEAP_OURS] = { "allocations", 31, 1 },
	[HEAP_ARENA] = { "allocations in arenas", 97, 5 },
	[HEAP_SQLITE] = { "allocations of sqlite", 997, 97 },
};

/* One sweep at a time, and no thread: what is counted, and when it fails. */
static struct {
	const struct sim *sim; /* NULL: nothing is counted */
	size_t left;	       /* goes down with each allocation; the fault comes at nothing */
	bool has_come;
	enum heap heap;
	int64_t blocks; /* of ours that are not freed */
} memory;

static bool
is_short(enum heap heap)
{
	if (memory.sim == NULL || !memory.sim->is_in_turn || memory.heap != heap || memory.left == 0 || --memory.left > 0)
		return false;
	memory.has_come = true;
	return true;
}

static void *
counted(void *p)
{
	memory.blocks += p != NULL;
	return p;
}

void *
__wrap_malloc(size_t n)
{
	return is_short(HEAP_OURS) ? NULL : counted(__real_malloc(n));
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return is_short(HEAP_OURS) ? NULL : counted(__real_calloc(n, size));
}

void *
__wrap_realloc(void *p, size_t n)
{
	if (is_short(HEAP_OURS))
		return NULL;
	return p == NULL ? counted(__real_realloc(p, n)) : __real_realloc(p, n);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	if (is_short(HEAP_OURS))
		return NULL;
	return p == NULL ? counted(__real_reallocarray(p, n, size)) : __real_reallocarray(p, n, size);
}

char *
__wrap_strdup(const char *s)
{
	return is_short(HEAP_OURS) ? NULL : counted(__real_strdup(s));
}

char *
__wrap_strndup(const char *s, size_t n)
{
	return is_short(HEAP_OURS) ? NULL : counted(__real_strndup(s, n));
}

void
__wrap_free(void *p)
{
	memory.blocks -= p != NULL;
	__real_free(p);
}

/* --- arenas' --- */

void *
__wrap_arena_get(struct arena *a, size_t n)
{
	if (!is_short(HEAP_ARENA))
		return __real_arena_get(a, n);
	a->failed = true;
	return NULL;
}

struct str
__wrap_arena_str(struct arena *a, struct str s)
{
	if (!is_short(HEAP_ARENA))
		return __real_arena_str(a, s);
	a->failed = true;
	return STR_NONE;
}

struct str
__wrap_arena_strf(struct arena *a, const char *fmt, ...)
{
	char line[4096];
	va_list ap;

	if (is_short(HEAP_ARENA)) {
		a->failed = true;
		return STR_NONE;
	}
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	assert_in_range(n, 0, sizeof line - 1);
	return __real_arena_str(a, (struct str){ line, (size_t)n });
}

/* --- SQLite's --- */

static sqlite3_mem_methods sqlite;

static void *
sqlite_malloc(int n)
{
	return is_short(HEAP_SQLITE) ? NULL : sqlite.xMalloc(n);
}

static void *
sqlite_realloc(void *p, int n)
{
	return is_short(HEAP_SQLITE) ? NULL : sqlite.xRealloc(p, n);
}

static int
set_up(void **state)
{
	sqlite3_mem_methods ours;

	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite) != SQLITE_OK)
		return -1;
	ours = sqlite;
	ours.xMalloc = sqlite_malloc;
	ours.xRealloc = sqlite_realloc;
	/* Without its store of small pieces every allocation is one of ours. */
	bool is_ours = sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) == SQLITE_OK &&
		       sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) == SQLITE_OK &&
		       /* Begun here, or the store would have it not count. */
		       sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 1) == SQLITE_OK && sqlite3_initialize() == SQLITE_OK;
	return is_ours ? like_open(state) : -1;
}

/* --- the sweep --- */

static void
before(struct sim *s, void *arg)
{
	(void)arg;
	memory.sim = s;
}

static int
by_subject(const void *a, const void *b)
{
	return strcmp(((const struct sim_letter *)a)->subject, ((const struct sim_letter *)b)->subject);
}

/* How the world is at the end: what visitors get, what people have read, what the CA knows of us. */
static void
tell(struct sim *s, struct buf *text)
{
	AUTO_ARENA a = { .max = LIMIT_TURN_BYTES };
	struct ca_row *cas;
	size_t n;

	for (size_t i = 0; i < s->webs_n; i++)
		for (size_t k = 0; k < s->webs[i].vhosts_n; k++)
			buf_putf(text, "%s, certificate %d, redirect %d, hsts %d\n", s->webs[i].vhosts[k].name,
			    s->webs[i].vhosts[k].certificate > 0, s->webs[i].vhosts[k].redirect,
			    s->webs[i].vhosts[k].hsts_age_s > 0);
	/* Two letters of one minute may change places when one of them is sent again. */
	qsort(s->letters, s->letters_n, sizeof *s->letters, by_subject);
	for (size_t i = 0; i < s->letters_n; i++)
		buf_putf(text, "to %s: %s\n", s->letters[i].to, s->letters[i].subject);
	assert_int_equal(store_cas(s->store, &a, &cas, &n), ERR_OK);
	for (size_t i = 0; i < n; i++)
		buf_putf(text, "%.*s %.*s %.*s %.*s\n", STR_ARG(cas[i].name), STR_ARG(cas[i].directory),
		    STR_ARG(cas[i].account_url), STR_ARG(cas[i].caa_identity));
	assert_int_equal(text->err, ERR_OK);
}

/* The store is sound, and the world is as it is without a fault. */
static void
after(struct sim *s, void *arg)
{
	static char wanted[4096];
	AUTO_BUF lines = { .max = 4096 }, text = { .max = sizeof wanted - 1 };
	size_t *broken = arg;

	memory.sim = NULL;
	assert_true(sqlite3_memory_used() > 0); /* it counts */
	enum err err = store_verify(s->store, &lines);
	if (err != ERR_OK || lines.n > 0) {
		print_error("%s: %.*s\n", err_name(err), STR_ARG(buf_str(&lines)));
		++*broken;
	}
	tell(s, &text);
	if (!memory.has_come)
		memcpy(wanted, text.p, text.n + 1);
	else if (strcmp(wanted, text.p) != 0) {
		print_error("the end is\n%s, not\n%s", text.p, wanted);
		++*broken;
	}
}

/* True when the fault has come; otherwise the run was untouched. Counts the failures. */
static bool
play(enum heap heap, size_t n, size_t *failed)
{
	size_t broken = 0;
	const struct scenario_hooks hooks = { before, after, &broken, like };
	AUTO_BUF words = { .max = 1024 };
	struct why why = { "" };
	int64_t blocks = memory.blocks;
	sqlite3_int64 bytes = sqlite3_memory_used();

	memory.left = n;
	memory.has_come = false;
	memory.heap = heap;
	enum err err = scenario_play_with(str_of(story), "sweep", &hooks, &why, &words);
	memory.sim = NULL;
	buf_fini(&words);
	blocks = memory.blocks - blocks;
	bytes = sqlite3_memory_used() - bytes;
	if (err != ERR_OK)
		print_error("%s, number %zu: %s\n", heaps[heap].words, n, why.text);
	if (blocks != 0 || bytes != 0)
		print_error("%s, number %zu: %lld blocks and %lld bytes of SQLite's leaked\n", heaps[heap].words, n,
		    (long long)blocks, (long long)bytes);
	*failed += err != ERR_OK || broken > 0 || blocks != 0 || bytes != 0;
	return memory.has_come;
}

/* ./check takes more than the quick run does. KOSHIN_SWEEP_AT=N: this one alone. */
static void
sweep(enum heap heap)
{
	size_t stride = getenv("KOSHIN_SWEEP") != NULL ? heaps[heap].stride_full : heaps[heap].stride;
	size_t n = 1, passed = 0, failed = 0;
	const char *only = getenv("KOSHIN_SWEEP_AT");

	if (only != NULL) {
		(void)play(heap, (size_t)strtoul(only, NULL, 10), &failed);
		assert_int_equal(failed, 0);
		return;
	}
	assert_false(play(heap, 0, &failed));
	for (; play(heap, n, &failed); n += stride)
		passed++;
	passed -= failed;
	printf("# one in %zu of about %zu allocations\n", stride, n - 1);
	printf("%s: %zu passed, %zu failed\n", heaps[heap].words, passed, failed);
	assert_true(passed > 0);
	assert_int_equal(failed, 0);
}

static void
test_ours(void **state)
{
	(void)state;
	sweep(HEAP_OURS);
}

static void
test_arenas(void **state)
{
	(void)state;
	sweep(HEAP_ARENA);
}

static void
test_sqlite(void **state)
{
	(void)state;
	sweep(HEAP_SQLITE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_arenas),
		cmocka_unit_test(test_sqlite),
	};

	return cmocka_run_group_tests(tests, set_up, like_close);
}
