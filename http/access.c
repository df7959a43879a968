#include "http/access.h"
#include <sodium.h>
#include <string.h>
#include "base/must.h"
#include "ports/keys/jose.h"
#include "ports/keys/ticket.h"

/* __Host-: the browser sends it to this host alone, over TLS, and no other host can set it. */
static const char session_cookie[] = "__Host-koshin", device_cookie[] = "__Host-koshin-device";
static const struct str token_prefix = { "koshin_", 7 };
enum {
	SECRET_BYTES = 32,
	SECRET_TEXT_MAX = 64,
	USED_EVERY_S = 300, /* how exactly the last use of a session is known */
	AGENT_BYTES_MAX = 300,
	DEVICE_S = 400 * 86400, /* browsers keep no cookie longer */
};

static struct str
header_of(const struct api_call *c, const char *name)
{
	return str_of(c->q->header == NULL ? NULL : c->q->header(c->q->arg_ctx, name));
}

/* RFC 6265 5.4; empty without it. */
static struct str
cookie_of(const struct api_call *c, const char *name)
{
	struct str rest = header_of(c, "Cookie");

	while (rest.n > 0) {
		struct str value = str_trim(str_cut(&rest, ';')), key = str_cut(&value, '=');

		if (str_eq(key, str_of(name)))
			return value.n <= SECRET_TEXT_MAX ? value : STR_NONE;
	}
	return STR_NONE;
}

struct digest
access_digest(struct str secret)
{
	struct digest d;

	ticket_digest(secret, d.bytes);
	return d;
}

static struct str
text_of(struct api_call *c, const uint8_t *bytes, size_t n)
{
	AUTO_BUF text = { .max = 256 };

	jose_put_base64url(&text, (struct str){ (const char *)bytes, n });
	return arena_str(c->a, buf_str(&text));
}

enum err
access_secret(struct api_call *c, struct str *ret_secret, struct digest *ret)
{
	uint8_t bytes[SECRET_BYTES];

	c->api->clock.random(c->api->clock.ctx, bytes, sizeof bytes);
	*ret_secret = text_of(c, bytes, sizeof bytes);
	explicit_bzero(bytes, sizeof bytes);
	if (ret_secret->n == 0)
		return ERR_MEMORY;
	*ret = access_digest(*ret_secret);
	return ERR_OK;
}

/* Follows from the session's secret, which no script can read. */
static struct str
csrf_of(struct api_call *c, struct str secret)
{
	static const char purpose[] = "koshin csrf";
	uint8_t tag[SECRET_BYTES];

	must(secret.n > 0 && secret.n <= crypto_generichash_KEYBYTES_MAX);
	must(crypto_generichash(tag, sizeof tag, (const unsigned char *)purpose,
		 sizeof purpose - 1, (const unsigned char *)secret.p, secret.n) == 0);
	return text_of(c, tag, sizeof tag);
}

bool
access_is_foreign(const struct api_call *c)
{
	struct str site = header_of(c, "Sec-Fetch-Site"), origin = header_of(c, "Origin"),
		   host = header_of(c, "Host");

	if (site.n > 0 && !str_eq(site, STR("same-origin")) && !str_eq(site, STR("none")))
		return true;
	if (origin.n == 0)
		return false;
	size_t at = str_find(origin, STR("://"));
	return at == SIZE_MAX || at + 3 > origin.n ||
	       !str_eq_nocase((struct str){ origin.p + at + 3, origin.n - at - 3 }, host);
}

/* --- who asks --- */

static void
take_person(struct api_call *c, const struct person_row *p)
{
	c->person = *p;
	c->asker = (struct asker){
		.is_known = true, .role = p->role, .person_id = p->id, .owner_id = p->owner_id
	};
	/* An owner reads the history: our people are our company to them. */
	c->by = p->role == ROLE_OWNER ? p->mail : str_of(role_name(p->role));
}

static bool
is_older(struct when used, struct when now)
{
	return !when_is_known(used) || when_between(used, now).s >= USED_EVERY_S;
}

static enum err
take_session(struct api_call *c, struct str secret)
{
	struct digest d = access_digest(secret);
	struct session_row session;
	struct person_row p;
	enum err err = store_session_find(c->api->store, &d, c->a, &session);

	if (err == ERR_OK)
		err = store_person_load(c->api->store, session.person_id, c->a, &p);
	if (err != ERR_OK)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	if (!when_before(c->turn.now, access_session_ends(p.role, session.begun, session.used)))
		return store_session_remove(c->api->store, session.id, p.id);
	take_person(c, &p);
	c->session = session;
	c->csrf = csrf_of(c, secret);
	return is_older(session.used, c->turn.now)
		   ? store_session_used(c->api->store, session.id, c->turn.now)
		   : ERR_OK;
}

static enum err
take_token(struct api_call *c, struct str secret)
{
	struct digest d = access_digest(secret);
	struct api_token_row token;
	struct person_row p;
	enum err err = store_api_token_find(c->api->store, &d, c->a, &token);

	if (err == ERR_OK)
		err = store_person_load(c->api->store, token.person_id, c->a, &p);
	if (err != ERR_OK)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	if (!when_before(c->turn.now, token.ends_at))
		return ERR_OK;
	take_person(c, &p);
	c->asker.has_token = true;
	c->asker.scopes = token.scopes;
	return is_older(token.used, c->turn.now)
		   ? store_api_token_used(c->api->store, token.id, c->turn.now)
		   : ERR_OK;
}

