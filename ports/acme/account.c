#include "ports/acme/inside.h"
#include "ports/acme/payload.h"

/* The directory, and the account that the port works with (RFC 8555 7.1.1, 7.3). */

static void
got_fresh_directory(void *arg, const struct courier_answer *w)
{
	struct acme_http *a = arg;
	struct arena arena;
	struct parse_directory d;

	a->is_directory_asked = false;
	pace_told(a->pace, ENDPOINT_DIRECTORY, w);
	arena_init(&arena, LIMIT_BODY_BYTES);
	/* A CA that stumbles keeps its old URLs. */
	if (w->err != ERR_OK || w->status != 200 ||
	    parse_directory(w->body, &arena, NULL, &d) != ERR_OK) {
		arena_fini(&arena);
		return;
	}
	arena_fini(&a->directory_arena);
	a->directory_arena = arena;
	a->directory = d;
}

void
http_refresh_directory(struct acme_http *a)
{
	struct when now = clock_now(&a->clock);

	if (a->is_directory_asked || when_between(a->directory_at, now).s < DIRECTORY_AGE.s)
		return;
	a->directory_at = now; /* asked; a failure is not repeated before the next time */
	a->is_directory_asked = pace_send(a->pace, ENDPOINT_DIRECTORY, COURIER_GET, a->account.directory.p,
				    STR_NONE, got_fresh_directory, a) == ERR_OK;
}

static struct acme_account
copy_account(const struct acme_account *from, struct arena *a)
{
	return (struct acme_account){
		.id = from->id,
		.name = arena_str(a, from->name),
		.directory = arena_str(a, from->directory),
		.only_existing = from->only_existing,
		.contact = arena_str(a, from->contact),
		.sealed_key = arena_str(a, from->sealed_key),
		.url = arena_str(a, from->url),
		.eab_kid = arena_str(a, from->eab_kid),
		.eab_sealed_hmac = arena_str(a, from->eab_sealed_hmac),
		.preferred_issuer = arena_str(a, from->preferred_issuer),
	};
}

/* The end of a registration, whichever way. */
void
http_registered(struct acme_http *a, const struct acme_registration *r)
{
	struct registration reg = a->reg;
	struct acme_registration told = *r;

	a->reg = (struct registration){ .is_open = false };
	if (told.err == ERR_OK) {
		struct arena keep, directory;

		reg.account.url = told.url;
		arena_init(&keep, LIMIT_BODY_BYTES);
		struct acme_account account = copy_account(&reg.account, &keep);
		directory = reg.arena;
		if (arena_failed(&keep)) {
			arena_fini(&keep);
			told.err = ERR_MEMORY;
		} else {
			/* The registration's arena holds the directory: it lives on as the directory's. */
			arena_fini(&a->keep);
			arena_fini(&a->directory_arena);
			a->keep = keep;
			a->account = account;
			a->directory_arena = directory;
			a->directory = reg.directory;
			a->directory_at = clock_now(&a->clock);
			a->is_open = true;
			told.url = account.url;
			reg.arena = (struct arena){ .max = 0 };
		}
	}
	told.directory = reg.directory.about;
	reg.done(reg.arg, &told);
	arena_fini(&reg.arena);
	http_pump(a);
}

static void
registration_failed(struct acme_http *a, enum err e, struct str words, struct when retry_after)
{
	struct acme_registration r = { .err = e, .detail = words, .retry_after = retry_after };

	http_registered(a, &r);
}

static void
ask_account(struct acme_http *a)
{
	struct job *j = http_job_new(a);
	struct acme_answer *an = j != NULL ? acme_answer_new() : NULL;
	struct registration *reg = &a->reg;

	if (an == NULL) {
		if (j != NULL)
			http_job_give(a, j);
		registration_failed(a, ERR_MEMORY, STR("no memory"), WHEN_UNKNOWN);
		return;
	}
	j->answer = an;
	j->kind = JOB_ACCOUNT;
	j->has_key_in_header = true;
	buf_put_str(&j->url, reg->directory.new_account);
	if (reg->account.only_existing)
		payload_put_existing(&j->payload);
	else
		payload_put_account(&j->payload, reg->account.contact, reg->eab);
	if (j->url.err != ERR_OK || j->payload.err != ERR_OK) {
		http_fail_later(
		    a, j, ERR_TOO_LONG, "the account's contact or binding is too long");
		return;
	}
	j->urgency = URGENCY_RETRY;
	http_wait(a, j);
	http_pump(a);
}

