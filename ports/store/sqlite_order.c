#include "ports/store/query.h"

/* --- orders --- */

enum err
store_order_put(struct store *s, const struct order_row *o, int64_t *ret_id)
{
	AUTO_BUF names = { .max = 0 };
	enum err e = query_pack_names(s, o->names, o->names_n, &names);

	if (e != ERR_OK)
		return e;
	AUTO_QUERY q = query_start(s, SQL_ORDER_PUT, NULL);
	query_bind_int(&q, "site_id", o->site_id);
	query_bind_id(&q, "ca_id", o->ca_id);
	query_bind_u64(&q, "job", o->job);
	query_bind_word(&q, "phase", order_phase_name(o->phase));
	query_bind_text(&q, "url", o->url);
	query_bind_text(&q, "finalize_url", o->finalize_url);
	query_bind_text(&q, "certificate_url", o->certificate_url);
	query_bind_blob(&q, "sealed_key", o->sealed_key.p, o->sealed_key.n);
	query_bind_blob(&q, "csr_der", o->csr_der.p, o->csr_der.n);
	query_bind_text(&q, "replaces", o->replaces);
	query_bind_text(&q, "profile", o->profile);
	query_bind_text(&q, "names", buf_str(&names));
	query_bind_when(&q, "created", o->created);
	query_bind_int(&q, "is_open", o->is_open);
	e = query_write(&q);
	if (e == ERR_OK)
		*ret_id = sqlite3_last_insert_rowid(s->db);
	return e;
}

static enum err
one_changed(struct store *s, enum err e, const char *what, int64_t id)
{
	if (e == ERR_OK && sqlite3_changes(s->db) == 0)
		return query_fail(s, ERR_NOT_FOUND, "there is no %s %lld", what, (long long)id);
	return e;
}

enum err
store_order_save(struct store *s, const struct order *o, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_ORDER_SAVE, NULL);

	query_bind_word(&q, "phase", order_phase_name(o->phase));
	query_bind_text(&q, "url", o->url);
	query_bind_text(&q, "finalize_url", o->finalize_url);
	query_bind_text(&q, "certificate_url", o->certificate_url);
	query_bind_text(&q, "replaces", o->replaces);
	query_bind_text(&q, "profile", o->profile);
	query_bind_when(&q, "now", now);
	query_bind_int(&q, "id", o->id);
	return one_changed(s, query_write(&q), "order", o->id);
}

enum err
store_order_close(struct store *s, int64_t id, enum order_phase phase, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_ORDER_CLOSE, NULL);

	query_bind_word(&q, "phase", order_phase_name(phase));
	query_bind_when(&q, "now", now);
	query_bind_int(&q, "id", id);
	return one_changed(s, query_write(&q), "order", id);
}

static struct order_row
read_order(struct query *q)
{
	struct order_row o = { .id = query_id(q, "id") };

	o.site_id = query_id(q, "site_id");
	o.ca_id = query_id(q, "ca_id");
	o.job = query_u64(q, "job");
	struct str word = query_word(q, "phase");
	if (!order_phase_of_name(word, &o.phase))
		query_corrupt(q, "phase", word);
	o.url = query_text(q, "url");
	o.finalize_url = query_text(q, "finalize_url");
	o.certificate_url = query_text(q, "certificate_url");
	o.sealed_key = query_text(q, "sealed_key");
	o.csr_der = query_text(q, "csr_der");
	o.replaces = query_text(q, "replaces");
	o.profile = query_text(q, "profile");
	o.names = query_names(q, "names", &o.names_n);
	o.created = query_when(q, "created");
	o.is_open = query_bool(q, "is_open");
	return o;
}

enum err
store_order_load(struct store *s, int64_t id, struct arena *a, struct order_row *ret)
{
	AUTO_QUERY q = query_start(s, SQL_ORDER_LOAD, a);
	struct order_row o = { 0 };

	query_bind_int(&q, "id", id);
	if (query_row(&q))
		o = read_order(&q);
	enum err e = query_finish(&q);
	if (e == ERR_OK && o.id == 0)
		return query_fail(s, ERR_NOT_FOUND, "there is no order %lld", (long long)id);
	if (e == ERR_OK)
		*ret = o;
	return e;
}

