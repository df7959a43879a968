#include "ports/dnsapi/update.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "ports/dns/exchange.h"
#include "ports/dns/packet.h"
#include "ports/dns/resolver.h"
#include "ports/file/file.h"

enum {
	SECRET_BYTES_MAX = 1024,
	FUDGE_S = 300,	  /* RFC 8945, 10 */
	TSIG_ERROR_AT = 5, /* of its fields, RFC 8945, 4.2 */
	TSIG_MAC_AT = 3,
	WORDS_BYTES_MAX = 1024,
};

struct zone {
	const struct config_update *config;
	struct sockaddr_storage server;
	socklen_t server_n;
	char *secret; /* base64 */
};
struct updates {
	struct loop *loop;
	const struct clock *clock;
	struct zone *zones;
	size_t zones_n, open_n;
	struct call *calls;
};
/* One message on its way. */
struct call {
	struct call *next, **prev;
	struct updates *updates;
	const struct zone *zone;
	dnsapi_done *done;
	void *arg;
	int fd;
	struct loop_timer *timer;
	enum err err; /* known before anything was sent */
	uint16_t id;
	ldns_rdf *mac; /* of the message: the answer's is made with it */
	uint8_t *out;  /* with its length before it */
	size_t out_n, sent_n;
	uint8_t *in;
	size_t in_n, in_wanted;
};

/* ---- the message ---- */

static ldns_rr *
make_record(const char *name, ldns_rr_type type, ldns_rr_class class)
{
	ldns_rdf *owner = NULL;
	ldns_rr *rr;

	if (ldns_str2rdf_dname(&owner, name) != LDNS_STATUS_OK)
		return NULL;
	rr = ldns_rr_new();
	if (rr == NULL) {
		ldns_rdf_deep_free(owner);
		return NULL;
	}
	ldns_rr_set_owner(rr, owner);
	ldns_rr_set_type(rr, type);
	ldns_rr_set_class(rr, class);
	ldns_rr_set_ttl(rr, 0);
	return rr;
}

/* The packet has it from now on. */
static bool
push(ldns_pkt *p, ldns_pkt_section section, ldns_rr *rr)
{
	if (rr != NULL && ldns_pkt_push_rr(p, section, rr))
		return true;
	ldns_rr_free(rr);
	return false;
}

static ldns_rr *
make_address(const char *name, struct str address, uint32_t ttl)
{
	const ldns_rr_type type = str_find(address, STR(":")) == SIZE_MAX ? LDNS_RR_TYPE_A : LDNS_RR_TYPE_AAAA;
	ldns_rr *rr = make_record(name, type, LDNS_RR_CLASS_IN);
	ldns_rdf *value = NULL;
	char text[64];

	if (rr == NULL || address.n >= sizeof text)
		goto fail;
	memcpy(text, address.p, address.n);
	text[address.n] = '\0';
	if ((type == LDNS_RR_TYPE_A ? ldns_str2rdf_a(&value, text) : ldns_str2rdf_aaaa(&value, text)) != LDNS_STATUS_OK)
		goto fail;
	ldns_rr_set_ttl(rr, ttl);
	if (!ldns_rr_push_rdf(rr, value)) {
		ldns_rdf_deep_free(value);
		goto fail;
	}
	return rr;
fail:
	ldns_rr_free(rr);
	return NULL;
}

/* Zone, what must not be there, what is to be there (RFC 2136 2.3 to 2.5). */
static bool
fill(ldns_pkt *p, const struct zone *z, const struct dnsapi_job *job, const char *name)
{
	static const ldns_rr_type absent[] = { LDNS_RR_TYPE_A, LDNS_RR_TYPE_AAAA, LDNS_RR_TYPE_CNAME };
	bool ok = push(p, LDNS_SECTION_QUESTION, make_record(z->config->zone, LDNS_RR_TYPE_SOA, LDNS_RR_CLASS_IN));

	for (size_t i = 0; ok && i < sizeof absent / sizeof *absent; i++)
		ok = push(p, LDNS_SECTION_ANSWER, make_record(name, absent[i], LDNS_RR_CLASS_NONE));
	for (size_t i = 0; ok && i < job->addresses_n; i++)
		ok = push(p, LDNS_SECTION_AUTHORITY, make_address(name, job->addresses[i], z->config->ttl));
	return ok;
}

