#include "ports/acme/inside.h"

enum err
http_err_of_status(int status, struct str type)
{
	if (status >= 200 && status < 300)
		return ERR_OK;
	if (status >= 500)
		return ERR_SERVER;
	if (status == 429 || str_eq(type, STR("rateLimited")))
		return ERR_LIMITED;
	if (status == 408)
		return ERR_TIMEOUT;
	if (status == 404 || status == 410)
		return ERR_NOT_FOUND;
	return status >= 400 ? ERR_REFUSED : ERR_PEER;
}

bool
http_is_type(struct str header, struct str wanted)
{
	struct str s = header;

	return str_eq_nocase(str_trim(str_cut(&s, ';')), wanted);
}

/* The word of a CA that broke off: no refusal, since what was refused is not known. A limit is one whatever its text. */
static bool
is_broken_off(const struct courier_answer *w, enum err e, bool is_problem)
{
	return !is_problem && (e == ERR_REFUSED || e == ERR_NOT_FOUND) && http_is_type(w->type, STR("application/problem+json"));
}

void
http_read_refusal(const struct courier_answer *w, struct acme_answer *an)
{
	bool is_problem = parse_problem(w->body, &an->arena, &an->problem);

	an->err = http_err_of_status(w->status, an->problem.type);
	if (is_broken_off(w, an->err, is_problem))
		an->err = ERR_PEER;
	if (is_problem && (an->problem.type.n > 0 || an->problem.detail.n > 0))
		return;
	/* A page of the CA's front end: its beginning is evidence. */
	struct str body = str_trim(w->body);
	body.n = body.n > 300 ? 300 : body.n;
	while (body.n > 0 && !str_is_utf8(body))
		body.n--;
	an->detail = arena_strf(&an->arena, "HTTP status %d without a problem document; the body begins: %.*s", w->status, STR_ARG(body));
}
