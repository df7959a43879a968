#include "ports/probe/shake.h"

#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "ports/keys/x509.h"

/* Debian's bundle: one file, so that no folder is searched during a handshake. */
static const char system_roots[] = "/etc/ssl/certs/ca-certificates.crt";

enum { CHAIN_MAX = 10, VERDICTS_MAX = 64, LINE_BYTES = 1024, EXCHANGES_MAX = 3 };

/* What is said before TLS begins: a word of ours, none at first, and how the answer that lets us go on begins. */
struct exchange {
	const char *word, *answer;
};
static const struct exchange openings[][EXCHANGES_MAX] = {
	[SERVICE_TLS] = { { NULL, NULL } },
	[SERVICE_SMTP] = { { "", "220" }, { "EHLO koshin.invalid\r\n", "250" }, { "STARTTLS\r\n", "220" } },
	[SERVICE_IMAP] = { { "", "* OK" }, { "a STARTTLS\r\n", "a OK" } },
	[SERVICE_POP3] = { { "", "+OK" }, { "STLS\r\n", "+OK" } },
	[SERVICE_FTP] = { { "", "220" }, { "AUTH TLS\r\n", "234" } },
};

/* What was made of a chain: names of one site, and looks in short order, show the same one again. */
struct verdict {
	unsigned char chain[32]; /* over the leaf and what was sent with it */
	bool is_known, is_ok, is_incomplete;
	const char *words; /* static */
};
struct shaker {
	struct shaker_options o;
	SSL_CTX *tls;
	X509_STORE *roots;
	struct verdict verdicts[VERDICTS_MAX];
	size_t verdicts_next;
};

struct shake {
	struct shaker *s;
	struct shake_target t;
	struct gate_pass pass;
	struct loop_timer *timer;
	int fd;
	bool is_connected;
	size_t exchange; /* of the opening, that is under way */
	bool is_in_lines; /* within an answer of several lines */
	char line[LINE_BYTES];
	size_t line_n;
	SSL *ssl;
};

static void
shake_free(struct shake *x)
{
	loop_cancel(x->s->o.loop, &x->timer);
	gate_leave(x->s->o.gate, &x->pass);
	SSL_free(x->ssl);
	if (x->fd >= 0) {
		loop_unwatch(x->s->o.loop, x->fd);
		close(x->fd);
	}
	free(x);
}

static void
put_detail(struct shake *x, const char *words)
{
	x->t.into->detail = arena_str(x->t.arena, str_of(words));
}

static void
finish(struct shake *x, enum tls_result result)
{
	loop_fn *done = x->t.done;
	void *arg = x->t.arg;

	x->t.into->result = result;
	shake_free(x);
	done(arg);
}

void
shake_stop(struct shake **xp)
{
	struct shake *x = *xp;

	if (x == NULL)
		return;
	*xp = NULL;
	if (x->pass.is_waiting)
		put_detail(x, "too many connections of ours are open");
	x->t.into->result = x->pass.is_waiting ? TLS_NOT_TRIED : TLS_TIMEOUT;
	shake_free(x);
}

static void
on_timer(void *arg)
{
	struct shake *x = arg;

	x->timer = NULL;
	put_detail(
	    x, x->is_connected ? "no answer to the handshake" : "no answer to the connection");
	finish(x, TLS_TIMEOUT);
}

static void
finish_errno(struct shake *x, int number)
{
	put_detail(x, strerrordesc_np(number));
	switch (number) {
	case ECONNREFUSED:
		finish(x, TLS_REFUSED);
		break;
	case ETIMEDOUT:
		finish(x, TLS_TIMEOUT);
		break;
	case ECONNRESET:
	case EPIPE:
		finish(x, TLS_RESET);
		break;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		finish(x, TLS_NOT_TRIED); /* our own limits say nothing about the site */
		break;
	default:
		finish(x, TLS_UNREACHABLE);
	}
}

/* ---- what was shown ---- */

