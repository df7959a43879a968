#include "installer/liveset.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/must.h"
#include "base/point.h"

/* To be passed through, not listed: the names of customers are nobody's business. */
static const struct files_access folder_access = { 0711, FILES_NO_GROUP };
static const struct files_access public_access = { 0644, FILES_NO_GROUP };

enum { SET_FILES = 4, FOLDERS_OF_ONE_FINGERPRINT = 16 };
static const char *const set_files[SET_FILES] = { "fullchain.pem", "chain.pem", "cert.pem",
	"privkey.pem" };
enum { KEY_FILE = 3 }; /* the last one */

static const char unfinished[] = ".new"; /* a set that is being written */

bool
liveset_name_is_safe(struct str name)
{
	size_t label = 0;

	if (str_starts(name, STR("*."))) {
		name.p += 2;
		name.n -= 2;
	}
	if (name.n == 0 || name.n > LIMIT_NAME_BYTES)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char ch = name.p[i];
		bool is_edge = label == 0 || i + 1 == name.n || name.p[i + 1] == '.';

		if (ch == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') ||
			(ch == '-' && !is_edge)))
			return false;
		if (++label > LIMIT_LABEL_BYTES)
			return false;
	}
	return label > 0;
}

void
liveset_name_file(struct str name, char ret[256])
{
	must(liveset_name_is_safe(name));
	(void)snprintf(ret, 256, "%s%.*s", name.p[0] == '*' ? "_" : "",
	    (int)(name.n - (name.p[0] == '*')), name.p + (name.p[0] == '*'));
}

static bool
fingerprint_is_safe(struct str f)
{
	for (size_t i = 0; i < f.n; i++)
		if (!((f.p[i] >= '0' && f.p[i] <= '9') || (f.p[i] >= 'a' && f.p[i] <= 'f')))
			return false;
	return f.n >= 8 && f.n <= 64;
}

/* A set's name as we make it: nothing else is followed, listed or removed. */
static bool
set_name_is_safe(struct str name)
{
	struct str rest = name;
	int64_t n;

	if (!fingerprint_is_safe(str_cut(&rest, '.')))
		return false;
	return rest.p == NULL ||
	       (str_to_int(rest, &n) && n > 0 && n < FOLDERS_OF_ONE_FINGERPRINT);
}

static enum err
site_path(const struct liveset *l, int64_t site_id, const char *entry, char ret[PATH_MAX])
{
	if (site_id <= 0)
		return ERR_INVALID;
	return files_path(ret, "%s/sets/%" PRId64 "%s%s", l->folder, site_id,
	    *entry != '\0' ? "/" : "", entry);
}

enum err
liveset_make(const struct liveset *l, struct why *why)
{
	static const char *const parts[] = { "sets", "live" };
	char path[PATH_MAX];
	enum err e = files_make_path(l->files, l->folder, folder_access, why);

	for (size_t i = 0; e == ERR_OK && i < 2; i++) {
		e = files_path(path, "%s/%s", l->folder, parts[i]);
		if (e == ERR_OK)
			e = files_make_folder(l->files, path, folder_access, why);
	}
	return e;
}

enum err
liveset_make_site(const struct liveset *l, int64_t site_id, struct why *why)
{
	char path[PATH_MAX];
	enum err e = site_path(l, site_id, "", path);

	if (e != ERR_OK) {
		why_set(why, "a site's number is not valid");
		return e;
	}
	return files_make_folder(l->files, path, folder_access, why);
}

bool
liveset_has_site(const struct liveset *l, int64_t site_id)
{
	char path[PATH_MAX];

	return site_path(l, site_id, "", path) == ERR_OK && access(path, F_OK) == 0;
}

/* The current or previous set's name; empty without one, or if the link is not as we make it. */
static void
read_pointer(
    const struct liveset *l, int64_t site_id, const char *link, char ret[LIVESET_NAME_BYTES])
{
	char path[PATH_MAX], target[PATH_MAX];

	ret[0] = '\0';
	if (site_path(l, site_id, link, path) == ERR_OK &&
	    files_read_link(path, target) == ERR_OK && set_name_is_safe(str_of(target)))
		memcpy(ret, target,
		    strlen(target) + 1); /* a safe name is shorter than LIVESET_NAME_BYTES */
}

