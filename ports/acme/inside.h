#ifndef KOSHIN_PORTS_ACME_INSIDE_H
#define KOSHIN_PORTS_ACME_INSIDE_H
/*
 * What http.c and account.c share. No other file includes this.
 *
 * A request is a job: it waits in line, gets a nonce, is signed by the keys port, is sent, and is answered. Nonces come
 * with every answer and are pooled; newNonce is asked only when the pool is empty, because CAs limit it sharply
 * (Let's Encrypt: 20 a second).
 */
#include "base/limits.h"
#include "ports/acme/http.h"
#include "ports/acme/parse.h"
#include "ports/acme/courier.h"
#include "ports/acme/pace.h"
#include "ports/keys/known.h"

enum {
	ACTIVE_MAX = 64, /* jobs that are signed or on the wire: under the burst that CAs allow */
	PACED_MAX = 32, /* of them wait for their second before no new order joins them */
	NONCES_MAX = 96,
	NONCE_BYTES = 128,
	NONCE_FETCHES_MAX = 4, /* at one time */
	NONCE_FETCHES_A_SECOND = 20,
	/* For one request, each retried at once with the nonce of the refusal (RFC 8555 6.5). A CA that refuses every
	 * other nonce (pebble can) still lets all but one of 64 through; the order tries the rest again. */
	BAD_NONCES_MAX = 5,
	ALTERNATES_MAX = 8,
	FREE_JOBS_MAX = 64,
};
#define NONCE_AGE_MS (5 * 60 * 1000) /* CAs forget them; a stale one costs a request */
#define DIRECTORY_AGE SPAN_H(6) /* RFC 8555 7.1.1: a client may cache it, and URLs do change */

enum job_kind { JOB_REQUEST, JOB_ACCOUNT, JOB_POLL };
enum job_state { JOB_WAITS, JOB_SIGNS, JOB_ON_WIRE };
/*
 * Who goes first when more is to be sent than may be under way. What was begun is ended before more is begun: a hundred orders come to their
 * ends one after the other, and not all of them at the end of all. None of the three waits for ever: see first_waiting.
 */
enum urgency {
	URGENCY_RETRY, /* has had its turn, with a nonce that the CA did not like; and registrations */
	URGENCY_STEP,  /* takes an order further */
	URGENCY_POLL,  /* asks how an order is getting on */
	URGENCY_ORDER, /* places an order */
	URGENCY_COUNT
};

struct job {
	struct acme_http *a; /* NULL once the port is gone, while the keys port still holds the job */
	struct job *next, *prev;
	enum job_kind kind;
	enum job_state state;
	bool is_forgotten, has_key_in_header; /* jwk instead of kid */
	enum urgency urgency;
	unsigned bad_nonces;
	struct buf url, payload;
	struct acme_answer *answer; /* owned until it is delivered */
	acme_done *done;
	void *arg;
	/* CERTIFICATE: in the answer's arena */
	struct str *names, csr_der;
	size_t names_n;
	struct str first_chain; /* the CA's default, kept while alternates are looked at */
	struct certificate_info first;
	struct str alternates[ALTERNATES_MAX];
	size_t alternates_n, alternate_i;
};

struct nonce {
	char text[NONCE_BYTES];
	struct mono at;
};

/* A registration under way; one at a time. */
struct registration {
	bool is_open;
	acme_registered *done;
	void *arg;
	struct arena arena; /* of `account` and of what is answered */
	struct acme_account account;
	struct parse_directory directory;
	struct str eab;
};

struct list {
	struct job *first, *last;
	size_t n;
};

struct acme_http {
	struct loop *loop;
	struct clock clock;
	struct keys *keys;
	struct courier *courier;
	struct pace *pace; /* every request goes through it */
	struct list waiting[URGENCY_COUNT], active;
	unsigned turn; /* who of those that wait is preferred */
	struct list polls; /* of renewal information, on the wire: beside the line of signed requests */
	struct job *free_jobs;
	size_t free_jobs_n;
	/* the account in use */
	bool is_open;
	bool is_plain; /* the directory is plain http, so its URLs may be */
	struct arena keep;
	struct acme_account account;
	struct parse_directory directory;
	struct arena directory_arena;
	struct when directory_at;
	bool is_directory_asked;
	struct known known; /* issuers of certificates that came */
	struct registration reg;
	/* nonces, the newest last */
	struct nonce nonces[NONCES_MAX];
	size_t nonces_n;
	unsigned nonce_fetches;
	bool is_dry; /* one brought nothing while others are on the wire */
	struct mono fetched_from;
	unsigned fetched_n; /* since fetched_from */
	struct loop_timer *nonce_later;
	struct list failed; /* to be answered from the loop */
	struct loop_timer *failed_soon;
};

void http_list_put(struct list *l, struct job *j);
void http_wait(struct acme_http *a, struct job *j); /* at the end of the line of its urgency */
void http_list_take(struct list *l, struct job *j);
/* A job without an answer, in no list; its buffers are used again. NULL without memory. */
struct job *http_job_new(struct acme_http *a);
void http_job_give(struct acme_http *a, struct job *j);
void http_job_free(struct job *j);
/* The job has its answer, and is in no list: its `done` is called. */
void http_finish(struct acme_http *a, struct job *j);
/* Ends a job from anywhere, submit included: its `done` is called by the loop. The job is in no list. */
void http_fail_later(struct acme_http *a, struct job *j, enum err e, const char *words);
void http_put_nonce(struct acme_http *a, struct str s);
/* Whatever can go on goes on. */
void http_pump(struct acme_http *a);

/* refusal.c: an answer that is no success: its problem document (RFC 9457), or the beginning of the page that came instead. A document that broke
 * off on its way is an answer that cannot be read, and no refusal. */
void http_read_refusal(const struct courier_answer *w, struct acme_answer *an);
/* Is the header Content-Type of this media type, whatever its parameters? */
bool http_is_type(struct str header, struct str wanted);
/* What an HTTP status means (RFC 8555 6.7 leaves the statuses to the CA, and CAs differ). */
enum err http_err_of_status(int status, struct str type);

/* renewal.c: asks for renewal information. The job has its answer, `done` and `arg`, and is in no list; with an error it is still
 * the caller's. */
MUST_USE enum err http_poll(struct acme_http *a, struct job *j, struct str ari_id);

/* account.c */
enum err http_open_account(void *ctx, const struct acme_account *account, acme_registered *done, void *arg);
/* The end of a registration, whichever way. */
void http_registered(struct acme_http *a, const struct acme_registration *r);
/* Reads the directory again if it is old; the orders do not wait for it. */
void http_refresh_directory(struct acme_http *a);
#endif
