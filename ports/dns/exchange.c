#include "ports/dns/exchange.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "ports/dns/packet.h"

enum {
	EDNS_BYTES = 1232, /* no fragments on any path; what the CA's resolver says too */
	DATAGRAM_MAX = 4096,
	TRIES = 2, /* over UDP */
};

struct exchange {
	struct loop *loop;
	const struct clock *clock;
	struct exchange_question q;
	exchange_fn *fn;
	void *arg;
	int fd;
	struct loop_timer *timer;
	unsigned tries;
	bool is_tcp, was_cut;
	uint16_t id;
	char name[LIMIT_NAME_BYTES + 2]; /* as it was asked: letters at random */
	uint8_t *wire;			 /* the question; over TCP with its length before it */
	size_t wire_n, sent_n;
	uint8_t *in; /* over TCP: length and answer */
	size_t in_n, in_wanted;
};

/* ---- the question ---- */

static void
choose_letters(struct exchange *x)
{
	uint8_t bits[(LIMIT_NAME_BYTES + 7) / 8] = { 0 };

	if (!x->q.is_plain)
		x->clock->random(x->clock->ctx, bits, sizeof bits);
	memcpy(x->name, x->q.name.p, x->q.name.n);
	for (size_t i = 0; i < x->q.name.n; i++)
		if (x->name[i] >= 'a' && x->name[i] <= 'z' && (bits[i / 8] >> (i % 8) & 1) != 0)
			x->name[i] = (char)(x->name[i] - 'a' + 'A');
	x->name[x->q.name.n] = '.';
	x->name[x->q.name.n + 1] = '\0';
}

static bool
write_question(struct exchange *x)
{
	ldns_rdf *name = NULL;
	ldns_pkt *p = NULL;
	bool ok = ldns_str2rdf_dname(&name, x->name) == LDNS_STATUS_OK;

	if (ok) {
		p = ldns_pkt_query_new(name, (ldns_rr_type)x->q.type, LDNS_RR_CLASS_IN, 0);
		if (p == NULL)
			ldns_rdf_deep_free(name);
	}
	if (p == NULL)
		return false;
	x->clock->random(x->clock->ctx, &x->id, sizeof x->id);
	ldns_pkt_set_id(p, x->id);
	ldns_pkt_set_rd(p, x->q.is_to_resolver);
	if (!x->q.is_plain) {
		ldns_pkt_set_edns_udp_size(p, EDNS_BYTES);
		ldns_pkt_set_edns_do(p, x->q.want_dnssec);
	}
	free(x->wire);
	x->wire = NULL;
	ok = ldns_pkt2wire(&x->wire, p, &x->wire_n) == LDNS_STATUS_OK;
	ldns_pkt_free(p);
	return ok;
}

/* ---- the answer ---- */

static void
exchange_free(struct exchange *x)
{
	loop_cancel(x->loop, &x->timer);
	if (x->fd >= 0) {
		loop_unwatch(x->loop, x->fd);
		(void)close(x->fd); /* nothing was written that could be lost */
	}
	free(x->wire);
	free(x->in);
	free(x);
}

void
exchange_stop(struct exchange **x)
{
	if (*x != NULL)
		exchange_free(*x);
	*x = NULL;
}

static void
finish(struct exchange *x, const struct exchange_answer *answer)
{
	struct exchange_answer an = *answer;

	an.was_cut = x->was_cut;
	x->fn(x->arg, &an);
	exchange_free(x);
}

static void
finish_without(struct exchange *x, enum dns_status status)
{
	finish(x, &(struct exchange_answer){
		      .status = status, .rcode = -1, .is_tcp_silent = x->is_tcp });
}

static enum dns_status
status_of(int rcode)
{
	return rcode == LDNS_RCODE_NOERROR    ? DNS_OK
	       : rcode == LDNS_RCODE_NXDOMAIN ? DNS_NXDOMAIN
	       : rcode == LDNS_RCODE_SERVFAIL ? DNS_SERVFAIL
					      : DNS_BROKEN;
}