/* Of a certificate that x509_read_der refuses (a device's own, without names): enough to tell it from others. */
static void
read_bare_facts(struct shake *x, X509 *leaf)
{
	struct certificate_info *c = &x->t.into->leaf;
	unsigned n = 0;
	char *issuer = X509_NAME_oneline(X509_get_issuer_name(leaf), NULL, 0);

	*c = (struct certificate_info){
		.not_before = x509_when(X509_get0_notBefore(leaf)),
		.not_after = x509_when(X509_get0_notAfter(leaf)),
		.issuer = arena_str(x->t.arena, str_of(issuer)),
	};
	OPENSSL_free(issuer);
	if (X509_digest(leaf, EVP_sha256(), c->fingerprint, &n) != 1)
		ERR_clear_error();
}

static void
read_leaf(struct shake *x, X509 *leaf)
{
	struct why why = { "" };
	struct certificate_info info;

	if (x509_read(leaf, x->t.arena, &why, &info) == ERR_OK) {
		x->t.into->leaf = info;
	} else {
		put_detail(
		    x, why.text[0] != '\0' ? why.text : "the certificate cannot be read");
		read_bare_facts(x, leaf);
	}
}

static bool
is_issuer_unknown(int error)
{
	return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	       error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
	       error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT;
}

/*
 * Incomplete: the leaf's own issuer is not among what was sent nor among the roots. If it was sent and the way up
 * ends later, the certificate is of a CA that visitors do not know, and no further one would help.
 */
static bool
verify(const struct shaker *s, X509 *leaf, STACK_OF(X509) * sent, struct verdict *ret)
{
	X509_STORE_CTX *v = X509_STORE_CTX_new();

	if (v == NULL || X509_STORE_CTX_init(v, s->roots, leaf, sent) != 1) {
		X509_STORE_CTX_free(v);
		return false;
	}
	X509_STORE_CTX_set_flags(v, X509_V_FLAG_NO_CHECK_TIME);
	(void)X509_STORE_CTX_set_default(v, "ssl_server");
	ret->is_ok = X509_verify_cert(v) == 1;
	if (!ret->is_ok) {
		int error = X509_STORE_CTX_get_error(v);
		bool is_own_issuer =
		    X509_NAME_cmp(X509_get_issuer_name(leaf), X509_get_subject_name(leaf)) == 0;

		ret->is_incomplete = is_issuer_unknown(error) &&
				     X509_STORE_CTX_get_error_depth(v) == 0 && !is_own_issuer;
		ret->words = X509_verify_cert_error_string(error);
		/* Memory that is short says nothing of a chain: judged anew next time. */
		ret->is_known = error != X509_V_ERR_OUT_OF_MEM && error != X509_V_ERR_UNSPECIFIED;
	} else {
		ret->is_known = true;
	}
	X509_STORE_CTX_free(v);
	return true;
}

/* A name for the chain as it was sent; false if it is longer than any that has reason to be. */
static bool
name_chain(X509 *leaf, STACK_OF(X509) * sent, unsigned char ret[32])
{
	unsigned char prints[(CHAIN_MAX + 1) * 32];
	int sent_n = sk_X509_num(sent);
	unsigned n = 0;

	if (sent_n > CHAIN_MAX || X509_digest(leaf, EVP_sha256(), prints, &n) != 1 || n != 32)
		return false;
	size_t used = 32;
	for (int i = 0; i < sent_n; i++, used += 32)
		if (X509_digest(sk_X509_value(sent, i), EVP_sha256(), prints + used, &n) != 1 || n != 32)
			return false;
	return EVP_Digest(prints, used, ret, &n, EVP_sha256(), NULL) == 1;
}

static void
judge_chain(struct shake *x, X509 *leaf, STACK_OF(X509) * sent)
{
	struct shaker *s = x->s;
	struct tls_evidence *t = x->t.into;
	struct verdict now = { .is_known = false };
	const struct verdict *found = NULL;
	bool is_named = name_chain(leaf, sent, now.chain);

	for (size_t i = 0; is_named && found == NULL && i < VERDICTS_MAX; i++)
		if (s->verdicts[i].is_known && memcmp(s->verdicts[i].chain, now.chain, sizeof now.chain) == 0)
			found = &s->verdicts[i];
	if (found == NULL) {
		if (!verify(s, leaf, sent, &now))
			return;
		found = &now;
		if (is_named && now.is_known)
			s->verdicts[s->verdicts_next++ % VERDICTS_MAX] = now;
	}
	t->chain_ok = found->is_ok;
	t->chain_is_incomplete = found->is_incomplete;
	if (!found->is_ok && t->detail.n == 0)
		put_detail(x, found->words);
}