static const char *
algorithm_of(const struct zone *z)
{
	return z->config->algorithm == TSIG_SHA512 ? "hmac-sha512." : "hmac-sha256.";
}

static bool
write_message(struct call *c, const struct dnsapi_job *job)
{
	const struct zone *z = c->zone;
	char name[LIMIT_NAME_BYTES + 2];
	ldns_pkt *p = ldns_pkt_new();
	uint8_t *wire = NULL;
	size_t n = 0;

	memcpy(name, job->name.p, job->name.n);
	memcpy(name + job->name.n, ".", 2);
	bool ok = p != NULL && fill(p, z, job, name);
	if (ok) {
		c->updates->clock->random(c->updates->clock->ctx, &c->id, sizeof c->id);
		ldns_pkt_set_id(p, c->id);
		ldns_pkt_set_opcode(p, LDNS_PACKET_UPDATE);
		ok = ldns_pkt_tsig_sign(p, z->config->key, z->secret, FUDGE_S, algorithm_of(z), NULL) == LDNS_STATUS_OK;
	}
	if (ok) {
		c->mac = ldns_rdf_clone(ldns_rr_rdf(ldns_pkt_tsig(p), TSIG_MAC_AT));
		ok = c->mac != NULL && ldns_pkt2wire(&wire, p, &n) == LDNS_STATUS_OK && n <= UINT16_MAX;
	}
	c->out = ok ? malloc(n + 2) : NULL;
	if (c->out != NULL) {
		c->out[0] = (uint8_t)(n >> 8);
		c->out[1] = (uint8_t)n;
		memcpy(c->out + 2, wire, n);
		c->out_n = n + 2;
	}
	free(wire);
	ldns_pkt_free(p);
	return c->out != NULL;
}

/* ---- its end ---- */

static void
call_free(struct call *c)
{
	*c->prev = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	c->updates->open_n--;
	loop_cancel(c->updates->loop, &c->timer);
	if (c->fd >= 0) {
		loop_unwatch(c->updates->loop, c->fd);
		(void)close(c->fd); /* whatever was lost is asked for again */
	}
	ldns_rdf_deep_free(c->mac);
	free(c->out);
	free(c->in);
	free(c);
}

