/*
 * The owner's own certificate: the file is read and judged here, in a process without keys; a key that came with it goes to the keeper
 * at once and comes back sealed. What is not fit to be used is refused with the one thing to do, and nothing has changed. What is fit
 * is stored, and the engine takes it the way of every certificate.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "core/own_issuer.h"
#include "http/inside.h"
#include "http/json_site.h"
#include "ports/keys/own.h"
#include "ports/names/names.h"
#include "ports/store/csr.h"

/* One file, judged. Fit to be given up with judged_fini whatever happened. */
struct judged {
	struct own_certificate certificate;
	struct finding_list findings;
	struct buf chain;
	struct secret key;	 /* came with it */
	struct csr_row csr;	 /* has its key; id 0: none */
	bool is_completed;	 /* by what is known of its issuer, or was asked for */
};

static void
judged_fini(struct judged *j)
{
	secret_fini(&j->key);
	buf_fini(&j->chain);
}

static void
wipe_text(json_t *body, const char *field)
{
	const json_t *v = json_object_get(body, field);

	secret_wipe((struct str){ json_string_value(v), json_string_length(v) });
}

/* There may be a private key in it. */
static void
wipe_body(struct api_call *c)
{
	wipe_text(c->body, "text");
	wipe_text(c->body, "binary");
	wipe_text(c->body, "password");
}

static struct str
text_of(const struct api_call *c, const char *field)
{
	const json_t *v = json_object_get(c->body, field);

	return v == NULL ? STR_NONE : (struct str){ json_string_value(v), json_string_length(v) };
}