/* The first place over HTTP that the certificate names for its list (RFC 5280 4.2.1.13). */
static struct str
crl_url_of(X509 *leaf, struct arena *a)
{
	STACK_OF(DIST_POINT) *points = X509_get_ext_d2i(leaf, NID_crl_distribution_points, NULL, NULL);
	struct str url = STR_NONE;

	for (int i = 0; points != NULL && url.n == 0 && i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT *point = sk_DIST_POINT_value(points, i);

		if (point->distpoint == NULL || point->distpoint->type != 0)
			continue;
		for (int k = 0; url.n == 0 && k < sk_GENERAL_NAME_num(point->distpoint->name.fullname); k++) {
			int type = 0;
			const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(point->distpoint->name.fullname, k), &type);

			if (type != GEN_URI || value == NULL)
				continue;
			struct str s = { (const char *)ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value) };
			if (str_starts(s, STR("http://")) && s.n <= LIMIT_URL_BYTES && str_is_line(s))
				url = arena_str(a, s);
		}
	}
	CRL_DIST_POINTS_free(points);
	return url;
}

/* The key of whoever has issued the leaf, of what was sent with it. */
static struct str
issuer_key_of(X509 *leaf, STACK_OF(X509) * sent, struct arena *a)
{
	for (int i = 0; i < sk_X509_num(sent) && i < CHAIN_MAX; i++) {
		X509 *issuer = sk_X509_value(sent, i);
		unsigned char *der = NULL;

		if (X509_check_issued(issuer, leaf) != X509_V_OK)
			continue;
		int n = i2d_PUBKEY(X509_get0_pubkey(issuer), &der);
		struct str key = n > 0 ? arena_str(a, (struct str){ (const char *)der, (size_t)n }) : STR_NONE;
		OPENSSL_free(der);
		return key;
	}
	return STR_NONE;
}

static void
on_shown(struct shake *x)
{
	X509 *leaf = SSL_get0_peer_certificate(x->ssl);

	if (leaf == NULL) {
		put_detail(x, "the handshake ended without a certificate");
		finish(x, TLS_ALERT);
		return;
	}
	read_leaf(x, leaf);
	judge_chain(x, leaf, SSL_get_peer_cert_chain(x->ssl));
	if (x->t.wants_revocation && x->t.into->chain_ok) {
		x->t.into->crl_url = crl_url_of(leaf, x->t.arena);
		x->t.into->issuer_key = issuer_key_of(leaf, SSL_get_peer_cert_chain(x->ssl), x->t.arena);
	}
	ERR_clear_error();
	(void)SSL_shutdown(
	    x->ssl); /* says good-bye if the socket takes it; nothing hangs on it */
	ERR_clear_error();
	finish(x, TLS_SHOWN);
}

/* ---- the handshake ---- */

static void on_event(void *arg, int fd, int events);

static void
wait_for(struct shake *x, int events)
{
	if (loop_watch(x->s->o.loop, x->fd, events, on_event, x) != ERR_OK) {
		put_detail(x, "out of memory");
		finish(x, TLS_NOT_TRIED);
	}
}

/* --- before TLS --- */

static const struct exchange *
exchange_of(const struct shake *x)
{
	const struct exchange *e = &openings[x->t.opening][x->exchange];

	return x->exchange < EXCHANGES_MAX && e->word != NULL ? e : NULL;
}

/* A whole line: 1 the answer is there, 0 more lines follow, -1 it is another answer. */
static int
judge_line(struct shake *x, struct str line)
{
	const char *answer = exchange_of(x)->answer;
	bool is_number = answer[0] >= '0' && answer[0] <= '9', is_it = str_starts(line, str_of(answer));

	if (is_number && is_it && line.n > 3 && line.p[3] == '-') {
		x->is_in_lines = true;
		return 0;
	}
	if (is_it)
		return 1;
	/* RFC 959 4.2: lines between the first and the last may begin with anything. RFC 9051 7: untagged answers come before the tagged one. */
	return x->is_in_lines || (answer[0] == 'a' && str_starts(line, STR("* "))) ? 0 : -1;
}