/* Splits a chain after its first certificate. */
static bool
split_chain(struct str fullchain, struct str *ret_cert, struct str *ret_chain)
{
	size_t end = str_find(fullchain, STR("-----END CERTIFICATE-----"));

	if (end == SIZE_MAX)
		return false;
	end += sizeof "-----END CERTIFICATE-----" - 1;
	while (end < fullchain.n && (fullchain.p[end] == '\r' || fullchain.p[end] == '\n'))
		end++;
	*ret_cert = (struct str){ fullchain.p, end };
	*ret_chain = (struct str){ fullchain.p + end, fullchain.n - end };
	return true;
}

static struct files_access
key_access(const struct liveset *l)
{
	return (struct files_access){ l->group == FILES_NO_GROUP ? 0600 : 0640, l->group };
}

/* Just these files, and the key readable by just those who shall read it. */
static bool
set_is_whole(const struct liveset *l, const char *folder, const struct str *bytes)
{
	struct files_access access = key_access(l);
	char path[PATH_MAX];
	struct stat st;

	for (size_t i = 0; i < SET_FILES; i++)
		if (files_path(path, "%s/%s", folder, set_files[i]) != ERR_OK ||
		    !files_hold(path, bytes[i]))
			return false;
	return lstat(path, &st) == 0 && (st.st_mode & 07777) == access.mode &&
	       (access.group == FILES_NO_GROUP || st.st_gid == access.group);
}

static enum err
fill_folder(
    const struct liveset *l, const char *folder, const struct str *bytes, struct why *why)
{
	char path[PATH_MAX];
	enum err e = files_make_folder(l->files, folder, folder_access, why);

	for (size_t i = 0; e == ERR_OK && i < SET_FILES; i++) {
		POINT("installer.set.file");
		e = files_path(path, "%s/%s", folder, set_files[i]);
		if (e == ERR_OK)
			e = files_write(l->files, path, bytes[i],
			    i == KEY_FILE ? key_access(l) : public_access, why);
	}
	if (e == ERR_OK)
		e = files_sync(l->files, folder, why);
	return e;
}

/*
 * The first name of this fingerprint that is free, or whose folder holds just these files. (A folder whose files differ
 * was changed by somebody; it may be live, so it is left alone.)
 */
static enum err
choose_name(const struct liveset *l, int64_t site_id, struct str fingerprint,
    const struct str *bytes, char ret_name[LIVESET_NAME_BYTES], bool *ret_is_there)
{
	char path[PATH_MAX], name[LIVESET_NAME_BYTES];
	struct stat st;

	for (int i = -1; i < FOLDERS_OF_ONE_FINGERPRINT; i++) {
		/* The current one first: what is right stays as it is. */
		if (i < 0)
			read_pointer(l, site_id, "current", name);
		else if (i == 0)
			(void)snprintf(name, sizeof name, "%.*s", STR_ARG(fingerprint));
		else
			(void)snprintf(name, sizeof name, "%.*s.%d", STR_ARG(fingerprint), i);
		enum err e = site_path(l, site_id, name, path);
		if (e != ERR_OK)
			return e;
		bool is_there = *name != '\0' && lstat(path, &st) == 0;
		if (is_there ? !set_is_whole(l, path, bytes) : i < 0)
			continue;
		memcpy(ret_name, name, sizeof name);
		*ret_is_there = is_there;
		return ERR_OK;
	}
	return ERR_LIMITED;
}

/* One that was found: whoever wrote it may have been ended before it was synced. */
static enum err
sync_folder(const struct liveset *l, const char *folder, const char *parent, struct why *why)
{
	char path[PATH_MAX];
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < SET_FILES; i++) {
		e = files_path(path, "%s/%s", folder, set_files[i]);
		if (e == ERR_OK)
			e = files_sync(l->files, path, why);
	}
	if (e == ERR_OK)
		e = files_sync(l->files, folder, why);
	return e == ERR_OK ? files_sync(l->files, parent, why) : e;
}

