#ifndef KOSHIN_CORE_ACCESS_H
#define KOSHIN_CORE_ACCESS_H
/*
 * Who may do what, in one place (promise P9); and how long a password, a session and a link may be tried or used. Everything is a
 * function of who asks, of what, and of the time; what is stored about people is ports/store/people.h.
 *
 * A site of somebody else is to its asker as if it were not there: HIDDEN is answered exactly like a name that nobody has.
 */
#include "base/str.h"
#include "base/when.h"

enum role { ROLE_OWNER, ROLE_SUPPORT, ROLE_OPERATOR, ROLE_COUNT };
const char *role_name(enum role r);
bool role_of_name(struct str s, enum role *ret);

/* Who may call an operation, as a set. */
enum {
	ACCESS_EVERYBODY = 1, /* also who is not signed in */
	ACCESS_OWNER = 2,
	ACCESS_SUPPORT = 4,
	ACCESS_OPERATOR = 8,
};

struct asker {
	bool is_known;
	enum role role;
	int64_t person_id; /* 0: the command, or nobody */
	int64_t owner_id;  /* of an owner's person: whose sites these are */
	bool has_token;	   /* an API token: only what its scopes name */
	struct str scopes; /* with a space between two */
};
enum access {
	ACCESS_GIVEN,
	ACCESS_SIGNED_OUT, /* nobody is signed in, and somebody has to be */
	ACCESS_REFUSED,
	ACCESS_HIDDEN, /* there is no such thing for this asker */
};
/* who: ACCESS_…; scope: that a token must have, NULL: no token is enough. */
enum access access_to_operation(const struct asker *asker, unsigned who, const char *scope);
/* To what belongs to this owner. */
enum access access_to_object(const struct asker *asker, int64_t owner_id);
/* The word is among those of the list, which has a space between two. */
bool access_has_scope(struct str scopes, struct str scope);

/*
 * Trying passwords. Each try is counted before it is judged, at the place that it came from: a browser in which the person has
 * signed in before has a count of its own, so that nobody else's tries keep that person out; all others count for their
 * address and for the person. A person that is under attack waits half a minute at most for the next try. Codes have a count of their own:
 * who tries them knows the password, and a code has six digits only. What else is asked for by hand and costs others something is
 * counted the same way.
 */
enum attempt_place {
	ATTEMPT_AT_DEVICE,
	ATTEMPT_AT_ADDRESS,
	ATTEMPT_AT_PERSON,
	ATTEMPT_AT_CODE,
	ATTEMPT_AT_LETTER, /* letters about signing in, to one mail address: nobody's box is filled */
	/* Looks at a site that a person asks for: each asks name servers and web servers, which may be somebody else's. */
	ATTEMPT_AT_CHECKED_SITE,
	ATTEMPT_AT_CHECKING_OWNER,
};
struct attempts {
	unsigned counted; /* wrong tries in a row, letters or looks: whatever this place counts; those of more than a day ago do not */
	struct when last;
};
/* Not before this date; WHEN_UNKNOWN: at once. */
struct when access_try_at(enum attempt_place place, const struct attempts *attempts, struct when now);

/* A session ends when it has not been used for some days (staff: hours), and at last after some months (staff: days). */
struct when access_session_ends(enum role role, struct when begun, struct when used);
/* A link that was made now works until then, once. */
struct when access_link_ends(struct when now);
/* An invitation that was sent now can be followed until then. */
struct when access_invitation_ends(struct when now);
/* A challenge for a passkey that was given out now is answered until then: the browser's own question takes a while. */
struct when access_challenge_ends(struct when now);
/* Somebody who came by a link may set a password without the old one until then. */
struct when access_link_is_fresh_until(struct when begun);

/* One-time codes (RFC 6238). That of the step before and of the next one are taken too, for clocks that go wrong; none is taken twice (5.2). */
enum { CODE_DIGITS = 6, CODE_STEP_S = 30, CODE_STEPS = 3 };
uint64_t access_code_first_step(struct when now);
/* step: that the code belongs to; used: that of the last code that was taken, 0 before. */
bool access_code_is_new(uint64_t step, uint64_t used);

enum password_fault { PASSWORD_GOOD, PASSWORD_SHORT, PASSWORD_LONG, PASSWORD_IS_MAIL, PASSWORD_MONOTONE };
enum { PASSWORD_CHARACTERS_MIN = 10, PASSWORD_BYTES_MAX = 1024 };
/* What is wrong with a new password; long ones of any letters are good (NIST SP 800-63B 5.1.1.2). */
enum password_fault access_password_fault(struct str password, struct str mail);
#endif
