#include "http/tries.h"
#include <stdio.h>
#include "http/access.h"
#include "ports/names/names.h"

/* Many addresses of one network are one place to try from (RFC 6177: a site has a /64 at least). */
static struct str
network_of(struct str address)
{
	size_t colons = 0;

	for (size_t i = 0; i < address.n; i++)
		if (address.p[i] == ':' && ++colons == 4)
			return (struct str){ address.p, i };
	return address;
}

/* A mail address is one person's however its letters are typed: the store finds it without regard to their case. */
static struct str
folded(struct api_call *c, struct str mail)
{
	char *to = arena_get(c->a, mail.n + 1);

	if (to == NULL)
		return STR_NONE;
	for (size_t i = 0; i < mail.n; i++)
		to[i] = mail.p[i] >= 'A' && mail.p[i] <= 'Z' ? (char)(mail.p[i] - 'A' + 'a') : mail.p[i];
	return (struct str){ to, mail.n };
}

/* What is typed is long or secret: the store needs to tell places apart, not to read them. */
static void
put_place(struct api_call *c, struct tries *t, enum attempt_place place, struct str words)
{
	struct digest d = access_digest(words);
	char text[2 * DIGEST_BYTES + 1];

	for (size_t k = 0; k < DIGEST_BYTES; k++)
		(void)snprintf(text + 2 * k, 3, "%02x", d.bytes[k]);
	t->at[t->n].place = place;
	t->at[t->n++].subject = arena_str(c->a, str_of(text));
}

/* The secret of this browser if the person has signed in there before; empty otherwise. */
static enum err
known_device(struct api_call *c, int64_t person_id, struct str *ret)
{
	struct str device = access_device(c);
	bool is_known = false;
	enum err err = ERR_OK;

	if (device.n > 0 && person_id != 0) {
		struct digest d = access_digest(device);

		err = store_device_is_known(c->api->store, &d, person_id, &is_known);
	}
	*ret = is_known ? device : STR_NONE;
	return err;
}

enum err
tries_of(struct api_call *c, struct str mail, int64_t person_id, struct tries *ret)
{
	struct str device;
	enum err err = known_device(c, person_id, &device);

	*ret = (struct tries){ .n = 0 };
	if (err != ERR_OK)
		return err;
	mail = folded(c, mail);
	if (device.n > 0) {
		put_place(c, ret, ATTEMPT_AT_DEVICE,
		    arena_strf(c->a, "device %.*s %.*s", STR_ARG(device), STR_ARG(mail)));
	} else {
		put_place(c, ret, ATTEMPT_AT_ADDRESS,
		    arena_strf(c->a, "address %.*s", STR_ARG(network_of(c->q->address))));
		put_place(
		    c, ret, ATTEMPT_AT_PERSON, arena_strf(c->a, "person %.*s", STR_ARG(mail)));
	}
	return arena_failed(c->a) ? ERR_MEMORY : ERR_OK;
}

enum err
tries_of_code(struct api_call *c, int64_t person_id, struct tries *ret)
{
	struct str device;
	enum err err = known_device(c, person_id, &device);

	*ret = (struct tries){ .n = 0 };
	if (err == ERR_OK)
		put_place(c, ret, ATTEMPT_AT_CODE,
		    arena_strf(c->a, "code %lld %.*s", (long long)person_id, STR_ARG(device)));
	return err == ERR_OK && arena_failed(c->a) ? ERR_MEMORY : err;
}

enum err
tries_of_letter(struct api_call *c, struct str to, struct tries *ret)
{
	*ret = (struct tries){ .n = 0 };
	put_place(c, ret, ATTEMPT_AT_LETTER, arena_strf(c->a, "letter %.*s", STR_ARG(folded(c, to))));
	return arena_failed(c->a) ? ERR_MEMORY : ERR_OK;
}

enum err
tries_of_address(struct api_call *c, const char *what, struct tries *ret)
{
	*ret = (struct tries){ .n = 0 };
	put_place(c, ret, ATTEMPT_AT_ADDRESS, arena_strf(c->a, "%s %.*s", what, STR_ARG(network_of(c->q->address))));
	return arena_failed(c->a) ? ERR_MEMORY : ERR_OK;
}

enum err
tries_of_look(struct api_call *c, struct str name, struct tries *ret)
{
	struct str domain = names_registered_domain(name);

	*ret = (struct tries){ .words = "api.look-wait" };
	if (c->asker.person_id == 0)
		return ERR_OK;
	put_place(c, ret, ATTEMPT_AT_CHECKED_SITE, arena_strf(c->a, "look %.*s", STR_ARG(domain.n > 0 ? domain : name)));
	if (c->asker.role == ROLE_OWNER)
		put_place(c, ret, ATTEMPT_AT_CHECKING_OWNER, arena_strf(c->a, "checks %lld", (long long)c->asker.owner_id));
	return arena_failed(c->a) ? ERR_MEMORY : ERR_OK;
}

enum err
tries_of_check(struct api_call *c, int64_t site_id, struct tries *ret)
{
	*ret = (struct tries){ .words = "api.check-wait" };
	if (c->asker.person_id == 0)
		return ERR_OK;
	put_place(c, ret, ATTEMPT_AT_CHECKED_SITE, arena_strf(c->a, "check %lld", (long long)site_id));
	if (c->asker.role == ROLE_OWNER)
		put_place(c, ret, ATTEMPT_AT_CHECKING_OWNER, arena_strf(c->a, "checks %lld", (long long)c->asker.owner_id));
	return arena_failed(c->a) ? ERR_MEMORY : ERR_OK;
}

enum err
tries_put(struct api_call *c, const struct tries *t, struct when *ret_at)
{
	struct when at = WHEN_UNKNOWN;
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < t->n; i++) {
		struct attempts attempts;

		err = store_attempts(c->api->store, t->at[i].subject, &attempts);
		if (err == ERR_OK)
			at =
			    when_max(at, access_try_at(t->at[i].place, &attempts, c->turn.now));
	}
	bool is_early = when_before(c->turn.now, at);
	for (size_t i = 0; err == ERR_OK && !is_early && i < t->n; i++)
		err = store_attempt_put(c->api->store, t->at[i].subject, c->turn.now);
	if (err == ERR_OK)
		*ret_at = at;
	return err;
}

enum err
tries_count(struct api_call *c, const struct tries *t)
{
	struct when at;
	enum err err = tries_put(c, t, &at);

	if (err != ERR_OK || !when_before(c->turn.now, at))
		return err;
	api_header(c->reply, "Retry-After", arena_strf(c->a, "%lld", (long long)when_between(c->turn.now, at).s));
	api_say(c, t->words != NULL ? t->words : "api.login-wait", STR_NONE);
	return ERR_LIMITED;
}

enum err
tries_forgive(struct api_call *c, const struct tries *t)
{
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < t->n; i++)
		err = t->at[i].place == ATTEMPT_AT_ADDRESS
			  ? store_attempt_forgive(c->api->store, t->at[i].subject)
			  : store_attempts_forget(c->api->store, t->at[i].subject);
	return err;
}
