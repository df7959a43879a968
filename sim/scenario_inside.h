#ifndef KOSHIN_SIM_SCENARIO_INSIDE_H
#define KOSHIN_SIM_SCENARIO_INSIDE_H
/* What the files of the scenario runner share; nobody else includes it. */
#include "sim/scenario.h"

enum { SITES_MAX = 512, WORDS_MAX = 24 };

struct player {
	struct sim *sim;
	const char *file;
	size_t line;
	struct why *why;
	const struct scenario_hooks *hooks;
	struct {
		char word[32];
		int64_t id;
	} sites[SITES_MAX];
	size_t sites_n;
	unsigned orders_claimed;
	bool orders_spoken_of;
	bool letters_claimed[SITES_MAX][LETTER_COUNT];
};
/* One statement, cut at spaces; quotes hold words together. */
struct words {
	struct str at[WORDS_MAX];
	size_t n;
};

/* An error with file and line: what was expected there. */
enum err scenario_wrong(const struct player *p, const char *expected, struct str got);
/* Is word i this one? And word i itself. */
bool scenario_is(const struct words *w, size_t i, const char *word);
struct str scenario_word(const struct words *w, size_t i);
/* Words from `at` on: an operator and a value, held against what is. */
enum err scenario_expect_number(const struct player *p, const char *what, const struct words *w, size_t at, int64_t got);
enum err scenario_expect_word(const struct player *p, const char *what, const struct words *w, size_t at, struct str got);
/* "90d", "160h", "10m", "30s". */
enum err scenario_read_span(const struct player *p, struct str s, struct span *ret);
/* The same by their short names: they stand on every line. */
static inline enum err
wrong(const struct player *p, const char *expected, struct str got)
{
	return scenario_wrong(p, expected, got);
}
static inline bool
is(const struct words *w, size_t i, const char *what)
{
	return scenario_is(w, i, what);
}
static inline struct str
word(const struct words *w, size_t i)
{
	return scenario_word(w, i);
}
static inline enum err
read_span(const struct player *p, struct str s, struct span *ret)
{
	return scenario_read_span(p, s, ret);
}
static inline enum err
expect_number(const struct player *p, const char *what, const struct words *w, size_t at, int64_t got)
{
	return scenario_expect_number(p, what, w, at, got);
}
static inline enum err
expect_word(const struct player *p, const char *what, const struct words *w, size_t at, struct str got)
{
	return scenario_expect_word(p, what, w, at, got);
}
/* "2026-03-01T00:00Z" or "2026-03-01". */
enum err scenario_read_date(const struct player *p, struct str s, struct when *ret);
/* The place of the site that goes by this word. */
enum err scenario_site_of(const struct player *p, struct str w, size_t *ret);
/* Is this one meant by "h1", or by a pattern such as "h*"? */
bool scenario_is_meant(const struct player *p, size_t i, struct str pattern);
/* The site as the store has it, into a. */
enum err scenario_load(const struct player *p, size_t i, struct arena *a, struct site *ret);
/* scenario_expect.c: "expect …". */
enum err scenario_do_expect(struct player *p, const struct words *w);
/* scenario_ca.c: one statement of "config { … }"; arg is not used. */
enum err scenario_do_config(struct player *p, const struct words *w, void *arg);
/* One statement of "ca NAME { … }"; expect ca … */
enum err scenario_do_ca(struct player *p, struct sim_ca *ca, const struct words *w);
enum err scenario_expect_ca(struct player *p, const struct words *w);
#endif