/* What the operator has to look at. Of an answer with two codes the second one says more. */
static const char *
meaning_of(const char *code)
{
	static const struct {
		const char *code, *meaning;
	} rows[] = {
		{ "BADKEY", "it knows no key of this name and algorithm, or lets it change nothing here" },
		{ "BADSIG", "its secret of this key is another one" },
		{ "BADTIME", "its clock and ours are more than five minutes apart" },
		{ "BADTRUNC", "it wants longer signatures" },
		{ "REFUSED", "its rules do not let this key change the zone" },
		{ "NOTAUTH", "it is not the primary server of this zone, or its rules do not let this key change it" },
		{ "NOTZONE", "the name is in no zone that it serves" },
		{ "NOTIMPL", "it takes no updates" },
		{ "SERVFAIL", "it could not do it; its log may say why" },
		{ "FORMERR", "it could not read the update" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(code, rows[i].code) == 0)
			return rows[i].meaning;
	return NULL;
}

/* `said`: its codes, or what became of the connection. */
static void
finish(struct call *c, enum err err, const char *said, const char *meaning)
{
	const struct config_update *z = c->zone->config;
	AUTO_BUF words = { .max = WORDS_BYTES_MAX };

	if (err != ERR_OK)
		buf_putf(&words, "zone %s, server %s, key %s: %s%s%s", z->zone, z->server, z->key, said, meaning == NULL ? "" : ": ",
		    meaning == NULL ? "" : meaning);
	c->done(c->arg, &(struct dnsapi_answer){ err, buf_str(&words) });
	call_free(c);
}

/* "BADKEY" and the like: it stands in the answer's TSIG, which is not signed then. */
static const char *
tsig_error(const ldns_pkt *p)
{
	static const char *const words[] = { [16] = "BADSIG", [17] = "BADKEY", [18] = "BADTIME", [22] = "BADTRUNC" };
	const ldns_rr *tsig = ldns_pkt_tsig(p);

	if (tsig == NULL || ldns_rr_rd_count(tsig) <= TSIG_ERROR_AT || ldns_rdf_size(ldns_rr_rdf(tsig, TSIG_ERROR_AT)) != 2)
		return NULL;
	uint16_t code = ldns_rdf2native_int16(ldns_rr_rdf(tsig, TSIG_ERROR_AT));
	return code < sizeof words / sizeof *words ? words[code] : NULL;
}

static void
judge(struct call *c, ldns_pkt *p, const uint8_t *wire, size_t n)
{
	const struct zone *z = c->zone;
	const ldns_pkt_rcode rcode = ldns_pkt_get_rcode(p);
	const char *error = tsig_error(p);
	bool is_signed = ldns_pkt_tsig(p) != NULL && ldns_pkt_tsig_verify(p, wire, n, z->config->key, z->secret, c->mac);
	char *text = ldns_pkt_rcode2str(rcode);
	AUTO_BUF said = { .max = 128 };

	buf_putf(&said, "%s%s%s", text == NULL ? "no code" : text, error == NULL ? "" : " ", error == NULL ? "" : error);
	const char *meaning = error != NULL ? meaning_of(error) : text != NULL ? meaning_of(text) : NULL;
	if (!is_signed && (rcode == LDNS_RCODE_NOERROR || rcode == LDNS_RCODE_YXRRSET))
		finish(c, ERR_PEER, "the answer is not signed", NULL);
	else
		finish(c, rcode == LDNS_RCODE_NOERROR	 ? ERR_OK
			  : rcode == LDNS_RCODE_YXRRSET	 ? ERR_CONFLICT
			  : rcode == LDNS_RCODE_SERVFAIL ? ERR_SERVER
							 : ERR_REFUSED,
		    said.err == ERR_OK ? said.p : "", meaning);
	free(text);
}

static void
take(struct call *c)
{
	const uint8_t *wire = c->in + 2;
	size_t n = c->in_n - 2;
	ldns_pkt *p = NULL;

	if (!packet_read(wire, n, &p)) {
		finish(c, ERR_PEER, "the answer cannot be read", NULL);
		return;
	}
	if (ldns_pkt_id(p) == c->id && ldns_pkt_qr(p) && ldns_pkt_get_opcode(p) == LDNS_PACKET_UPDATE)
		judge(c, p, wire, n);
	else
		finish(c, ERR_PEER, "the answer is to another question", NULL);
	ldns_pkt_free(p);
}

/* ---- the connection ---- */

static const char no_connection[] = "no connection", is_it_up[] = "does it run, and does it take TCP from here?";

static bool
is_pausing(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void
on_timer(void *arg)
{
	struct call *c = arg;

	c->timer = NULL;
	finish(c, c->err == ERR_OK ? ERR_TIMEOUT : c->err, c->err == ERR_OK ? "no answer in time" : no_connection, is_it_up);
}

static void
on_ready(void *arg, int fd, int events)
{
	struct call *c = arg;

	(void)events;
	if (c->sent_n < c->out_n) {
		ssize_t n = send(fd, c->out + c->sent_n, c->out_n - c->sent_n, MSG_NOSIGNAL);

		if (is_pausing(n))
			return;
		if (n < 0) {
			finish(c, ERR_CONNECT, no_connection, is_it_up);
			return;
		}
		c->sent_n += (size_t)n;
		if (c->sent_n == c->out_n && loop_watch(c->updates->loop, fd, LOOP_READ, on_ready, c) != ERR_OK)
			finish(c, ERR_MEMORY, "no memory", NULL);
		return;
	}
	while (c->in_n < c->in_wanted) {
		ssize_t n = recv(fd, c->in + c->in_n, c->in_wanted - c->in_n, 0);

		if (is_pausing(n))
			return;
		if (n <= 0) {
			finish(c, ERR_CLOSED, "the connection was closed before an answer", NULL);
			return;
		}
		c->in_n += (size_t)n;
		if (c->in_n == 2)
			c->in_wanted = 2U + ((size_t)c->in[0] << 8 | c->in[1]);
	}
	take(c);
}

/* What cannot even be begun is told by the timer: never from inside submit. */
static enum err
begin(struct call *c)
{
	const struct zone *z = c->zone;
	struct loop *l = c->updates->loop;

	c->fd = socket(z->server.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool is_begun = c->fd >= 0 && (connect(c->fd, (const struct sockaddr *)&z->server, z->server_n) == 0 || errno == EINPROGRESS);
	if (!is_begun)
		c->err = ERR_CONNECT;
	c->timer = loop_after(l, is_begun ? UPDATE_MS : 0, on_timer, c);
	if (c->timer == NULL)
		return ERR_MEMORY;
	return is_begun ? loop_watch(l, c->fd, LOOP_WRITE, on_ready, c) : ERR_OK;
}

static const struct zone *
zone_of(const struct updates *u, struct str name)
{
	const struct zone *best = NULL;

	for (size_t i = 0; i < u->zones_n; i++) {
		struct str zone = str_of(u->zones[i].config->zone);

		if (str_is_in_zone(name, zone) && (best == NULL || zone.n > strlen(best->config->zone)))
			best = &u->zones[i];
	}
	return best;
}

static enum err
submit(void *ctx, const struct dnsapi_job *job, dnsapi_done *done, void *arg)
{
	struct updates *u = ctx;
	const struct zone *z = zone_of(u, job->name);

	if (z == NULL)
		return ERR_NOT_FOUND;
	if (job->name.n > LIMIT_NAME_BYTES || job->addresses_n == 0)
		return ERR_INVALID;
	if (u->open_n >= UPDATES_OPEN_MAX)
		return ERR_FULL;
	struct call *c = calloc(1, sizeof *c);
	if (c == NULL)
		return ERR_MEMORY;
	*c = (struct call){ .next = u->calls, .prev = &u->calls, .updates = u, .zone = z, .done = done, .arg = arg, .fd = -1, .in_wanted = 2 };
	if (c->next != NULL)
		c->next->prev = &c->next;
	u->calls = c;
	u->open_n++;
	c->in = malloc(UINT16_MAX + 2);
	enum err err = c->in != NULL && write_message(c, job) ? begin(c) : ERR_MEMORY;
	if (err != ERR_OK)
		call_free(c);
	return err;
}

/* ---- the zones ---- */

static enum err
read_secret(const struct config_update *config, struct why *why, char **ret)
{
	AUTO_BUF b = { .max = SECRET_BYTES_MAX };
	enum err err = file_read(config->secret_file, true, &b, why);

	if (err == ERR_OK) {
		struct str rest = buf_str(&b), secret = str_trim(str_cut(&rest, '\n'));
		ldns_rdf *bytes = NULL;

		*ret = strndup(secret.p == NULL ? "" : secret.p, secret.n);
		if (*ret == NULL)
			err = ERR_MEMORY;
		else if (secret.n == 0 || ldns_str2rdf_b64(&bytes, *ret) != LDNS_STATUS_OK) {
			why_set(why, "%s: the first line has to be the key's secret, as base64", config->secret_file);
			err = ERR_CONFIG;
		}
		if (bytes != NULL)
			explicit_bzero(ldns_rdf_data(bytes), ldns_rdf_size(bytes));
		ldns_rdf_deep_free(bytes);
	}
	if (b.p != NULL)
		explicit_bzero(b.p, b.cap);
	return err;
}

enum err
updates_new(struct loop *l, const struct clock *c, const struct config *config, struct why *why, struct updates **ret)
{
	struct updates *u = calloc(1, sizeof *u);
	enum err err = ERR_OK;

	if (u == NULL)
		return ERR_MEMORY;
	u->loop = l;
	u->clock = c;
	u->zones = calloc(config->dns.updates_n + 1, sizeof *u->zones);
	if (u->zones == NULL)
		err = ERR_MEMORY;
	for (size_t i = 0; err == ERR_OK && i < config->dns.updates_n; i++) {
		struct zone *z = &u->zones[u->zones_n++];

		z->config = &config->dns.updates[i];
		err = dns_endpoint_read(z->config->server, &z->server, &z->server_n) ? read_secret(z->config, why, &z->secret) : ERR_CONFIG;
	}
	if (err != ERR_OK) {
		updates_free(&u);
		return err;
	}
	*ret = u;
	return ERR_OK;
}

void
updates_free(struct updates **u)
{
	if (*u == NULL)
		return;
	while ((*u)->calls != NULL)
		call_free((*u)->calls);
	for (size_t i = 0; i < (*u)->zones_n; i++) {
		char *secret = (*u)->zones[i].secret;

		if (secret != NULL)
			explicit_bzero(secret, strlen(secret));
		free(secret);
	}
	free((*u)->zones);
	free(*u);
	*u = NULL;
}

struct dnsapi
updates_port(struct updates *u)
{
	return (struct dnsapi){ u, submit };
}
