#include "http/files.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum encoding { PLAIN, GZIP, BROTLI, ENCODING_COUNT };
static const struct {
	const char *ending, *word;
} encodings[ENCODING_COUNT] = { { "", "identity" }, { ".gz", "gzip" }, { ".br", "br" } };
static const char assets[] = "assets/";

/* A kind of file that is not here is not handed out: nobody would know what a browser makes of it. */
static const struct {
	const char *ending, *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".json", "application/json" },
	{ ".svg", "image/svg+xml" },
	{ ".png", "image/png" },
	{ ".ico", "image/x-icon" },
	{ ".webmanifest", "application/manifest+json" },
	{ ".txt", "text/plain; charset=utf-8" },
};

struct content {
	char *p; /* NULL: not there in this encoding */
	size_t n;
};
struct file {
	char *
	    name; /* "index.html", "assets/app-1a2b3c.js": without the ending of its encoding */
	const char *type;
	struct content body[ENCODING_COUNT];
};
struct files {
	struct file at[FILES_MAX];
	size_t n, bytes;
	size_t index;
};

static const char *
type_of(struct str name)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (str_ends(name, str_of(types[i].ending)))
			return types[i].type;
	return NULL;
}

/* f->n: there is none. */
static size_t
find(const struct files *f, struct str name)
{
	size_t i = 0;

	while (i < f->n && !str_eq(str_of(f->at[i].name), name))
		i++;
	return i;
}

static enum err
read_all(int fd, size_t n, struct content *ret)
{
	char *p = malloc(n + 1); /* no file is empty for malloc */
	size_t got = 0;

	if (p == NULL)
		return ERR_MEMORY;
	while (got < n) {
		ssize_t r = read(fd, p + got, n - got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0) {
			free(p);
			return ERR_IO;
		}
		got += (size_t)r;
	}
	*ret = (struct content){ p, n };
	return ERR_OK;
}

/* Takes the bytes of one file that is open. */
static enum err
keep(struct files *f, struct str name, int fd, size_t size)
{
	enum encoding e = str_ends(name, STR(".br"))   ? BROTLI
			  : str_ends(name, STR(".gz")) ? GZIP
						       : PLAIN;
	size_t at;
	enum err err;

	name.n -= strlen(encodings[e].ending);
	if (type_of(name) == NULL)
		return ERR_OK;
	if (f->bytes + size > FILES_BYTES_MAX)
		return ERR_TOO_LONG;
	at = find(f, name);
	if (at == FILES_MAX)
		return ERR_FULL;
	if (at == f->n) {
		f->at[at] =
		    (struct file){ .name = strndup(name.p, name.n), .type = type_of(name) };
		if (f->at[at].name == NULL)
			return ERR_MEMORY;
		f->n++;
	}
	err = read_all(fd, size, &f->at[at].body[e]);
	if (err == ERR_OK)
		f->bytes += size;
	return err;
}

/* prefix: "" or "assets/" */
static enum err
read_one(struct files *f, int folder, const char *prefix, const char *name)
{
	struct stat st;
	char whole[512];
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	enum err err = ERR_OK;

	if (fd < 0)
		return errno == ELOOP ? ERR_OK : ERR_IO;
	if (fstat(fd, &st) != 0)
		err = ERR_IO;
	else if (S_ISREG(st.st_mode) &&
		 snprintf(whole, sizeof whole, "%s%s", prefix, name) < (int)sizeof whole)
		err = keep(f, str_of(whole), fd, (size_t)st.st_size);
	(void)close(fd);
	return err;
}

/* Takes the descriptor. */
static enum err
read_folder(struct files *f, int fd, const char *prefix)
{
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	enum err err = ERR_OK;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return ERR_IO;
	}
	for (;;) {
		const struct dirent *entry = readdir(d);

		if (entry == NULL || err != ERR_OK)
			break;
		if (entry->d_name[0] != '.')
			err = read_one(f, dirfd(d), prefix, entry->d_name);
	}
	(void)closedir(d);
	return err;
}

