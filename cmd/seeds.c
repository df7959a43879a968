#include "cmd/simulate.h"
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/must.h"

/*
 * koshin simulate --sites N --years Y --seeds A-B: one fleet for each seed, in several processes. A process that dies
 * over a seed (an assertion of koshin's own) is a broken promise like any other, and the seed is told.
 */

enum { JOBS_MAX = 64, TEXT_MAX = 16384 };

/* What a worker says of one seed; text follows. */
struct told {
	uint64_t seed;
	bool is_begun_only, is_broken;
	enum err err;
	struct fleet_tally tally;
	size_t text_n;
};
struct worker {
	pid_t pid;
	int from;
	uint64_t seed; /* under way */
	bool is_busy;
};

static bool
write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t done = write(fd, at, n);

		if (done < 0 && errno != EINTR)
			return false;
		at += done > 0 ? done : 0;
		n -= done > 0 ? (size_t)done : 0;
	}
	return true;
}

static bool
read_all(int fd, void *p, size_t n)
{
	char *at = p;

	while (n > 0) {
		ssize_t got = read(fd, at, n);

		if (got == 0 || (got < 0 && errno != EINTR))
			return false;
		at += got > 0 ? got : 0;
		n -= got > 0 ? (size_t)got : 0;
	}
	return true;
}

/* One seed, its words into `to`. */
static void
run_seed(const struct fleet_plan *plan, uint64_t seed, struct told *ret, struct buf *to)
{
	struct fleet_plan mine = *plan;
	struct fleet_report report;

	mine.seed = seed;
	*ret = (struct told){ .seed = seed };
	ret->err = fleet_run(&mine, &report);
	ret->is_broken = report.is_broken;
	fleet_tally_add(&ret->tally, &report);
	if (report.is_broken)
		buf_putf(to, "%.*s%s\n", STR_ARG(buf_str(&report.steps_kept)), report.broken.text);
	fleet_report_fini(&report);
	ret->text_n = to->n;
}

/* Each takes the next seed that nobody has taken, so that all end together however long a seed takes. After a broken one no
 * other begins; those below it have begun, and end: the first broken seed is the same whoever was quicker. */
_Noreturn static void
work(const struct fleet_plan *plan, const struct seeds *seeds, _Atomic(uint64_t) *next, int to)
{
	uint64_t seed;

	while ((seed = atomic_fetch_add(next, 1)) <= seeds->last) {
		struct told begun = { .seed = seed, .is_begun_only = true }, told;
		AUTO_BUF words = { .max = TEXT_MAX };

		if (!write_all(to, &begun, sizeof begun))
			break;
		run_seed(plan, seed, &told, &words);
		if (!write_all(to, &told, sizeof told) || !write_all(to, words.p, words.n))
			break;
		if (told.is_broken && !seeds->is_patient)
			atomic_store(next, seeds->last + 1);
	}
	_exit(0);
}

static bool
start(struct worker *w, const struct fleet_plan *plan, const struct seeds *seeds, _Atomic(uint64_t) *next)
{
	int ends[2];

	if (pipe(ends) != 0)
		return false;
	w->pid = fork();
	if (w->pid == 0) {
		(void)close(ends[0]);
		work(plan, seeds, next, ends[1]);
	}
	(void)close(ends[1]);
	w->from = ends[0];
	w->is_busy = w->pid > 0;
	return w->is_busy;
}

/* The next word of this worker. False: it has ended. */
static bool
hear(struct worker *w, struct seeds_result *r)
{
	struct told told;
	char text[TEXT_MAX + 1];

	if (!read_all(w->from, &told, sizeof told))
		return false;
	w->seed = told.seed;
	if (told.is_begun_only)
		return true;
	w->seed = UINT64_MAX;
	if (told.text_n > TEXT_MAX || !read_all(w->from, text, told.text_n))
		return false;
	r->seeds++;
	fleet_tally_join(&r->tally, &told.tally);
	if (told.err != ERR_OK)
		r->err = told.err;
	if (!told.is_broken)
		return true;
	if (r->broken++ == 0 || told.seed < r->first_broken) {
		r->first_broken = told.seed;
		buf_clear(&r->words);
		buf_put(&r->words, text, told.text_n);
	}
	return true;
}

static void
end(struct worker *w, struct seeds_result *r)
{
	int status = 0;

	(void)close(w->from);
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	w->is_busy = false;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	if (r->broken++ == 0 || w->seed < r->first_broken) {
		r->first_broken = w->seed;
		buf_clear(&r->words);
		buf_putf(&r->words, "seed %llu: an assertion of koshin's own failed (see above), or the process was killed\n",
		    (unsigned long long)w->seed);
	}
}

void
simulate_seeds(const struct fleet_plan *plan, const struct seeds *seeds, struct seeds_result *ret)
{
	struct worker workers[JOBS_MAX] = { { .pid = 0 } };
	size_t n = seeds->jobs < JOBS_MAX ? seeds->jobs : JOBS_MAX;
	_Atomic(uint64_t) *next = mmap(NULL, sizeof *next, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool is_any = true;

	*ret = (struct seeds_result){ .words = { .max = TEXT_MAX } };
	if (next == MAP_FAILED) {
		ret->err = ERR_MEMORY;
		return;
	}
	atomic_init(next, seeds->first);
	for (size_t i = 0; i < n; i++)
		if (!start(&workers[i], plan, seeds, next))
			ret->err = ERR_IO;
	/* Each is heard in turn: a seed takes about as long as any other. */
	while (is_any) {
		is_any = false;
		for (size_t i = 0; i < n; i++) {
			if (!workers[i].is_busy)
				continue;
			is_any = true;
			if (!hear(&workers[i], ret))
				end(&workers[i], ret);
		}
	}
	(void)munmap(next, sizeof *next);
}

void
seeds_result_fini(struct seeds_result *r)
{
	buf_fini(&r->words);
}