/* False: it has ended. */
static bool
next_exchange(struct shake *x)
{
	x->exchange++;
	x->is_in_lines = false;
	const struct exchange *e = exchange_of(x);

	/* What stands behind an answer was said before we asked: in front of TLS somebody may have put it there (RFC 3207 6). */
	if (x->line_n > 0) {
		put_detail(x, "the service says more than it was asked for");
		finish(x, TLS_ALERT);
		return false;
	}
	if (e == NULL)
		return true;
	ssize_t n = send(x->fd, e->word, strlen(e->word), MSG_NOSIGNAL);
	if (n == (ssize_t)strlen(e->word))
		return true;
	finish_errno(x, n < 0 ? errno : EPIPE);
	return false;
}

/* Takes whole lines off what has come in. False: it has ended. */
static bool
take_lines(struct shake *x)
{
	const char *end;

	while (exchange_of(x) != NULL && (end = memchr(x->line, '\n', x->line_n)) != NULL) {
		size_t n = (size_t)(end - x->line) + 1;
		int verdict = judge_line(x, (struct str){ x->line, n });

		x->line_n -= n;
		memmove(x->line, end + 1, x->line_n);
		if (verdict < 0) {
			put_detail(x, "the service does not begin TLS");
			finish(x, TLS_ALERT);
			return false;
		}
		if (verdict > 0 && !next_exchange(x))
			return false;
	}
	if (exchange_of(x) != NULL && x->line_n == sizeof x->line) {
		put_detail(x, "the service says something else than its protocol");
		finish(x, TLS_ALERT);
		return false;
	}
	return true;
}

/* True: TLS may begin. */
static bool
talk(struct shake *x)
{
	while (exchange_of(x) != NULL) {
		ssize_t n = recv(x->fd, x->line + x->line_n, sizeof x->line - x->line_n, 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			wait_for(x, LOOP_READ);
			return false;
		}
		if (n < 0) {
			finish_errno(x, errno);
			return false;
		}
		if (n == 0) {
			put_detail(x, "the connection was closed before TLS");
			finish(x, TLS_RESET);
			return false;
		}
		x->line_n += (size_t)n;
		if (!take_lines(x))
			return false;
	}
	return true;
}