static void
got_eab(void *arg, const struct keys_answer *k)
{
	struct job *j = arg; /* only the marker whether the port is still there */
	struct acme_http *a = j->a;

	if (a == NULL) {
		http_job_free(j);
		return;
	}
	http_list_take(&a->active, j);
	http_job_give(a, j);
	if (k->err != ERR_OK) {
		registration_failed(a, k->err,
		    STR("the external account binding could not be signed"), WHEN_UNKNOWN);
		return;
	}
	a->reg.eab = arena_str(&a->reg.arena, k->json);
	ask_account(a);
}

static enum err
ask_eab(struct acme_http *a)
{
	struct job *j = http_job_new(a);
	struct keys_job k = {
		.verb = KEYS_EAB,
		.sealed = a->reg.account.sealed_key,
		.sealed_hmac = a->reg.account.eab_sealed_hmac,
		.kid = a->reg.account.eab_kid,
		.url = a->reg.directory.new_account,
	};

	if (j == NULL)
		return ERR_MEMORY;
	j->kind = JOB_ACCOUNT;
	j->state = JOB_SIGNS;
	http_list_put(&a->active, j);
	enum err e = a->keys->submit(a->keys->ctx, &k, got_eab, j);
	if (e != ERR_OK) {
		http_list_take(&a->active, j);
		http_job_give(a, j);
	}
	return e;
}

static void
got_directory(void *arg, const struct courier_answer *w)
{
	struct acme_http *a = arg;
	struct registration *reg = &a->reg;
	struct why why = { .text = "" };

	http_put_nonce(a, w->nonce);
	pace_told(a->pace, ENDPOINT_DIRECTORY, w);
	if (w->err != ERR_OK) {
		registration_failed(a, w->err, w->words, WHEN_UNKNOWN);
		return;
	}
	if (w->status != 200) {
		enum err e = http_err_of_status(w->status, STR_NONE);

		registration_failed(a, e == ERR_OK ? ERR_PEER : e,
		    arena_strf(
			&reg->arena, "the directory answers with HTTP status %d", w->status),
		    parse_retry_after(w->retry_after, w->date, clock_now(&a->clock)));
		return;
	}
	enum err e = parse_directory(w->body, &reg->arena, &why, &reg->directory);
	const struct parse_directory *d = &reg->directory;
	if (e == ERR_OK && !(parse_url_is_good(d->new_nonce, a->is_plain) &&
			       parse_url_is_good(d->new_account, a->is_plain) &&
			       parse_url_is_good(d->new_order, a->is_plain))) {
		e = ERR_PEER;
		why_set(&why, "a URL of the directory is not https");
	}
	if (e != ERR_OK) {
		registration_failed(a, e, str_of(why.text), WHEN_UNKNOWN);
		return;
	}
	if (reg->account.url.n > 0) {
		struct acme_registration r = {
			.err = ERR_OK, .url = reg->account.url, .retry_after = WHEN_UNKNOWN
		};

		http_registered(a, &r);
		return;
	}
	if (reg->account.only_existing || reg->account.eab_kid.n == 0 ||
	    reg->account.eab_sealed_hmac.n == 0) {
		ask_account(a);
		return;
	}
	e = ask_eab(a);
	if (e != ERR_OK)
		registration_failed(
		    a, e, STR("the keys port does not take the request"), WHEN_UNKNOWN);
}

enum err
http_open_account(
    void *ctx, const struct acme_account *account, acme_registered *done, void *arg)
{
	struct acme_http *a = ctx;
	struct registration *reg = &a->reg;
	bool is_plain = str_starts(account->directory, STR("http://"));

	if (reg->is_open)
		return ERR_BUSY;
	if (!parse_url_is_good(account->directory, true))
		return ERR_CONFIG;
	if (account->sealed_key.n == 0 || !str_is_line(account->contact))
		return ERR_INVALID;
	*reg = (struct registration){ .is_open = true, .done = done, .arg = arg };
	arena_init(&reg->arena, LIMIT_BODY_BYTES);
	reg->account = copy_account(account, &reg->arena);
	enum err e = arena_failed(&reg->arena)
			 ? ERR_MEMORY
			 : pace_send(a->pace, ENDPOINT_DIRECTORY, COURIER_GET, reg->account.directory.p,
			       STR_NONE, got_directory, a);
	if (e != ERR_OK) {
		arena_fini(&reg->arena);
		reg->is_open = false;
		return e;
	}
	a->is_plain = is_plain;
	return ERR_OK;
}
