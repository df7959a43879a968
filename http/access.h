#ifndef KOSHIN_HTTP_ACCESS_H
#define KOSHIN_HTTP_ACCESS_H
/*
 * Who asks, from what came with the request: a session's cookie, or an API token. Then whether core/access lets it through. What a
 * cookie alone would allow, a page of somebody else's could do in its reader's name; so a change that comes with a cookie has to bring
 * the session's own X-CSRF-Token, which only pages of the panel can read, and must not come from another origin.
 */
#include "http/route.h"

/* Fills who asks into c, and says whether this operation may be called: SIGNED_OUT, DENIED. */
MUST_USE enum err access_judge(struct api_call *c, const struct api_route *r);
/* NOT_FOUND: it is another owner's, and therefore not there. */
MUST_USE enum err access_judge_site(struct api_call *c, int64_t site_id);
/* The request names another origin than the one it was sent to. */
bool access_is_foreign(const struct api_call *c);

/* A new secret of 256 bits as text, in the arena, and what the store keeps of it. */
MUST_USE enum err access_secret(struct api_call *c, struct str *ret_secret, struct digest *ret);
struct digest access_digest(struct str secret);
/* Makes a session for the person and puts its cookies into the reply. In the caller's transaction. */
MUST_USE enum err access_begin_session(struct api_call *c, const struct person_row *p, bool is_by_link);
/* The browser forgets its session. */
void access_drop_cookie(struct api_call *c);
/* The secret of a browser in which somebody has signed in before; empty without one. */
struct str access_device(const struct api_call *c);
#endif
