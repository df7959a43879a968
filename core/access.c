#include "core/access.h"
#include "base/must.h"

static const char *const role_names[] = {
	[ROLE_OWNER] = "owner",
	[ROLE_SUPPORT] = "support",
	[ROLE_OPERATOR] = "operator",
};

const char *
role_name(enum role r)
{
	must(r < ROLE_COUNT);
	return role_names[r];
}

bool
role_of_name(struct str s, enum role *ret)
{
	for (enum role r = 0; r < ROLE_COUNT; r++)
		if (str_eq(s, str_of(role_names[r]))) {
			*ret = r;
			return true;
		}
	return false;
}

bool
access_has_scope(struct str scopes, struct str scope)
{
	while (scopes.n > 0)
		if (str_eq(str_cut(&scopes, ' '), scope))
			return true;
	return false;
}

enum access
access_to_operation(const struct asker *asker, unsigned who, const char *scope)
{
	static const unsigned bits[] = {
		[ROLE_OWNER] = ACCESS_OWNER,
		[ROLE_SUPPORT] = ACCESS_SUPPORT,
		[ROLE_OPERATOR] = ACCESS_OPERATOR,
	};

	if ((who & ACCESS_EVERYBODY) != 0)
		return ACCESS_GIVEN;
	if (!asker->is_known)
		return ACCESS_SIGNED_OUT;
	must(asker->role < ROLE_COUNT);
	if ((who & bits[asker->role]) == 0)
		return ACCESS_REFUSED;
	if (asker->has_token &&
	    (scope == NULL || !access_has_scope(asker->scopes, str_of(scope))))
		return ACCESS_REFUSED;
	return ACCESS_GIVEN;
}

enum access
access_to_object(const struct asker *asker, int64_t owner_id)
{
	if (!asker->is_known)
		return ACCESS_HIDDEN;
	if (asker->role != ROLE_OWNER)
		return ACCESS_GIVEN;
	return asker->owner_id != 0 && asker->owner_id == owner_id ? ACCESS_GIVEN
								   : ACCESS_HIDDEN;
}

/* --- trying passwords --- */

static const struct pace {
	unsigned free;		    /* tries that wait for nothing */
	struct span first, longest; /* the wait doubles from one to the other */
} paces[] = {
	[ATTEMPT_AT_DEVICE] = { 10, { 2 }, { 15 * 60 } },
	[ATTEMPT_AT_ADDRESS] = { 20, { 2 }, { 15 * 60 } },
	[ATTEMPT_AT_PERSON] = { 10, { 2 }, { 30 } },
	[ATTEMPT_AT_CODE] = { 5, { 2 }, { 15 * 60 } },
	[ATTEMPT_AT_LETTER] = { 3, { 15 * 60 }, { 4 * 3600 } },
	/* A minute is longer than a look takes: sooner there is nothing new to see. */
	[ATTEMPT_AT_CHECKED_SITE] = { 5, { 10 }, { 60 } },
	/* Whoever has hundreds of sites gets through all of them in an hour. */
	[ATTEMPT_AT_CHECKING_OWNER] = { 60, { 2 }, { 10 } },
};

struct when
access_try_at(enum attempt_place place, const struct attempts *attempts, struct when now)
{
	const struct pace *p = &paces[place];
	struct span wait = p->first;

	if (attempts->counted < p->free || !when_is_known(attempts->last) ||
	    when_before(when_plus(attempts->last, SPAN_D(1)), now))
		return WHEN_UNKNOWN;
	/* A clock that was put back makes nobody wait longer than this. */
	for (unsigned i = p->free; i < attempts->counted && wait.s < p->longest.s; i++)
		wait.s *= 2;
	return when_min(
	    when_plus(attempts->last, span_min(wait, p->longest)), when_plus(now, p->longest));
}

/* --- sessions and links --- */

struct when
access_session_ends(enum role role, struct when begun, struct when used)
{
	bool is_staff = role != ROLE_OWNER;

	return when_min(when_plus(begun, is_staff ? SPAN_D(7) : SPAN_D(90)),
	    when_plus(used, is_staff ? SPAN_H(12) : SPAN_D(14)));
}

struct when
access_link_ends(struct when now)
{
	return when_plus(now, SPAN_H(1));
}

struct when
access_invitation_ends(struct when now)
{
	return when_plus(now, SPAN_D(7));
}

struct when
access_challenge_ends(struct when now)
{
	return when_plus(now, SPAN_MIN(10));
}

struct when
access_link_is_fresh_until(struct when begun)
{
	return when_plus(begun, SPAN_H(1));
}

/* --- codes --- */

uint64_t
access_code_first_step(struct when now)
{
	return now.s < CODE_STEP_S ? 0 : (uint64_t)(now.s / CODE_STEP_S) - 1;
}

bool
access_code_is_new(uint64_t step, uint64_t used)
{
	return step > used;
}

/* --- passwords --- */

static size_t
characters_of(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

enum password_fault
access_password_fault(struct str password, struct str mail)
{
	bool is_monotone = true;
	size_t first = 1; /* bytes of the first character */

	if (password.n > PASSWORD_BYTES_MAX)
		return PASSWORD_LONG;
	if (characters_of(password) < PASSWORD_CHARACTERS_MIN)
		return PASSWORD_SHORT;
	if (str_eq_nocase(password, mail))
		return PASSWORD_IS_MAIL;
	while (first < password.n && ((unsigned char)password.p[first] & 0xc0) == 0x80)
		first++;
	for (size_t i = first; i < password.n; i++)
		is_monotone = is_monotone && password.p[i] == password.p[i - first];
	return is_monotone ? PASSWORD_MONOTONE : PASSWORD_GOOD;
}