enum err
files_open(const char *folder, struct why *why, struct files **ret)
{
	struct files *f = calloc(1, sizeof *f);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int below =
	    fd < 0 ? -1 : openat(fd, "assets", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	enum err err = f == NULL ? ERR_MEMORY : fd < 0 ? ERR_NOT_FOUND : ERR_OK;

	if (err == ERR_OK) {
		err = read_folder(f, fd, "");
		fd = -1;
	}
	if (err == ERR_OK && below >= 0) {
		err = read_folder(f, below, assets);
		below = -1;
	}
	if (fd >= 0)
		(void)close(fd);
	if (below >= 0)
		(void)close(below);
	if (err == ERR_OK) {
		f->index = find(f, STR("index.html"));
		err = f->index == f->n || f->at[f->index].body[PLAIN].p == NULL ? ERR_NOT_FOUND
										: ERR_OK;
	}
	if (err == ERR_OK) {
		*ret = f;
		return ERR_OK;
	}
	why_set(why, "%s: the files of the panel cannot be read: %s", folder,
	    err == ERR_NOT_FOUND ? "there is no index.html" : err_words(err));
	files_free(&f);
	return err;
}

void
files_free(struct files **f)
{
	if (*f == NULL)
		return;
	for (size_t i = 0; i < (*f)->n; i++) {
		free((*f)->at[i].name);
		for (size_t e = 0; e < ENCODING_COUNT; e++)
			free((*f)->at[i].body[e].p);
	}
	free(*f);
	*f = NULL;
}

/* RFC 9110 12.5.3, as far as servers and browsers use it: a word that is listed and not given the weight 0. */
static bool
is_accepted(struct str accepts, const char *word)
{
	while (accepts.n > 0) {
		struct str one = str_cut(&accepts, ','), coding = str_trim(str_cut(&one, ';'));
		struct str weight = str_trim(one);

		if (!str_eq_nocase(coding, str_of(word)))
			continue;
		if (!str_starts(weight, STR("q=0")))
			return true;
		for (size_t i = 3; i < weight.n; i++)
			if (weight.p[i] >= '1' && weight.p[i] <= '9')
				return true;
		return false;
	}
	return false;
}

static enum encoding
best_encoding(const struct file *file, struct str accepts)
{
	for (size_t e = ENCODING_COUNT; --e > PLAIN;)
		if (file->body[e].p != NULL && is_accepted(accepts, encodings[e].word))
			return (enum encoding)e;
	return PLAIN;
}

static void
give(const struct file *file, struct str accepts, bool is_asset, struct api_reply *ret)
{
	enum encoding e = best_encoding(file, accepts);

	ret->status = 200;
	ret->type = file->type;
	ret->lasting = file->body[e].p;
	ret->lasting_n = file->body[e].n;
	api_header(ret, "Cache-Control",
	    is_asset ? STR("public, max-age=31536000, immutable") : STR("no-cache"));
	api_header(ret, "Vary", STR("Accept-Encoding"));
	if (e != PLAIN)
		api_header(ret, "Content-Encoding", str_of(encodings[e].word));
}

void
files_answer(const struct files *f, struct str method, struct str path, struct str accepts,
    struct api_reply *ret)
{
	struct str name = { path.p + 1, path.n - 1 };
	bool is_asset = str_starts(name, str_of(assets));
	size_t at = find(f, name);

	ret->type = "text/plain";
	if (!str_eq(method, STR("GET")) && !str_eq(method, STR("HEAD"))) {
		ret->status = 405;
		api_header(ret, "Allow", STR("GET, HEAD"));
	} else if (at < f->n && f->at[at].body[PLAIN].p != NULL) {
		give(&f->at[at], accepts, is_asset, ret);
	} else if (is_asset) {
		ret->status =
		    404; /* of a version that is gone: a page of HTML would not do for a script */
	} else {
		give(&f->at[f->index], accepts, false, ret);
	}
}
