#include "installer/nginx.h"
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include "base/limits.h"

/* nginx cannot read a number from a file, but it can see in which folder a file is. Rounded down: HSTS must not outlive
 * the certificate. */
static const uint32_t hsts_steps[] = { 31536000, 2592000, 604800, 86400, 300 };
enum { HSTS_STEPS = sizeof hsts_steps / sizeof hsts_steps[0] };
static const uint16_t redirects[] = { 307, 308 };

enum {
	CONFIG_NAME_BYTES = 100
}; /* of a host name in a file's name, which may have 255 bytes in all */

static enum err
make(const struct liveset *l, struct why *why, const char *part, uint32_t number)
{
	char path[PATH_MAX];
	enum err e = number == 0 ? files_path(path, "%s/%s", l->folder, part)
				 : files_path(path, "%s/%s/%" PRIu32, l->folder, part, number);

	return e != ERR_OK ? e
			   : files_make_folder(l->files, path,
				 (struct files_access){ 0711, FILES_NO_GROUP }, why);
}

enum err
nginx_make_folders(const struct liveset *l, const struct config_target *t, struct why *why)
{
	static const char *const parts[] = { "root", "redirect", "hsts", "maps", "maps/names",
		"maps/proxy" };
	enum err e = ERR_OK;

	if (t->kind == TARGET_NGINX)
		return files_make_path(l->files, t->config_folder,
		    (struct files_access){ 0755, FILES_NO_GROUP }, why);
	for (size_t i = 0; e == ERR_OK && i < sizeof parts / sizeof parts[0]; i++)
		e = make(l, why, parts[i], 0);
	for (size_t i = 0; e == ERR_OK && i < 2; i++)
		e = make(l, why, "redirect", redirects[i]);
	for (size_t i = 0; e == ERR_OK && i < HSTS_STEPS; i++)
		e = make(l, why, "hsts", hsts_steps[i]);
	return e;
}

enum err
nginx_plan_challenge(
    const struct liveset *l, const struct deploy_job *job, struct change *c, struct why *why)
{
	char path[PATH_MAX];
	AUTO_BUF b = { .max = 0 };

	buf_init(&b, CHANGE_FILE_BYTES_MAX);
	enum err e = files_path(path, "%s/challenge.conf", l->folder);
	/* A site may come before the account: its server block includes the file, so the file has to be there. */
	if (e == ERR_OK && job->thumbprint.n == 0 && access(path, F_OK) == 0)
		return ERR_OK;
	if (e == ERR_OK)
		e = nginx_render_challenge(job->thumbprint, job->answer_at, &b);
	if (e != ERR_OK) {
		why_set(why, "the challenge answer: %s", err_words(e));
		return e;
	}
	return change_plan_file(c, path, buf_str(&b), why);
}

static enum err
config_path(const struct config_target *t, int64_t site_id, struct str name, char ret[PATH_MAX])
{
	char file[256];

	liveset_name_file(name, file);
	return files_path(ret, "%s/koshin-%" PRId64 "-%.*s.conf", t->config_folder, site_id,
	    CONFIG_NAME_BYTES, file);
}

enum err
nginx_plan_site(const struct liveset *l, const struct config_target *t,
    const struct deploy_job *job, struct change *c, struct why *why)
{
	struct str old[LIMIT_SITE_NAMES];
	char path[PATH_MAX], old_path[PATH_MAX];
	size_t old_n = 0;
	AUTO_BUF names = { .max = 0 }, b = { .max = 0 };

	buf_init(&b, CHANGE_FILE_BYTES_MAX);
	buf_init(&names, CHANGE_FILE_BYTES_MAX);
	enum err e = liveset_read_names(l, job->site_id, &names, old, &old_n, why);
	if (e != ERR_OK)
		return e;
	bool is_leaving = job->verb == DEPLOY_REMOVE;
	if (!is_leaving) {
		e = nginx_render_site(t, job, job->set.n > 0, &b);
		if (e == ERR_OK)
			e = config_path(t, job->site_id, job->names[0], path);
		if (e != ERR_OK) {
			why_set(why, "the site's server block: %s", err_words(e));
			return e;
		}
		e = change_plan_file(c, path, buf_str(&b), why);
	}
	/* The file is called by the first name. */
	if (e == ERR_OK && old_n > 0)
		e = config_path(t, job->site_id, old[0], old_path);
	if (e == ERR_OK && old_n > 0 && (is_leaving || strcmp(path, old_path) != 0))
		e = change_plan_removal(c, old_path, why);
	return e;
}

static enum err
flag_path(const struct liveset *l, const char *part, uint32_t number, const char *file,
    char ret[PATH_MAX])
{
	return number == 0
		   ? files_path(ret, "%s/%s/%s", l->folder, part, file)
		   : files_path(ret, "%s/%s/%" PRIu32 "/%s", l->folder, part, number, file);
}

static enum err
plan_flag(const struct liveset *l, const char *part, uint32_t number, const char *file,
    bool is_wanted, struct change *c)
{
	char path[PATH_MAX];
	enum err e = flag_path(l, part, number, file, path);

	if (e != ERR_OK)
		return e;
	return is_wanted ? change_plan_file(c, path, STR_NONE, NULL)
			 : change_plan_removal(c, path, NULL);
}