static enum err
decode(struct api_call *c, struct str base64, struct secret *ret)
{
	size_t n = 0;
	enum err err = base64.n == 0 ? ERR_OK : secret_init(base64.n, ret);

	if (base64.n == 0 || err != ERR_OK)
		return err;
	if (sodium_base642bin(ret->p, ret->n, base64.p, base64.n, " \r\n", &n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0) {
		why_set(&c->why, "field \"binary\": expected a file in base64");
		return ERR_INVALID;
	}
	ret->n = n;
	return ERR_OK;
}

/* Certificates of the same issuer that owners have brought before: their chains have what this file may lack. */
static enum err
known_chains(struct api_call *c, struct str issuer, struct buf *out)
{
	struct str *chains;
	size_t n;
	enum err err = store_own_chains(c->api->store, issuer, c->a, &chains, &n);

	for (size_t i = 0; err == ERR_OK && i < n; i++)
		buf_put_str(out, chains[i]);
	return err == ERR_OK ? out->err : err;
}

static enum err
read_file(struct api_call *c, struct judged *j)
{
	AUTO_SECRET binary = { 0 };
	AUTO_BUF known = { .max = 16 * LIMIT_CHAIN_BYTES };
	struct str password = text_of(c, "password");
	struct own_input in = { .files = { text_of(c, "text") },
		.password = password.n > 0 ? password.p : "",
		.roots = c->api->config->check.roots,
		.now = c->turn.now };
	enum err err = decode(c, text_of(c, "binary"), &binary);

	in.files[1] = (struct str){ (const char *)binary.p, binary.n };
	buf_init(&j->chain, 2 * LIMIT_CHAIN_BYTES);
	if (err == ERR_OK)
		err = own_read(&in, c->a, &j->certificate, &j->chain, &j->key);
	if (err != ERR_OK || !j->certificate.is_read || j->certificate.is_complete)
		return err;
	buf_put_str(&known, c->q->issuers);
	err = known_chains(c, j->certificate.leaf.issuer, &known);
	if (err != ERR_OK || known.n == 0)
		return err;
	in.known = buf_str(&known);
	buf_clear(&j->chain);
	secret_fini(&j->key);
	err = own_read(&in, c->a, &j->certificate, &j->chain, &j->key);
	j->is_completed = j->certificate.is_complete;
	return err;
}

/* Before its owner is asked for what is missing, its issuer is. */
static bool
is_search_wanted(struct api_call *c, const struct judged *j)
{
	if (c->q->is_searched || own_issuer_next(&j->certificate, NULL, 0).n == 0)
		return false;
	c->reply->kind = API_ISSUERS;
	c->reply->chain_pem = arena_str(c->a, buf_str(&j->chain));
	return true;
}

/* A request that was made here has the key, whichever of them it is. */
static enum err
find_csr(struct api_call *c, const struct site *s, struct judged *j)
{
	struct own_certificate *o = &j->certificate;

	if (!o->is_read || o->key == OWN_KEY_HERE)
		return ERR_OK;
	enum err err = store_csr_of_key(c->api->store, s->id, o->key_id, c->turn.now, c->a, &j->csr);
	if (err == ERR_OK)
		o->key = OWN_KEY_HERE;
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static struct str *
wanted_names(struct api_call *c, const struct site *s, size_t *ret_n)
{
	struct str *names = arena_get(c->a, (s->names_n + 1) * sizeof *names);
	size_t n = 0;

	for (size_t i = 0; names != NULL && i < s->names_n; i++)
		if (s->names[i].is_wanted)
			names[n++] = s->names[i].name;
	*ret_n = n;
	return names;
}

static enum err
judge(struct api_call *c, const struct site *s, struct judged *j)
{
	size_t names_n, cap = s->names_n + 8;
	struct str *names = wanted_names(c, s, &names_n);
	struct finding *room = arena_get(c->a, cap * sizeof *room);
	enum err err = names == NULL || room == NULL ? ERR_MEMORY : read_file(c, j);

	if (err == ERR_OK)
		err = find_csr(c, s, j);
	if (err != ERR_OK)
		return err;
	j->findings = (struct finding_list){ .at = room, .cap = cap };
	classify_own_certificate(&j->certificate, names, names_n, c->turn.now, c->a, &j->findings);
	return ERR_OK;
}

/* --- telling --- */

static json_t *
findings_document(struct api_call *c, const struct site *s, const struct judged *j)
{
	static const struct view none;
	const struct json_site_facts facts = {
		.order_phase = ORDER_PHASE_COUNT, .now = c->turn.now, .zone = config_zone(c->api->config)
	};
	json_t *list = json_array();
	bool ok = true;

	for (size_t i = 0; i < j->findings.n; i++)
		ok = json_array_append_new(list, json_finding(&j->findings.at[i], s->names[0].name, &none, &facts, c->a)) == 0 && ok;
	if (ok)
		return list;
	json_decref(list);
	return NULL;
}

static const char *
key_word(const struct judged *j)
{
	switch (j->certificate.key) {
	case OWN_KEY_UNASKED:
	case OWN_KEY_MISSING:
		return "missing";
	case OWN_KEY_HERE:
		return j->csr.id != 0 ? "request" : "file";
	case OWN_KEY_OTHER:
		return "other";
	case OWN_KEY_LOCKED:
		return "locked";
	}
	return "missing";
}

static json_t *
verdict(struct api_call *c, const struct site *s, const struct judged *j)
{
	const struct own_certificate *o = &j->certificate;
	json_t *d = json_object();
	bool is_usable = own_certificate_is_usable(&j->findings);
	bool ok = json_put(d, "usable", json_boolean(is_usable)) && json_put(d, "findings", findings_document(c, s, j)) &&
		  json_put(d, "read", json_boolean(o->is_read)) &&
		  json_put(d, "names", json_names(o->leaf.names, o->leaf.names_n, c->a)) && json_put(d, "fingerprint", json_fingerprint(o->leaf.fingerprint)) && json_put(d, "issuer", json_text(o->leaf.issuer)) &&
		  json_put(d, "not_before", json_date(o->is_read ? o->leaf.not_before : WHEN_UNKNOWN)) &&
		  json_put(d, "not_after", json_date(o->is_read ? o->leaf.not_after : WHEN_UNKNOWN)) &&
		  json_put(d, "key", json_string(key_word(j))) && json_put(d, "completed", json_boolean(j->is_completed)) &&
		  json_put(d, "warn_at",
		      json_date(is_usable ? life_own_warn_at((struct life){ o->leaf.not_before, o->leaf.not_after }) : WHEN_UNKNOWN)) &&
		  json_put(d, "takeover_at",
		      json_date(is_usable ? life_takeover_at((struct life){ o->leaf.not_before, o->leaf.not_after }) : WHEN_UNKNOWN));

	if (ok)
		return d;
	json_decref(d);
	return NULL;
}

enum err
own_check(struct api_call *c)
{
	struct site s;
	__attribute__((cleanup(judged_fini))) struct judged j = { .is_completed = false };
	enum err err = api_load(c, &s);

	if (err == ERR_OK)
		err = judge(c, &s, &j);
	wipe_body(c);
	if (err == ERR_OK && !is_search_wanted(c, &j))
		api_give(c, 200, verdict(c, &s, &j));
	return err;
}

/* The first thing that is wrong, in the words of its cause. */
static enum err
refuse(struct api_call *c, const struct judged *j)
{
	const struct words_context ctx = { .lang = c->q->lang,
		.now = c->turn.now,
		.zone = config_zone(c->api->config),
		.for_people = names_for_people,
		.registered_domain = names_registered_domain };
	AUTO_BUF text = { .max = 16384 };
	const struct finding *worst = &j->findings.at[0];

	for (size_t i = 0; i < j->findings.n; i++)
		if (cause_row(j->findings.at[i].cause)->severity > cause_row(worst->cause)->severity)
			worst = &j->findings.at[i];
	words_cause_title(worst, &ctx, &text);
	buf_put_str(&text, STR(": "));
	words_cause(worst, CAUSE_CAUSE, &ctx, &text);
	why_set(&c->why, "%.*s", STR_ARG(buf_str(&text)));
	return ERR_INVALID;
}

/* --- taking it --- */

/* Everything in one transaction: the certificate with its key, the setting, and the wish. */
static enum err
put(struct api_call *c, const struct site *s, const struct judged *j, struct str sealed)
{
	const struct certificate_row row = { .site_id = s->id,
		.info = j->certificate.leaf,
		.chain_pem = buf_str(&j->chain),
		.sealed_key = sealed,
		.created = c->turn.now,
		.is_own = true };
	struct setting setting = s->setting;
	int64_t id;
	enum err err = store_certificate_put(c->api->store, &row, &id);

	setting.source = SOURCE_OWN;
	setting.takeover = json_is_true(json_object_get(c->body, "takeover"));
	if (err == ERR_OK)
		err = store_setting_put(c->api->store, s->id, &setting);
	/* The draft that waited for it has come to its end. */
	if (err == ERR_OK && s->draft.exists && s->draft.setting.source == SOURCE_OWN)
		err = store_draft_discard(c->api->store, s->id);
	if (err == ERR_OK && j->is_completed)
		err = api_put_history(c, s->id, HISTORY_CHAIN_COMPLETED, STR_NONE);
	if (err == ERR_OK && j->csr.id != 0)
		err = store_csr_answered(c->api->store, j->csr.id, c->turn.now);
	if (err == ERR_OK && s->setting.source == SOURCE_NONE)
		err = store_given_up_drop(c->api->store, s->id);
	return err != ERR_OK ? err : store_wish_put(c->api->store, s->id, SITE_IMPORTED, c->turn.now);
}

static enum err
store_it(struct api_call *c, const struct judged *j, struct str sealed)
{
	struct site s;
	enum err err = store_begin(c->api->store);

	if (err != ERR_OK)
		return err;
	err = api_load(c, &s);
	if (err == ERR_OK)
		err = put(c, &s, j, sealed);
	err = api_end(c, err);
	return err != ERR_OK ? err : api_give_site(c, 202, s.id);
}

enum err
own_import(struct api_call *c)
{
	struct site s;
	__attribute__((cleanup(judged_fini))) struct judged j = { .is_completed = false };
	enum err err = api_load(c, &s);

	if (err == ERR_OK)
		err = api_expects(c, &s);
	/* Whoever was stopped by the provider has to speak with the provider first. */
	if (err == ERR_OK && s.given_up != NULL && s.given_up->is_suspended && c->asker.role == ROLE_OWNER) {
		api_say(c, "api.suspended", s.names[0].name);
		err = ERR_CONFLICT;
	}
	if (err == ERR_OK)
		err = judge(c, &s, &j);
	wipe_body(c);
	if (err != ERR_OK || is_search_wanted(c, &j))
		return err;
	if (!own_certificate_is_usable(&j.findings))
		return refuse(c, &j);
	if (j.csr.id != 0)
		return store_it(c, &j, j.csr.sealed_key);
	if (c->q->is_sealed)
		return store_it(c, &j, c->q->sealed);
	c->reply->kind = API_OWN;
	c->reply->secret = arena_str(c->a, (struct str){ (const char *)j.key.p, j.key.n });
	c->reply->chain_pem = arena_str(c->a, buf_str(&j.chain));
	return ERR_OK;
}

/* Free SSL instead. It is served on until the free one is here. */
enum err
own_end(struct api_call *c)
{
	struct site s;
	enum err err = store_begin(c->api->store);

	if (err != ERR_OK)
		return err;
	err = api_load(c, &s);
	if (err == ERR_OK && s.setting.source != SOURCE_OWN) {
		api_say(c, "api.not-own", s.names[0].name);
		err = ERR_CONFLICT;
	}
	if (err == ERR_OK) {
		struct setting setting = s.setting;

		setting.source = SOURCE_FREE;
		err = api_put_live(c, &s, &setting, (struct read_texts){ 0 });
	}
	err = api_end(c, err);
	return err != ERR_OK ? err : api_give_site(c, 202, s.id);
}