static void
go_on(struct shake *x)
{
	if (!talk(x))
		return;
	ERR_clear_error();
	errno = 0;
	int rc = SSL_connect(x->ssl);
	int number = errno;

	if (rc == 1) {
		on_shown(x);
		return;
	}
	switch (SSL_get_error(x->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		wait_for(x, LOOP_READ);
		return;
	case SSL_ERROR_WANT_WRITE:
		wait_for(x, LOOP_WRITE);
		return;
	case SSL_ERROR_SYSCALL:
		if (number != 0) {
			finish_errno(x, number);
			return;
		}
		break;
	default:
		break;
	}
	unsigned long e = ERR_peek_error();
	const char *words = ERR_reason_error_string(e);
	bool is_cut = e == 0 || (ERR_GET_LIB(e) == ERR_LIB_SSL &&
				    ERR_GET_REASON(e) == SSL_R_UNEXPECTED_EOF_WHILE_READING);

	put_detail(x, words != NULL ? words : "the connection was closed during the handshake");
	ERR_clear_error();
	finish(x, is_cut ? TLS_RESET : TLS_ALERT);
}

static void
on_event(void *arg, int fd, int events)
{
	struct shake *x = arg;

	(void)events;
	if (!x->is_connected) {
		int error = 0;
		socklen_t n = sizeof error;

		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
			error = errno;
		if (error != 0) {
			finish_errno(x, error);
			return;
		}
		x->is_connected = true;
	}
	go_on(x);
}

static socklen_t
sockaddr_of(const struct address *a, uint16_t port, struct sockaddr_storage *ret)
{
	*ret = (struct sockaddr_storage){ 0 };
	if (a->family == 4) {
		struct sockaddr_in *v4 = (struct sockaddr_in *)ret;

		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		memcpy(&v4->sin_addr, a->bytes, 4);
		return sizeof *v4;
	}
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	memcpy(&v6->sin6_addr, a->bytes, 16);
	return sizeof *v6;
}

static void
begin(void *arg)
{
	struct shake *x = arg;
	char name[LIMIT_NAME_BYTES + 1]; /* OpenSSL's macro wants it writable, and copies it */
	struct sockaddr_storage to;
	socklen_t to_n = sockaddr_of(&x->t.ip, x->t.port != 0 ? x->t.port : x->s->o.port, &to);

	memcpy(name, x->t.name.p, x->t.name.n);
	name[x->t.name.n] = '\0';
	x->timer = loop_after(x->s->o.loop, x->s->o.timeout_ms, on_timer, x);
	x->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (x->fd < 0) {
		finish_errno(x, errno);
		return;
	}
	if (!from_bind(&x->s->o.from, x->t.ip.family, x->fd)) {
		put_detail(x, "the address that probes come from is none of this machine's");
		finish(x, TLS_NOT_TRIED);
		return;
	}
	x->ssl = SSL_new(x->s->tls);
	if (x->timer == NULL || x->ssl == NULL || SSL_set_fd(x->ssl, x->fd) != 1 ||
	    SSL_set_tlsext_host_name(x->ssl, name) != 1) {
		ERR_clear_error();
		put_detail(x, "out of memory");
		finish(x, TLS_NOT_TRIED);
		return;
	}
	if (connect(x->fd, (const struct sockaddr *)&to, to_n) != 0 && errno != EINPROGRESS) {
		finish_errno(x, errno);
		return;
	}
	wait_for(x, LOOP_WRITE);
}

enum err
shake_start(struct shaker *s, const struct shake_target *t, struct shake **ret)
{
	if (t->name.n == 0 || t->name.n > LIMIT_NAME_BYTES)
		return ERR_INVALID;
	struct shake *x = calloc(1, sizeof *x);
	if (x == NULL)
		return ERR_MEMORY;
	x->s = s;
	x->t = *t;
	x->fd = -1;
	if (!gate_enter(s->o.gate, &x->pass, begin, x)) {
		shake_free(x);
		return ERR_MEMORY;
	}
	*ret = x;
	return ERR_OK;
}

/* Whatever is shown is taken: judge_chain says what it is worth. libssl would first look for a way up by itself. */
static int
take_any(X509_STORE_CTX *v, void *arg)
{
	(void)v;
	(void)arg;
	return 1;
}

enum err
shaker_new(const struct shaker_options *o, struct why *why, struct shaker **ret)
{
	struct shaker *s = calloc(1, sizeof *s);
	enum err e = ERR_OK;

	if (s == NULL)
		return ERR_MEMORY;
	s->o = *o;
	s->tls = SSL_CTX_new(TLS_client_method());
	s->roots = X509_STORE_new();
	if (s->tls == NULL || s->roots == NULL ||
	    SSL_CTX_set_min_proto_version(s->tls, TLS1_2_VERSION) != 1) {
		e = ERR_MEMORY;
	} else {
		SSL_CTX_set_verify(s->tls, SSL_VERIFY_NONE, NULL);
		SSL_CTX_set_cert_verify_callback(s->tls, take_any, NULL);
		SSL_CTX_set_session_cache_mode(s->tls, SSL_SESS_CACHE_OFF);
		/* Otherwise libssl asks the kernel twice for each record of a handshake. Nothing is read after it. */
		SSL_CTX_set_read_ahead(s->tls, 1);
		/* Hundreds wait at one time: while one waits, it needs no room for records. */
		SSL_CTX_set_mode(s->tls, SSL_MODE_RELEASE_BUFFERS);
		if (o->roots != NULL && X509_STORE_load_file(s->roots, o->roots) != 1) {
			why_set(why, "the roots in %s cannot be read", o->roots);
			e = ERR_CONFIG;
		} else if (o->roots == NULL &&
			   X509_STORE_load_file(s->roots, system_roots) != 1) {
			/* Another system than Debian; without any roots every chain counts as broken. */
			if (X509_STORE_set_default_paths(s->roots) != 1)
				e = ERR_MEMORY;
		}
	}
	s->o.roots = NULL; /* read */
	ERR_clear_error();
	if (e != ERR_OK) {
		shaker_free(&s);
		return e;
	}
	*ret = s;
	return ERR_OK;
}

void
shaker_free(struct shaker **sp)
{
	struct shaker *s = *sp;

	if (s == NULL)
		return;
	SSL_CTX_free(s->tls);
	X509_STORE_free(s->roots);
	free(s);
	*sp = NULL;
}
