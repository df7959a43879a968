#include "installer/workers.h"
#include <dirent.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include "base/limits.h"
#include "installer/files.h"

/* No event says that a title has changed. A look at two titles costs some 20 us. */
enum { LOOK_MS = 10, TITLE_BYTES_MAX = 8192, CHILDREN_BYTES_MAX = 8192 };

static bool
has_word(struct str title, struct str word)
{
	for (struct str rest = title; rest.p != NULL && word.n > 0;) {
		size_t at = str_find(rest, word);
		if (at >= rest.n)
			return false;
		bool begins = at == 0 || rest.p[at - 1] == ' ';
		bool ends = at + word.n == rest.n || rest.p[at + word.n] == ' ';

		if (begins && ends)
			return true;
		rest = (struct str){ rest.p + at + 1, rest.n - at - 1 };
	}
	return false;
}

/* nginx itself, by whatever path, or the unit or script of that name. */
static bool
is_nginx(struct str word)
{
	return str_eq(word, STR("nginx")) || str_eq(word, STR("nginx.service")) || str_ends(word, STR("/nginx"));
}

static bool
names_nginx(char *const *reload, size_t reload_n)
{
	for (size_t i = 0; i < reload_n; i++)
		if (is_nginx(str_of(reload[i])))
			return true;
	return false;
}

/* The title repeats the arguments of the start: where the reload names a file or a folder, it is the master that was given the same. */
bool
workers_title_is_master(struct str title, char *const *reload, size_t reload_n)
{
	static const char *const given[] = { "-c", "-p" };

	if (!str_starts(title, STR("nginx: master process ")) || !names_nginx(reload, reload_n))
		return false;
	for (size_t i = 0; i < reload_n; i++)
		for (size_t k = 0; k < sizeof given / sizeof *given; k++)
			if (i + 1 < reload_n && strcmp(reload[i], given[k]) == 0 &&
			    !has_word(title, str_of(reload[i + 1])))
				return false;
	return true;
}

bool
workers_title_takes(struct str title)
{
	return str_eq(title, STR("nginx: worker process"));
}

/* Up to the first NUL: nginx leaves what stood there before behind it. */
static enum err
read_title(const char *proc, int64_t pid, struct buf *b, struct str *ret)
{
	char path[PATH_MAX];

	buf_clear(b);
	enum err e = files_path(path, "%s/%" PRId64 "/cmdline", proc, pid);
	if (e == ERR_OK)
		e = files_read(path, b);
	if (e != ERR_OK)
		return e;
	struct str rest = buf_str(b);
	*ret = str_trim(str_cut(&rest, '\0'));
	return ERR_OK;
}

/* What cannot be read may take connections; what is gone does not. */
static bool
may_take(const char *proc, int64_t pid, struct buf *b)
{
	struct str title = STR_NONE;
	enum err e = read_title(proc, pid, b, &title);

	return e == ERR_OK ? workers_title_takes(title) : e != ERR_NOT_FOUND;
}

/* The only master that fits; 0 if there is none, or more than one. A machine may have thousands of processes: they are gone through only
 * for a command that names nginx. */
static int64_t
find_master(const char *proc, char *const *reload, size_t reload_n, struct buf *b)
{
	DIR *d = names_nginx(reload, reload_n) ? opendir(proc) : NULL;
	int64_t found = 0;
	size_t n = 0;

	for (const struct dirent *at; d != NULL && (at = readdir(d)) != NULL;) {
		struct str title;
		int64_t pid;

		if (!str_to_int(str_of(at->d_name), &pid) || pid <= 0 || read_title(proc, pid, b, &title) != ERR_OK ||
		    !workers_title_is_master(title, reload, reload_n))
			continue;
		found = pid;
		n++;
	}
	if (d != NULL)
		closedir(d);
	return n == 1 ? found : 0;
}

void
workers_note(struct workers *w, const char *proc, char *const *reload, size_t reload_n)
{
	char path[PATH_MAX];
	AUTO_BUF title = { .max = 0 }, children = { .max = 0 };

	w->proc = proc;
	w->old_n = 0;
	buf_init(&title, TITLE_BYTES_MAX);
	buf_init(&children, CHILDREN_BYTES_MAX);
	int64_t master = find_master(proc, reload, reload_n, &title);
	if (master == 0 ||
	    files_path(path, "%s/%" PRId64 "/task/%" PRId64 "/children", proc, master, master) != ERR_OK ||
	    files_read(path, &children) != ERR_OK)
		return;
	for (struct str rest = buf_str(&children); rest.p != NULL;) {
		int64_t pid;

		if (!str_to_int(str_trim(str_cut(&rest, ' ')), &pid) || !may_take(proc, pid, &title))
			continue;
		if (w->old_n == WORKERS_MAX) {
			w->old_n = 0;
			return;
		}
		w->old[w->old_n++] = pid;
	}
}

static bool
are_ended(const struct workers *w)
{
	AUTO_BUF title = { .max = 0 };

	buf_init(&title, TITLE_BYTES_MAX);
	for (size_t i = 0; i < w->old_n; i++)
		if (may_take(w->proc, w->old[i], &title))
			return false;
	return true;
}

bool
workers_await_end(const struct workers *w, const struct clock *clock, int64_t most_ms)
{
	int64_t end = clock_mono(clock).ms + most_ms;

	if (w->old_n == 0)
		return false;
	while (!are_ended(w)) {
		if (clock_mono(clock).ms >= end)
			return false;
		(void)poll(NULL, 0, LOOK_MS); /* cut short by a signal it looks earlier */
	}
	return true;
}
