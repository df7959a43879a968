/*
 * POST /checks: a look at any name. Here it is judged whether it may be taken, and what of the store belongs to it; the look itself is taken by
 * http/looks.h, whose steps and outcome are the answer.
 */
#include "http/access.h"
#include "http/read.h"
#include "http/tries.h"
#include "ports/names/names.h"

static struct str
member(const struct api_call *c, const char *key)
{
	const json_t *value = json_object_get(c->body, key);

	return json_is_string(value) ? (struct str){ json_string_value(value), json_string_length(value) } : STR_NONE;
}

/* 0: nobody has it, or somebody else does; the asker is not told which. */
static enum err
site_of_name(struct api_call *c, struct str name, int64_t *ret)
{
	enum err err = store_site_find(c->api->store, name, ret);

	if (err == ERR_OK)
		err = access_judge_site(c, *ret);
	if (err != ERR_NOT_FOUND)
		return err;
	*ret = 0;
	return ERR_OK;
}

enum err
check_name(struct api_call *c)
{
	struct tries tries;
	struct str name, visitor = member(c, "visitor");
	int64_t site_id = 0;
	enum err err = names_read(member(c, "name"), true, c->a, &c->why, &name);

	if (err == ERR_OK && (!str_is_line(visitor) || !str_is_utf8(visitor))) {
		why_set(&c->why, "field \"visitor\": expected one line of text in UTF-8");
		err = ERR_INVALID;
	}
	if (err == ERR_OK)
		err = tries_of_look(c, name, &tries);
	if (err == ERR_OK)
		err = tries_count(c, &tries);
	if (err == ERR_OK)
		err = site_of_name(c, name, &site_id);
	if (err != ERR_OK)
		return err;
	c->reply->kind = API_LOOK;
	c->reply->site_id = site_id;
	c->reply->look = (struct api_look){ .name = name, .reported = arena_str(c->a, visitor), .is_discreet = c->asker.role == ROLE_OWNER };
	return ERR_OK;
}