static enum err
find_out(struct api_call *c)
{
	static const struct str bearer = { "Bearer ", 7 };
	struct str authorization = header_of(c, "Authorization"),
		   secret = cookie_of(c, session_cookie);

	if (authorization.n > 0) {
		struct str token = { authorization.p + bearer.n, authorization.n - bearer.n };

		if (!str_starts(authorization, bearer) || !str_starts(token, token_prefix))
			return ERR_OK;
		return take_token(
		    c, (struct str){ token.p + token_prefix.n, token.n - token_prefix.n });
	}
	return secret.n == 0 ? ERR_OK : take_session(c, secret);
}

static bool
is_reading(const struct api_call *c)
{
	return str_eq(c->q->method, STR("GET")) || str_eq(c->q->method, STR("HEAD"));
}

/* Takes the same time for each tag of the right length. */
static bool
brings_csrf(const struct api_call *c)
{
	struct str tag = header_of(c, "X-CSRF-Token");

	return tag.n == c->csrf.n && tag.n > 0 && sodium_memcmp(tag.p, c->csrf.p, tag.n) == 0;
}

enum err
access_judge(struct api_call *c, const struct api_route *r)
{
	enum err err = ERR_OK;

	c->asker = c->q->asker;
	c->by = STR("command");
	if (c->q->is_browser) {
		c->asker = (struct asker){ .is_known = false };
		c->by = STR_NONE;
		err = find_out(c);
	}
	if (err != ERR_OK)
		return err;
	switch (access_to_operation(&c->asker, r->who, r->scope)) {
	case ACCESS_GIVEN:
		break;
	case ACCESS_SIGNED_OUT:
		api_header(c->reply, "WWW-Authenticate", STR("Bearer realm=\"koshin\""));
		return ERR_SIGNED_OUT;
	case ACCESS_REFUSED:
	case ACCESS_HIDDEN:
		return ERR_DENIED;
	}
	if (is_reading(c) || !c->q->is_browser)
		return ERR_OK;
	if (access_is_foreign(c)) {
		why_set(&c->why, "the request comes from another origin");
		return ERR_DENIED;
	}
	if (c->session.id != 0 && (r->who & ACCESS_EVERYBODY) == 0 && !brings_csrf(c)) {
		why_set(&c->why, "header X-CSRF-Token: expected `csrf` of GET /session");
		return ERR_DENIED;
	}
	return ERR_OK;
}

enum err
access_judge_site(struct api_call *c, int64_t site_id)
{
	int64_t owner_id;
	enum err err = store_site_owner(c->api->store, site_id, &owner_id);

	if (err != ERR_OK)
		return err;
	return access_to_object(&c->asker, owner_id) == ACCESS_GIVEN ? ERR_OK : ERR_NOT_FOUND;
}

/* --- beginning and ending --- */

static void
put_cookie(struct api_call *c, const char *name, struct str value, int64_t seconds)
{
	struct str cookie =
	    arena_strf(c->a, "%s=%.*s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=%lld",
		name, STR_ARG(value), (long long)seconds);

	if (cookie.n > 0)
		api_add_header(c->reply, "Set-Cookie", cookie);
}

struct str
access_device(const struct api_call *c)
{
	return cookie_of(c, device_cookie);
}

void
access_drop_cookie(struct api_call *c)
{
	put_cookie(c, session_cookie, STR(""), 0);
}

/* A browser has one device's secret, whoever signs in there. */
static enum err
remember_device(struct api_call *c, int64_t person_id)
{
	struct str secret = access_device(c);
	struct digest d;
	enum err err = ERR_OK;

	if (secret.n == 0)
		err = access_secret(c, &secret, &d);
	else
		d = access_digest(secret);
	if (err == ERR_OK)
		err = store_device_put(c->api->store, &d, person_id, c->turn.now);
	if (err == ERR_OK)
		put_cookie(c, device_cookie, secret, DEVICE_S);
	return err;
}

/* What a browser says of itself is for people to read: one line, not too long. */
static struct str
agent_of(const struct api_call *c)
{
	struct str agent = header_of(c, "User-Agent");

	if (agent.n > AGENT_BYTES_MAX)
		agent.n = AGENT_BYTES_MAX;
	return str_is_line(agent) && str_is_utf8(agent) ? agent : STR_NONE;
}

enum err
access_begin_session(struct api_call *c, const struct person_row *p, bool is_by_link)
{
	struct str secret;
	struct digest d;
	struct session_row row = { .person_id = p->id,
		.begun = c->turn.now,
		.used = c->turn.now,
		.address = c->q->address,
		.agent = agent_of(c),
		.is_by_link = is_by_link };
	enum err err = access_secret(c, &secret, &d);

	/* The browser forgets its session of before: nobody could end it any more. */
	if (err == ERR_OK && c->session.id != 0)
		err = store_session_remove(c->api->store, c->session.id, c->person.id);
	if (err == ERR_NOT_FOUND)
		err = ERR_OK;
	if (err == ERR_OK)
		err = store_session_put(c->api->store, &row, &d, &row.id);
	if (err == ERR_OK)
		err = remember_device(c, p->id);
	if (err != ERR_OK)
		return err;
	take_person(c, p);
	c->session = row;
	c->csrf = csrf_of(c, secret);
	put_cookie(c, session_cookie, secret,
	    when_between(c->turn.now, access_session_ends(p->role, c->turn.now, WHEN_NEVER)).s);
	return ERR_OK;
}