/* Fills a folder under another name, and gives it its own. */
static enum err
write_folder(const struct liveset *l, int64_t site_id, const char *final,
    const struct str *files, struct why *why)
{
	char folder[PATH_MAX], parent[PATH_MAX];
	enum err e = site_path(l, site_id, unfinished, folder);

	if (e != ERR_OK)
		return e;
	(void)files_remove_folder(
	    l->files, folder); /* of a process that was ended here; if it stays, mkdir tells */
	files_parent(folder, parent);
	e = fill_folder(l, folder, files, why);
	POINT("installer.set.filled");
	if (e == ERR_OK && l->files->rename(l->files->ctx, folder, final) != 0)
		e = files_fail(why, "rename to", final, errno);
	if (e != ERR_OK) {
		(void)files_remove_folder(
		    l->files, folder); /* a full disk needs the room; nobody reads it */
		return e;
	}
	if (l->files->later != NULL)
		e = unsynced_move(l->files->later, folder, final);
	return e == ERR_OK ? files_sync(l->files, parent, why) : e;
}

enum err
liveset_write(const struct liveset *l, int64_t site_id, const struct liveset_bytes *bytes,
    struct why *why, char ret_name[LIVESET_NAME_BYTES])
{
	char name[LIVESET_NAME_BYTES], current[LIVESET_NAME_BYTES], parent[PATH_MAX],
	    final[PATH_MAX];
	struct str files[SET_FILES] = { bytes->fullchain_pem };
	bool is_there;

	if (!fingerprint_is_safe(bytes->fingerprint) ||
	    !split_chain(bytes->fullchain_pem, &files[2], &files[1]) || bytes->key_pem.n == 0) {
		why_set(why, "the set's fingerprint, chain or key is not valid");
		return ERR_INVALID;
	}
	files[KEY_FILE] = bytes->key_pem;
	enum err e = liveset_make_site(l, site_id, why);
	if (e == ERR_OK)
		e = choose_name(l, site_id, bytes->fingerprint, files, name, &is_there);
	if (e == ERR_OK)
		e = site_path(l, site_id, name, final);
	if (e != ERR_OK)
		return e;
	read_pointer(l, site_id, "current", current);
	files_parent(final, parent);
	if (!is_there)
		e = write_folder(l, site_id, final, files, why);
	else if (strcmp(name, current) != 0)
		e = sync_folder(l, final, parent, why);
	if (e == ERR_OK)
		memcpy(ret_name, name, sizeof name);
	return e;
}

enum err
liveset_plan_current(const struct liveset *l, int64_t site_id, const char *name,
    struct change *c, struct why *why)
{
	char current[PATH_MAX], previous[PATH_MAX], before[LIVESET_NAME_BYTES];
	enum err e = site_path(l, site_id, "current", current);

	if (e == ERR_OK)
		e = site_path(l, site_id, "previous", previous);
	if (e != ERR_OK)
		return e;
	if (*name == '\0') {
		e = change_plan_removal(c, current, why);
		return e == ERR_OK ? change_plan_removal(c, previous, why) : e;
	}
	must(set_name_is_safe(str_of(name)));
	read_pointer(l, site_id, "current", before);
	if (*before != '\0' && strcmp(before, name) != 0)
		e = change_plan_link(c, previous, before, why);
	return e == ERR_OK ? change_plan_link(c, current, name, why) : e;
}

static enum err
live_path(const struct liveset *l, struct str name, char ret[PATH_MAX])
{
	char file[256];

	liveset_name_file(name, file);
	return files_path(ret, "%s/live/%s", l->folder, file);
}

bool
liveset_owns(const struct liveset *l, int64_t site_id, struct str name)
{
	char path[PATH_MAX], target[PATH_MAX], ours[PATH_MAX];

	if (live_path(l, name, path) != ERR_OK ||
	    files_path(ours, "../sets/%" PRId64 "/current", site_id) != ERR_OK)
		return false;
	return files_read_link(path, target) != ERR_OK || strcmp(target, ours) == 0;
}

enum err
liveset_read_names(const struct liveset *l, int64_t site_id, struct buf *b,
    struct str *ret_names, size_t *ret_n, struct why *why)
{
	char path[PATH_MAX];
	size_t n = 0;
	enum err e = site_path(l, site_id, "names", path);

