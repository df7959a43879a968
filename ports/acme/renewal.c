#include "ports/acme/inside.h"
#include "base/must.h"

/*
 * Renewal information (RFC 9773 4.1, 4.3): a plain GET of the directory's renewalInfo and the certificate's id. It needs neither
 * account nor nonce nor key, so it never stands in the line of the orders' requests.
 */

static void
read_window(const struct courier_answer *w, struct acme_answer *an)
{
	struct why why = { .text = "" };

	an->err = parse_renewal(w->body, &an->arena, &why, &an->renewal);
	an->renewal.retry_after = an->retry_after;
	if (an->err != ERR_OK)
		an->detail = arena_str(&an->arena, str_of(why.text));
}

static void
polled(void *arg, const struct courier_answer *w)
{
	struct job *j = arg;
	struct acme_http *a = j->a;
	struct acme_answer *an = j->answer;

	http_list_take(&a->polls, j);
	pace_told(a->pace, ENDPOINT_RENEWAL_INFO, w);
	/* Some CAs give a nonce with every answer; it is as good as any. */
	http_put_nonce(a, w->nonce);
	an->err = w->err;
	an->http_status = w->err == ERR_OK ? w->status : 0;
	if (w->err != ERR_OK) {
		an->detail = arena_str(&an->arena, w->words);
	} else {
		an->retry_after = parse_retry_after(w->retry_after, w->date, clock_now(&a->clock));
		if (w->status >= 200 && w->status < 300)
			read_window(w, an);
		else
			http_read_refusal(w, an);
	}
	http_finish(a, j);
	http_pump(a);
}

/* base64url "." base64url: it becomes a part of a URL. */
static bool
is_id(struct str s)
{
	size_t dots = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		dots += c == '.';
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
			return false;
	}
	return dots == 1 && s.n > 2 && s.p[0] != '.' && s.p[s.n - 1] != '.';
}

enum err
http_poll(struct acme_http *a, struct job *j, struct str ari_id)
{
	struct str base = a->directory.renewal_info;
	bool has_slash = base.n > 0 && base.p[base.n - 1] == '/';

	must(j->answer != NULL && j->answer->verb == ACME_RENEWAL_INFO);
	if (!parse_url_is_good(base, a->is_plain) || !is_id(ari_id))
		return ERR_INVALID;
	j->kind = JOB_POLL;
	j->state = JOB_ON_WIRE;
	j->answer->renewal.start = j->answer->renewal.end = j->answer->renewal.retry_after =
	    WHEN_UNKNOWN;
	buf_putf(&j->url, "%.*s%s%.*s", STR_ARG(base), has_slash ? "" : "/", STR_ARG(ari_id));
	if (j->url.err != ERR_OK)
		return j->url.err;
	http_refresh_directory(a);
	enum err e =
	    pace_send(a->pace, ENDPOINT_RENEWAL_INFO, COURIER_GET, j->url.p, STR_NONE, polled, j);
	if (e == ERR_OK)
		http_list_put(&a->polls, j);
	return e;
}