/* Is it an answer to what was asked? Letters aside: those are looked at by themselves. */
static bool
is_answer(const struct exchange *x, const ldns_pkt *p, bool *ret_is_case_lost)
{
	const ldns_rr_list *question = ldns_pkt_question(p);
	const ldns_rr *q =
	    ldns_rr_list_rr_count(question) == 1 ? ldns_rr_list_rr(question, 0) : NULL;

	if (ldns_pkt_id(p) != x->id || !ldns_pkt_qr(p))
		return false;
	/* Some old servers repeat no question with an error. */
	if (q == NULL)
		return ldns_pkt_get_rcode(p) != LDNS_RCODE_NOERROR;
	if (ldns_rr_get_type(q) != (ldns_rr_type)x->q.type)
		return false;
	char *text = ldns_rdf2str(ldns_rr_owner(q));
	if (text == NULL)
		return false;
	bool is_it = str_eq_nocase(str_of(text), str_of(x->name));
	*ret_is_case_lost = is_it && !str_eq(str_of(text), str_of(x->name));
	free(text);
	return is_it;
}

static bool begin_tcp(struct exchange *x);

/* False if the bytes are no answer to our question: over UDP the wait goes on. */
static bool
take(struct exchange *x, const uint8_t *bytes, size_t n)
{
	ldns_pkt *p = NULL;
	struct exchange_answer an = { .rcode = -1 };

	if (!packet_read(bytes, n, &p))
		return false;
	if (!is_answer(x, p, &an.is_case_lost)) {
		ldns_pkt_free(p);
		return false;
	}
	if (ldns_pkt_tc(p) && !x->is_tcp) {
		ldns_pkt_free(p);
		x->was_cut = true;
		if (!begin_tcp(x))
			finish_without(x, DNS_LOCAL);
		return true;
	}
	an.rcode = (int)ldns_pkt_get_rcode(p);
	an.status = status_of(an.rcode);
	an.is_authoritative = ldns_pkt_aa(p);
	an.packet = p;
	finish(x, &an);
	ldns_pkt_free(p);
	return true;
}

/* ---- sockets ---- */

static socklen_t
fill(const struct exchange_question *q, struct sockaddr_storage *to)
{
	memset(to, 0, sizeof *to);
	if (q->server.family == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)to;

		in->sin_family = AF_INET;
		in->sin_port = htons(q->port);
		memcpy(&in->sin_addr, q->server.bytes, 4);
		return sizeof *in;
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(q->port);
	memcpy(&in6->sin6_addr, q->server.bytes, 16);
	return sizeof *in6;
}

static void on_timer(void *arg);
static void on_udp(void *arg, int fd, int events);
static void on_tcp(void *arg, int fd, int events);