	if (e == ERR_OK)
		e = files_read(path, b);
	if (e == ERR_NOT_FOUND) {
		*ret_n = 0;
		return ERR_OK;
	}
	if (e != ERR_OK) {
		why_set(why, "cannot read %s: %s", path, err_words(e));
		return e;
	}
	for (struct str rest = buf_str(b); rest.n > 0 && n < LIMIT_SITE_NAMES;) {
		struct str name = str_cut(&rest, '\n');

		if (liveset_name_is_safe(name)) /* a damaged line leads nowhere */
			ret_names[n++] = name;
	}
	*ret_n = n;
	return ERR_OK;
}

static bool
names_have(const struct str *names, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

/* Links of names that the site had and has no more. */
static enum err
plan_gone_names(const struct liveset *l, int64_t site_id, const struct str *names,
    size_t names_n, struct change *c, struct why *why)
{
	struct str old[LIMIT_SITE_NAMES];
	char path[PATH_MAX];
	size_t old_n = 0;
	AUTO_BUF b = { .max = 0 };

	buf_init(&b, CHANGE_FILE_BYTES_MAX);
	enum err e = liveset_read_names(l, site_id, &b, old, &old_n, why);
	for (size_t i = 0; e == ERR_OK && i < old_n; i++) {
		if (names_have(names, names_n, old[i]) || !liveset_owns(l, site_id, old[i]))
			continue;
		e = live_path(l, old[i], path);
		if (e == ERR_OK)
			e = change_plan_removal(c, path, why);
	}
	return e;
}

enum err
liveset_plan_names(const struct liveset *l, int64_t site_id, const struct str *names,
    size_t names_n, struct change *c, struct why *why)
{
	char path[PATH_MAX], target[PATH_MAX];
	AUTO_BUF record = { .max = 0 };

	buf_init(&record, CHANGE_FILE_BYTES_MAX);
	enum err e = plan_gone_names(l, site_id, names, names_n, c, why);
	if (e == ERR_OK)
		e = files_path(target, "../sets/%" PRId64 "/current", site_id);
	for (size_t i = 0; e == ERR_OK && i < names_n; i++) {
		buf_put_str(&record, names[i]);
		buf_putc(&record, '\n');
		e = live_path(l, names[i], path);
		if (e == ERR_OK)
			e = change_plan_link(c, path, target, why);
	}
	if (e == ERR_OK)
		e = site_path(l, site_id, "names", path);
	if (e == ERR_OK)
		e = record.err;
	if (e != ERR_OK)
		return e;
	return names_n == 0 ? change_plan_removal(c, path, why)
			    : change_plan_file(c, path, buf_str(&record), why);
}

void
liveset_tidy(const struct liveset *l, int64_t site_id)
{
	char folder[PATH_MAX], path[PATH_MAX], current[LIVESET_NAME_BYTES],
	    previous[LIVESET_NAME_BYTES];
	struct stat st;

	read_pointer(l, site_id, "current", current);
	read_pointer(l, site_id, "previous", previous);
	if (site_path(l, site_id, "", folder) != ERR_OK ||
	    site_path(l, site_id, "current", path) != ERR_OK)
		return;
	/* A pointer that cannot be understood may still be what is served. */
	if (*current == '\0' && (lstat(path, &st) == 0 || errno != ENOENT))
		return;
	DIR *d = opendir(folder);
	if (d == NULL)
		return;
	for (struct dirent *at = readdir(d); at != NULL; at = readdir(d)) {
		if (strcmp(at->d_name, current) == 0 || strcmp(at->d_name, previous) == 0)
			continue;
		if (strcmp(at->d_name, unfinished) != 0 &&
		    !set_name_is_safe(str_of(at->d_name)))
			continue;
		if (site_path(l, site_id, at->d_name, path) == ERR_OK)
			(void)files_remove_folder(
			    l->files, path); /* the next run tries again */
	}
	closedir(d);
	if (*current == '\0')
		(void)l->files->rmdir(
		    l->files->ctx, folder); /* refused while a record of names is there */
}
