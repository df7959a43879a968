#include "sim/acme/inside.h"
#include <sys/resource.h>
#include "base/must.h"

/* What a test says and asks while the CA runs, over plain HTTP on an address of its own. */

static void
say(struct httpd_reply *ret, int status, const char *words)
{
	ret->status = status;
	ret->type = "text/plain";
	buf_putf(&ret->body, "%s\n", words);
}

static void
put_status(const struct fake *f, struct buf *to)
{
	struct rusage u;

	must(getrusage(RUSAGE_SELF, &u) == 0);
	int64_t cpu_us = (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
	buf_putf(to,
	    "{\"requests\":%llu,\"early\":%llu,\"accounts\":%zu,\"orders\":%zu,\"issued\":%llu,\"validations\":%llu,\"log\":%zu,"
	    "\"cpu_us\":%lld,\"down\":%s,\"orders_by_status\":{",
	    (unsigned long long)f->requests_n, (unsigned long long)f->early_n, f->accounts.n, f->orders.n, (unsigned long long)f->issued_n,
	    (unsigned long long)f->validations_n, f->log.n, (long long)cpu_us, f->is_down ? "true" : "false");
	size_t counts[S_REVOKED + 1] = { 0 };
	for (size_t i = 0; i < f->orders.n; i++)
		counts[order_status(f->orders.at[i], fake_now(f))]++;
	for (size_t i = S_PENDING; i <= S_INVALID; i++)
		buf_putf(to, "%s\"%s\":%zu", i > 0 ? "," : "", status_name((enum status)i), counts[i]);
	buf_put_str(to, STR("}}\n"));
}

void
control_handle(void *arg, const struct httpd_request *r, struct httpd_reply *ret)
{
	struct fake *f = arg;
	struct str query = r->path, path = str_cut(&query, '?');
	int64_t after = 0;
	struct why why = { "" };

	if (str_eq(r->method, STR("POST")) && str_eq(path, STR("/control"))) {
		enum err err = fake_say(f, r->body, &why);

		say(ret, err == ERR_OK ? 200 : 400, err == ERR_OK ? "ok" : why.text[0] != '\0' ? why.text : err_words(err));
		return;
	}
	if (!str_eq(r->method, STR("GET"))) {
		say(ret, 405, "expected: POST /control, or GET of /log, /status, /tls-root.pem, /roots.pem");
		return;
	}
	ret->status = 200;
	ret->type = "application/json";
	if (str_eq(path, STR("/log"))) {
		if (query.n > 0 && (!str_starts(query, STR("after=")) ||
				       !str_to_int((struct str){ query.p + 6, query.n - 6 }, &after) || after < 0)) {
			say(ret, 400, "expected: /log, or /log?after=N");
			return;
		}
		log_write(f, (size_t)after, &ret->body);
	} else if (str_eq(path, STR("/status"))) {
		put_status(f, &ret->body);
	} else if (str_eq(path, STR("/tls-root.pem"))) {
		ret->type = "application/x-pem-file";
		buf_put_str(&ret->body, sign_tls_root(f->sign));
	} else if (str_eq(path, STR("/roots.pem"))) {
		ret->type = "application/x-pem-file";
		buf_put_str(&ret->body, sign_roots(f->sign));
	} else {
		say(ret, 404, "expected: /log, /status, /tls-root.pem, /roots.pem");
	}
}