static bool
open_socket(struct exchange *x, int type, loop_fd_fn *fn, int events)
{
	struct sockaddr_storage to;
	socklen_t n = fill(&x->q, &to);

	if (x->fd >= 0) {
		loop_unwatch(x->loop, x->fd);
		(void)close(x->fd);
	}
	loop_cancel(x->loop, &x->timer);
	x->fd = socket(to.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	x->timer = loop_after(x->loop, x->q.timeout_ms, on_timer, x);
	if (x->fd < 0 || x->timer == NULL || !from_bind(&x->q.from, x->q.server.family, x->fd))
		return false;
	/* A refusal over UDP comes with the first read, over TCP with the first event. */
	if (connect(x->fd, (const struct sockaddr *)&to, n) != 0 && errno != EINPROGRESS) {
		int number = errno;

		if (number == EMFILE || number == ENOBUFS || number == ENOMEM)
			return false;
		/* No route: what is silent for us says it by the timer. */
		return true;
	}
	return loop_watch(x->loop, x->fd, events, fn, x) == ERR_OK;
}

static bool
begin_udp(struct exchange *x)
{
	x->tries++;
	if (!write_question(x) || !open_socket(x, SOCK_DGRAM, on_udp, LOOP_READ))
		return false;
	/* What cannot be sent now is as good as lost on the way: the timer decides. */
	(void)!send(x->fd, x->wire, x->wire_n, MSG_NOSIGNAL);
	return true;
}

static bool
begin_tcp(struct exchange *x)
{
	x->is_tcp = true;
	x->sent_n = x->in_n = 0;
	x->in_wanted = 2;
	if (!write_question(x) || x->wire_n > UINT16_MAX)
		return false;
	uint8_t *framed = malloc(x->wire_n + 2);
	x->in = malloc(UINT16_MAX + 2);
	if (framed == NULL || x->in == NULL) {
		free(framed);
		return false;
	}
	framed[0] = (uint8_t)(x->wire_n >> 8);
	framed[1] = (uint8_t)x->wire_n;
	memcpy(framed + 2, x->wire, x->wire_n);
	free(x->wire);
	x->wire = framed;
	x->wire_n += 2;
	return open_socket(x, SOCK_STREAM, on_tcp, LOOP_WRITE);
}

static void
on_timer(void *arg)
{
	struct exchange *x = arg;

	x->timer = NULL;
	if (!x->is_tcp && x->tries < TRIES) {
		if (!begin_udp(x))
			finish_without(x, DNS_LOCAL);
		return;
	}
	finish_without(x, DNS_TIMEOUT);
}

static void
on_udp(void *arg, int fd, int events)
{
	struct exchange *x = arg;
	uint8_t bytes[DATAGRAM_MAX];

	(void)events;
	for (;;) {
		ssize_t n = recv(fd, bytes, sizeof bytes, 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		/* Nobody listens on the port. */
		if (n < 0) {
			finish_without(x, DNS_TIMEOUT);
			return;
		}
		if (take(x, bytes, (size_t)n))
			return;
	}
}

static bool
is_pausing(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void
on_tcp(void *arg, int fd, int events)
{
	struct exchange *x = arg;

	(void)events;
	if (x->sent_n < x->wire_n) {
		ssize_t n = send(fd, x->wire + x->sent_n, x->wire_n - x->sent_n, MSG_NOSIGNAL);

		if (is_pausing(n))
			return;
		if (n < 0) {
			finish_without(x, DNS_TIMEOUT);
			return;
		}
		x->sent_n += (size_t)n;
		if (x->sent_n == x->wire_n &&
		    loop_watch(x->loop, fd, LOOP_READ, on_tcp, x) != ERR_OK)
			finish_without(x, DNS_LOCAL);
		return;
	}
	while (x->in_n < x->in_wanted) {
		ssize_t n = recv(fd, x->in + x->in_n, x->in_wanted - x->in_n, 0);

		if (is_pausing(n))
			return;
		if (n <= 0) {
			finish_without(x, DNS_TIMEOUT);
			return;
		}
		x->in_n += (size_t)n;
		if (x->in_n == 2)
			x->in_wanted = 2U + ((size_t)x->in[0] << 8 | x->in[1]);
	}
	if (!take(x, x->in + 2, x->in_n - 2))
		finish_without(x, DNS_BROKEN);
}

enum err
exchange_start(struct loop *l, const struct clock *c, const struct exchange_question *q,
    exchange_fn *fn, void *arg, struct exchange **ret)
{
	struct exchange *x;

	if (q->name.n == 0 || q->name.n > LIMIT_NAME_BYTES)
		return ERR_INVALID;
	x = calloc(1, sizeof *x);
	if (x == NULL)
		return ERR_MEMORY;
	*x =
	    (struct exchange){ .loop = l, .clock = c, .q = *q, .fn = fn, .arg = arg, .fd = -1 };
	choose_letters(x);
	if (!begin_udp(x)) {
		exchange_free(x);
		return ERR_MEMORY;
	}
	*ret = x;
	return ERR_OK;
}