enum err
store_orders_open(struct store *s, struct arena *a, struct order_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_ORDERS_OPEN, a);
	struct order_row *rows = NULL;
	size_t n = 0;

	while (query_row(&q)) {
		rows = query_grow(&q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		rows[n++] = read_order(&q);
	}
	enum err e = query_finish(&q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}

/* --- certificates --- */

static enum err
insert_certificate(struct store *s, const struct certificate_row *c, struct str names)
{
	AUTO_QUERY q = query_start(s, SQL_CERTIFICATE_PUT, NULL);

	query_bind_int(&q, "site_id", c->site_id);
	query_bind_id(&q, "ca_id", c->ca_id);
	query_bind_id(&q, "order_id", c->order_id);
	query_bind_when(&q, "not_before", c->info.not_before);
	query_bind_when(&q, "not_after", c->info.not_after);
	query_bind_blob(&q, "fingerprint", c->info.fingerprint, FINGERPRINT_BYTES);
	query_bind_text(&q, "serial", c->info.serial);
	query_bind_text(&q, "issuer", c->info.issuer);
	query_bind_text(&q, "ari_id", c->info.ari_id);
	query_bind_text(&q, "names", names);
	query_bind_text(&q, "chain_pem", c->chain_pem);
	query_bind_blob(&q, "sealed_key", c->sealed_key.p, c->sealed_key.n);
	query_bind_when(&q, "created", c->created);
	query_bind_int(&q, "is_archived", c->is_archived);
	query_bind_int(&q, "is_own", c->is_own);
	return query_write(&q);
}

static enum err
archive_others(struct store *s, int64_t site_id, int64_t id)
{
	AUTO_QUERY q = query_start(s, SQL_CERTIFICATE_ARCHIVE, NULL);

	query_bind_int(&q, "site_id", site_id);
	query_bind_int(&q, "id", id);
	return query_write(&q);
}

enum err
store_certificate_put(struct store *s, const struct certificate_row *c, int64_t *ret_id)
{
	AUTO_BUF names = { .max = 0 };
	enum err e = query_pack_names(s, c->info.names, c->info.names_n, &names);
	struct bracket b;

	if (e == ERR_OK)
		e = bracket_begin(s, false, &b);
	if (e != ERR_OK)
		return e;
	e = insert_certificate(s, c, buf_str(&names));
	int64_t id = sqlite3_last_insert_rowid(s->db);
	if (e == ERR_OK)
		e = archive_others(s, c->site_id, id);
	e = bracket_end(s, &b, e);
	if (e == ERR_OK)
		*ret_id = id;
	return e;
}

static struct certificate_row
read_certificate(struct query *q)
{
	struct certificate_row c = { .id = query_id(q, "id") };

	c.site_id = query_id(q, "site_id");
	c.ca_id = query_id(q, "ca_id");
	c.order_id = query_id(q, "order_id");
	c.info.not_before = query_when(q, "not_before");
	c.info.not_after = query_when(q, "not_after");
	query_fingerprint(q, "fingerprint", c.info.fingerprint);
	c.info.serial = query_text(q, "serial");
	c.info.issuer = query_text(q, "issuer");
	c.info.ari_id = query_text(q, "ari_id");
	c.info.names = query_names(q, "names", &c.info.names_n);
	c.chain_pem = query_text(q, "chain_pem");
	c.sealed_key = query_text(q, "sealed_key");
	c.created = query_when(q, "created");
	c.is_archived = query_bool(q, "is_archived");
	c.is_own = query_bool(q, "is_own");
	return c;
}

enum err
store_certificate_load(
    struct store *s, int64_t id, struct arena *a, struct certificate_row *ret)
{
	AUTO_QUERY q = query_start(s, SQL_CERTIFICATE_LOAD, a);
	struct certificate_row c = { 0 };

	query_bind_int(&q, "id", id);
	if (query_row(&q))
		c = read_certificate(&q);
	enum err e = query_finish(&q);
	if (e == ERR_OK && c.id == 0)
		return query_fail(
		    s, ERR_NOT_FOUND, "there is no certificate %lld", (long long)id);
	if (e == ERR_OK)
		*ret = c;
	return e;
}

enum err
store_certificate_own(struct store *s, int64_t site_id, struct arena *a, struct certificate_row *ret)
{
	AUTO_QUERY q = query_start(s, SQL_CERTIFICATE_OWN, a);
	struct certificate_row c = { 0 };

	query_bind_int(&q, "site_id", site_id);
	if (query_row(&q))
		c = read_certificate(&q);
	enum err e = query_finish(&q);
	if (e == ERR_OK && c.id == 0)
		return query_fail(s, ERR_NOT_FOUND, "site %lld has no certificate of its owner's", (long long)site_id);
	if (e == ERR_OK)
		*ret = c;
	return e;
}

enum err
store_certificates_of(struct store *s, int64_t site_id, struct arena *a,
    struct certificate_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_CERTIFICATES_OF, a);
	struct certificate_row *rows = NULL;
	size_t n = 0;

	query_bind_int(&q, "site_id", site_id);
	query_bind_int(&q, "max", LIMIT_PAGE_ROWS);
	while (query_row(&q)) {
		rows = query_grow(&q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		rows[n++] = read_certificate(&q);
	}
	enum err e = query_finish(&q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}
