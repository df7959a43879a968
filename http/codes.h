#ifndef KOSHIN_HTTP_CODES_H
#define KOSHIN_HTTP_CODES_H
/*
 * The second step of signing in: a one-time code of the person's app, or one of the recovery codes, each taken once. A wrong one counts
 * as a try of its own kind (core/access): whoever tries them has the password already.
 */
#include "http/inside.h"
#include "ports/store/codes.h"

/* is_on: codes are asked for. Without codes, or with those that were never confirmed: OK and false. */
MUST_USE enum err codes_load(
    struct api_call *c, int64_t person_id, struct code_row *ret, bool *ret_is_on);
/*
 * Judges what was typed. OK: it was right and is used up now; or (ret_is_judged false) the keeper is asked first and the handler is
 * called again. CODE_NEEDED: nothing was typed. DENIED, LIMITED: with words.
 */
MUST_USE enum err codes_judge(struct api_call *c, const struct person_row *p,
    const struct code_row *row, struct str typed, bool *ret_is_judged);
#endif
