#ifndef KOSHIN_PORTS_STORE_PEOPLE_H
#define KOSHIN_PORTS_STORE_PEOPLE_H
/*
 * People, what they sign in with, and what they did. The web process alone writes them. Of sessions, links, tokens and devices the
 * store knows a digest only. As in store.h: strings live in the arena, each verb is a transaction or a part of the caller's.
 */
#include "core/access.h"
#include "ports/store/store.h"

enum { DIGEST_BYTES = 32 };
struct digest {
	uint8_t bytes[DIGEST_BYTES];
};

struct person_row {
	int64_t id, owner_id; /* owner_id: of ROLE_OWNER; else 0 */
	struct str mail, name, lang; /* lang: "ja" or "en" */
	enum role role;
	struct str password; /* Argon2id; empty: none was set */
	struct when created;
	bool has_codes; /* read only: one-time codes are asked for (codes.h) */
};
/* EXISTS: somebody has this mail address. */
MUST_USE enum err store_person_put(struct store *s, const struct person_row *p, int64_t *ret_id);
MUST_USE enum err store_person_find(struct store *s, struct str mail, struct arena *a, struct person_row *ret);
MUST_USE enum err store_person_load(struct store *s, int64_t id, struct arena *a, struct person_row *ret);
/* In order of their ids, above after_id. */
MUST_USE enum err store_people(struct store *s, int64_t after_id, size_t max, struct arena *a, struct person_row **ret, size_t *ret_n);
/* The same of one owner's. */
MUST_USE enum err store_people_of(
    struct store *s, int64_t owner_id, int64_t after_id, size_t max, struct arena *a, struct person_row **ret, size_t *ret_n);
/* Mail, name, lang, role and owner. EXISTS: somebody else has this mail address. */
MUST_USE enum err store_person_change(struct store *s, const struct person_row *p);
MUST_USE enum err store_person_set_password(struct store *s, int64_t id, struct str password);
/* With sessions, links, tokens and devices. */
MUST_USE enum err store_person_remove(struct store *s, int64_t id);

struct session_row {
	int64_t id, person_id;
	struct when begun, used;
	struct str address, agent;
	bool is_by_link;
};
MUST_USE enum err store_session_put(struct store *s, const struct session_row *r, const struct digest *d, int64_t *ret_id);
MUST_USE enum err store_session_find(struct store *s, const struct digest *d, struct arena *a, struct session_row *ret);
/* Newest first, LIMIT_PAGE_ROWS at most. */
MUST_USE enum err store_sessions_of(struct store *s, int64_t person_id, struct arena *a, struct session_row **ret, size_t *ret_n);
MUST_USE enum err store_session_used(struct store *s, int64_t id, struct when now);
MUST_USE enum err store_session_remove(struct store *s, int64_t id, int64_t person_id);
/* All of a person but one (0: all). */
MUST_USE enum err store_sessions_remove(struct store *s, int64_t person_id, int64_t except_id);

MUST_USE enum err store_device_put(struct store *s, const struct digest *d, int64_t person_id, struct when now);
MUST_USE enum err store_device_is_known(struct store *s, const struct digest *d, int64_t person_id, bool *ret);

/* subject: words that tell the place apart. Zeros and WHEN_UNKNOWN where nothing was tried. */
MUST_USE enum err store_attempts(struct store *s, struct str subject, struct attempts *ret);
/* One more; what is older than a day goes. */
MUST_USE enum err store_attempt_put(struct store *s, struct str subject, struct when now);
/* One was right: it does not count, those before do. */
MUST_USE enum err store_attempt_forgive(struct store *s, struct str subject);
MUST_USE enum err store_attempts_forget(struct store *s, struct str subject);

MUST_USE enum err store_link_put(struct store *s, const struct digest *d, int64_t person_id, struct when now, struct when ends_at);
/* NOT_FOUND; ends_at is the caller's to look at. */
MUST_USE enum err store_link_find(struct store *s, const struct digest *d, int64_t *ret_person_id, struct when *ret_ends_at);
/* It can be taken once. NOT_FOUND. */
MUST_USE enum err store_link_take(struct store *s, const struct digest *d);

struct api_token_row {
	int64_t id, person_id;
	struct str name, scopes;
	struct when created, used, ends_at; /* used: WHEN_UNKNOWN before */
};
MUST_USE enum err store_api_token_put(struct store *s, const struct api_token_row *r, const struct digest *d, int64_t *ret_id);
MUST_USE enum err store_api_token_find(struct store *s, const struct digest *d, struct arena *a, struct api_token_row *ret);
/* Newest first, LIMIT_PAGE_ROWS at most. */
MUST_USE enum err store_api_tokens_of(struct store *s, int64_t person_id, struct arena *a, struct api_token_row **ret, size_t *ret_n);
MUST_USE enum err store_api_token_used(struct store *s, int64_t id, struct when now);
MUST_USE enum err store_api_token_remove(struct store *s, int64_t id, int64_t person_id);

struct audit_row {
	int64_t id; /* read only */
	struct when at;
	struct str who, role, address, action, object, detail;
};
MUST_USE enum err store_audit_put(struct store *s, const struct audit_row *r);
/*
 * From now on the next transaction that store_begin opens and store_commit ends has this line too, so that nothing is done without its
 * line and no line stands without its deed. r lives until then; NULL takes it back. Gives what was set and was not written.
 */
const struct audit_row *store_audit_set(struct store *s, const struct audit_row *r);
/* What is asked for; empty: whatever it is. */
struct audit_filter {
	struct str who, action;
	struct str object, other; /* the object in two forms */
	int64_t before_id;	  /* an id below this one; 0: from the newest */
};
/* Newest first. */
MUST_USE enum err store_audit(struct store *s, const struct audit_filter *f, size_t max, struct arena *a, struct audit_row **ret, size_t *ret_n);
#endif
