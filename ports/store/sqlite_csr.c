#include "ports/store/csr.h"
#include "ports/store/query.h"

enum { CHAINS_MAX = 4 };

enum err
store_csr_put(struct store *s, const struct csr_row *r, int64_t *ret_id)
{
	AUTO_BUF names = { .max = 0 };
	enum err e = query_pack_names(s, r->names, r->names_n, &names);

	if (e != ERR_OK)
		return e;
	AUTO_QUERY q = query_start(s, SQL_CSR_PUT, NULL);
	query_bind_int(&q, "site_id", r->site_id);
	query_bind_word(&q, "key_type", key_type_name(r->key_type));
	query_bind_text(&q, "names", buf_str(&names));
	query_bind_blob(&q, "csr_der", r->csr_der.p, r->csr_der.n);
	query_bind_blob(&q, "sealed_key", r->sealed_key.p, r->sealed_key.n);
	query_bind_blob(&q, "key_id", r->key_id, KEY_ID_BYTES);
	query_bind_when(&q, "created", r->created);
	query_bind_text(&q, "by", r->by);
	e = query_write(&q);
	if (e == ERR_OK)
		*ret_id = sqlite3_last_insert_rowid(s->db);
	return e;
}

static struct csr_row
read_csr(struct query *q)
{
	struct csr_row r = { .id = query_id(q, "id") };

	r.site_id = query_id(q, "site_id");
	struct str word = query_word(q, "key_type");
	if (!key_type_of_name(word, &r.key_type))
		query_corrupt(q, "key_type", word);
	r.names = query_names(q, "names", &r.names_n);
	r.csr_der = query_text(q, "csr_der");
	r.sealed_key = query_text(q, "sealed_key");
	query_fingerprint(q, "key_id", r.key_id);
	r.created = query_when(q, "created");
	r.by = query_text(q, "by");
	r.answered = query_when(q, "answered");
	return r;
}

enum err
store_csrs_of(struct store *s, int64_t site_id, struct when now, struct arena *a, struct csr_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_CSRS_OF, a);
	struct csr_row *rows = NULL;
	size_t n = 0;

	query_bind_int(&q, "site_id", site_id);
	query_bind_when(&q, "after", when_minus(now, CSR_WAITS));
	query_bind_int(&q, "max", LIMIT_CSRS);
	while (query_row(&q)) {
		rows = query_grow(&q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		rows[n++] = read_csr(&q);
	}
	enum err e = query_finish(&q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}

enum err
store_csr_of_key(struct store *s, int64_t site_id, const uint8_t key_id[KEY_ID_BYTES], struct when now, struct arena *a,
    struct csr_row *ret)
{
	AUTO_QUERY q = query_start(s, SQL_CSR_OF_KEY, a);
	struct csr_row r = { 0 };

	query_bind_int(&q, "site_id", site_id);
	query_bind_blob(&q, "key_id", key_id, KEY_ID_BYTES);
	query_bind_when(&q, "after", when_minus(now, CSR_WAITS));
	if (query_row(&q))
		r = read_csr(&q);
	enum err e = query_finish(&q);
	if (e == ERR_OK && r.id == 0)
		return query_fail(s, ERR_NOT_FOUND, "no request of site %lld has this key", (long long)site_id);
	if (e == ERR_OK)
		*ret = r;
	return e;
}

enum err
store_csr_drop(struct store *s, int64_t site_id, int64_t id)
{
	AUTO_QUERY q = query_start(s, SQL_CSR_DROP, NULL);

	query_bind_int(&q, "site_id", site_id);
	query_bind_int(&q, "id", id);
	enum err e = query_write(&q);
	if (e == ERR_OK && sqlite3_changes(s->db) == 0)
		return query_fail(s, ERR_NOT_FOUND, "site %lld has no request %lld", (long long)site_id, (long long)id);
	return e;
}

enum err
store_csrs_end(struct store *s, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_CSRS_END, NULL);

	query_bind_when(&q, "by", when_minus(now, CSR_WAITS));
	return query_write(&q);
}

enum err
store_csr_answered(struct store *s, int64_t id, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_CSR_ANSWERED, NULL);

	query_bind_when(&q, "now", now);
	query_bind_int(&q, "id", id);
	return query_write(&q);
}

enum err
store_own_chains(struct store *s, struct str issuer, struct arena *a, struct str **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_OWN_CHAINS, a);
	struct str *chains = NULL;
	size_t n = 0;

	query_bind_text(&q, "issuer", issuer);
	query_bind_int(&q, "max", CHAINS_MAX);
	while (query_row(&q)) {
		chains = query_grow(&q, chains, n, sizeof *chains);
		if (chains == NULL)
			break;
		chains[n++] = query_text(&q, "chain_pem");
	}
	enum err e = query_finish(&q);
	if (e != ERR_OK)
		return e;
	*ret = chains;
	*ret_n = n;
	return ERR_OK;
}