/* The flags of one name; job NULL: it has none. */
static enum err
plan_name(
    const struct liveset *l, struct str name, const struct deploy_job *job, struct change *c)
{
	char file[256], path[PATH_MAX], root[PATH_MAX];
	bool is_secure = job != NULL && job->set.n > 0;
	uint32_t hsts = is_secure ? job->hsts_age_s : 0;
	bool is_chosen = false;

	liveset_name_file(name, file);
	enum err e = flag_path(l, "root", 0, file, path);
	if (e == ERR_OK && job != NULL && job->root.n > 0) {
		e = files_path(root, "%.*s", STR_ARG(job->root));
		if (e == ERR_OK)
			e = change_plan_link(c, path, root, NULL);
	} else if (e == ERR_OK) {
		e = change_plan_removal(c, path, NULL);
	}
	for (size_t i = 0; e == ERR_OK && i < 2; i++)
		e = plan_flag(l, "redirect", redirects[i], file,
		    is_secure && job->redirect == redirects[i], c);
	for (size_t i = 0; e == ERR_OK && i < HSTS_STEPS; i++) {
		bool is_it = !is_chosen && hsts >= hsts_steps[i];

		is_chosen = is_chosen || is_it;
		e = plan_flag(l, "hsts", hsts_steps[i], file, is_it, c);
	}
	return e;
}

/* Is there a wildcard of somebody that this name falls under? nginx's map would prefer it to the name's own set. */
static bool
has_wildcard_above(const struct liveset *l, struct str name)
{
	char path[PATH_MAX], target[PATH_MAX];
	struct str parent = name;

	(void)str_cut(&parent, '.');
	for (; parent.n > 0; (void)str_cut(&parent, '.'))
		if (files_path(path, "%s/live/_.%.*s", l->folder, STR_ARG(parent)) == ERR_OK &&
		    files_read_link(path, target) == ERR_OK)
			return true;
	return false;
}

static enum err
plan_map(const struct liveset *l, int64_t site_id, const char *map, const struct buf *b,
    struct change *c)
{
	char path[PATH_MAX];
	enum err e = files_path(path, "%s/maps/%s/%" PRId64 ".conf", l->folder, map, site_id);

	if (e == ERR_OK)
		e = b->err;
	if (e != ERR_OK)
		return e;
	return b->n == 0 ? change_plan_removal(c, path, NULL)
			 : change_plan_file(c, path, buf_str(b), NULL);
}

static enum err
plan_maps(const struct liveset *l, const struct deploy_job *job, struct change *c)
{
	bool is_leaving = job->verb == DEPLOY_REMOVE;
	char file[256];
	AUTO_BUF names = { .max = 0 }, proxy = { .max = 0 };

	buf_init(&names, CHANGE_FILE_BYTES_MAX);
	buf_init(&proxy, CHANGE_FILE_BYTES_MAX);
	for (size_t i = 0; !is_leaving && i < job->names_n; i++) {
		struct str name = job->names[i];

		liveset_name_file(name, file);
		if (name.p[0] == '*' || has_wildcard_above(l, name))
			buf_putf(&names, "%.*s %s;\n", STR_ARG(name), file);
		if (job->proxy.n > 0)
			buf_putf(&proxy, "%s %.*s;\n", file, STR_ARG(job->proxy));
	}
	enum err e = plan_map(l, job->site_id, "names", &names, c);
	return e == ERR_OK ? plan_map(l, job->site_id, "proxy", &proxy, c) : e;
}

enum err
nginx_plan_flags(const struct liveset *l, const struct deploy_job *job, struct change *c,
    bool *ret_reload, struct why *why)
{
	struct str old[LIMIT_SITE_NAMES];
	bool is_leaving = job->verb == DEPLOY_REMOVE;
	size_t old_n = 0, n;
	AUTO_BUF names = { .max = 0 };

	buf_init(&names, CHANGE_FILE_BYTES_MAX);
	enum err e = liveset_read_names(l, job->site_id, &names, old, &old_n, why);
	/* The old names lose their flags first; a name that stays gets the wanted ones in the later steps, and steps
	 * that cancel each other out would blink: so only names that really leave are cleared. */
	for (size_t i = 0; e == ERR_OK && i < old_n; i++) {
		bool stays = false;

		for (size_t k = 0; !is_leaving && k < job->names_n; k++)
			stays = stays || str_eq(old[i], job->names[k]);
		if (!stays && liveset_owns(l, job->site_id, old[i]))
			e = plan_name(l, old[i], NULL, c);
	}
	for (size_t i = 0; e == ERR_OK && !is_leaving && i < job->names_n; i++)
		e = plan_name(l, job->names[i], job, c);
	n = c->n;
	if (e == ERR_OK)
		e = plan_maps(l, job, c);
	if (e != ERR_OK) {
		why_set(why, "the flags of the site: %s", err_words(e));
		return e;
	}
	*ret_reload = c->n > n;
	return ERR_OK;
}
