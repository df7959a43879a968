#include "installer/installer.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include "base/arena.h"
#include "base/limits.h"
#include "base/point.h"
#include "installer/nginx.h"
#include "installer/target.h"
#include "ports/deploy/message.h"
#include "ports/keys/secret.h"
#include "ports/keys/set.h"
#include "ports/link/link.h"
#include "ports/link/message.h"

enum {
	GATHER_MS =
	    50, /* the first request of many waits this long for the next, where a web server is to be told */
	GATHER_FILES_MS =
	    10, /* … and where files alone are written, which costs a sync and no reload */
	GATHER_LONGEST_MS = 500, /* and no longer than this in all */
	COMMAND_MS = 60000,
	TARGETS_MAX = 16,
	BATCH_BYTES =
	    48
	    << 20, /* TARGET_BATCH_MAX requests of the greatest size, and their opened sets */
};

struct request {
	uint64_t id;
	struct deploy_job job;
	struct liveset_bytes bytes;
	struct work
	    outcome; /* of the first target that failed, or of none; is_reloading: of any */
	const char *target;
};
struct installer {
	const struct installer_options *o;
	int64_t gather_ms;
	struct target targets[TARGETS_MAX];
	size_t targets_n;
	struct arena arena; /* of one batch */
	struct request requests[TARGET_BATCH_MAX];
	size_t n;
	struct work works[TARGET_BATCH_MAX];
	char in[LIMIT_MESSAGE_BYTES];
};

/* Waits for the socket; BUSY when the time is over (-1: none), NOT_FOUND when the caller wants an end. */
static enum err
await(const struct installer *in, short events, int64_t ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };
	struct pollfd p = { .fd = in->o->fd, .events = events };

	for (;;) {
		if (in->o->quit != NULL && *in->o->quit)
			return ERR_NOT_FOUND;
		int n = ppoll(&p, 1, ms < 0 ? NULL : &ts, in->o->unblocked);
		if (n > 0)
			return ERR_OK;
		if (n == 0)
			return ERR_BUSY;
		if (errno != EINTR)
			return ERR_IO;
	}
}

static enum err
send_message(const struct installer *in, struct str bytes)
{
	for (;;) {
		ssize_t n = send(in->o->fd, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0)
			return ERR_OK;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM)
			return ERR_CLOSED;
		enum err e = await(in, POLLOUT, errno == EAGAIN ? -1 : 20);
		if (e != ERR_OK && e != ERR_BUSY)
			return e;
	}
}

static enum err
send_hello(const struct installer *in)
{
	char head[LINK_HEAD_BYTES];

	message_put_head(head, MESSAGE_HELLO, 0);
	return send_message(in, (struct str){ head, sizeof head });
}

static void
refuse(struct request *r, enum err e, const char *words)
{
	if (r->outcome.err != ERR_OK)
		return;
	r->outcome.err = e;
	r->outcome.cause = target_cause(e);
	buf_putf(&r->outcome.words, "%s", words);
}

/* Reads one request, opens its set, and passes everything in it through the gates. */
static void
take_request(struct installer *in, const struct message *m)
{
	struct request *r = &in->requests[in->n++];
	struct str chain = STR_NONE, key = STR_NONE;
	struct why why = { "" };

	*r = (struct request){ .id = m->id };
	work_init(&r->outcome, &r->job, NULL);
	struct str body = arena_str(&in->arena, m->body);
	enum err e = body.p == NULL ? ERR_MEMORY : deploy_job_get(body, &in->arena, &r->job);
	if (e == ERR_OK)
		e = nginx_check_job(&r->job, &why);
	if (e == ERR_OK && r->job.verb == DEPLOY_APPLY && r->job.set.n > 0) {
		e = keys_set_open(in->o->transport_key, r->job.set, &in->arena, &chain, &key);
		if (e != ERR_OK)
			why_set(&why, "the sealed set cannot be opened: %s", err_words(e));
		r->bytes = (struct liveset_bytes){ r->job.fingerprint, chain, key };
	}
	if (e != ERR_OK)
		refuse(r, e, why.text[0] != '\0' ? why.text : err_words(e));
}

/*
 * Takes what waits, and a little more: a turn of the engine asks for many sites at once, and each batch costs one test
 * and one reload. NOT_FOUND: a QUIT came, or *quit was set; what was taken before is still done.
 */
static enum err
gather(struct installer *in)
{
	int64_t end = 0;

	for (in->n = 0; in->n < TARGET_BATCH_MAX && in->arena.used < BATCH_BYTES / 2;) {
		struct str bytes;
		struct message m;
		enum err e = message_receive(in->o->fd, in->in, sizeof in->in, &bytes);

		if (e == ERR_CLOSED)
			return e;
		if (e == ERR_BUSY) {
			int64_t now = clock_mono(in->o->clock).ms;

			if (in->n > 0 && now >= end)
				return ERR_OK;
			e = await(in, POLLIN,
			    in->n == 0			? -1
			    : in->gather_ms < end - now ? in->gather_ms
							: end - now);
			if (e == ERR_BUSY)
				return ERR_OK;
			if (e != ERR_OK)
				return e;
			continue;
		}
		/* What is no request is dropped: nobody waits for an answer to it. */
		if (e != ERR_OK || message_read(bytes, &m) != ERR_OK)
			continue;
		if (m.kind == MESSAGE_QUIT)
			return ERR_NOT_FOUND;
		if (m.kind != MESSAGE_REQUEST)
			continue;
		if (in->n == 0)
			end = clock_mono(in->o->clock).ms + GATHER_LONGEST_MS;
		take_request(in, &m);
	}
	return ERR_OK;
}

static void
apply_to_target(struct installer *in, struct target *t)
{
	struct request *of[TARGET_BATCH_MAX];
	size_t n = 0;

	for (size_t i = 0; i < in->n; i++) {
		struct request *r = &in->requests[i];

		/* What could not be read is for no target; what failed at another one is done here all the same. */
		if (r->outcome.err != ERR_OK && r->target == NULL)
			continue;
		work_init(&in->works[n], &r->job, r->bytes.key_pem.n > 0 ? &r->bytes : NULL);
		of[n++] = r;
	}
	if (n > 0)
		target_apply(t, in->works, n);
	for (size_t i = 0; i < n; i++) {
		struct work *w = &in->works[i];

		of[i]->outcome.is_reloading |= w->is_reloading;
		if (w->err != ERR_OK && of[i]->outcome.err == ERR_OK) {
			of[i]->outcome.err = w->err;
			of[i]->outcome.cause = w->cause;
			of[i]->target = t->config->name;
			buf_put_str(&of[i]->outcome.words, buf_str(&w->words));
		}
		work_fini(w);
	}
}

static enum err
answer_one(const struct installer *in, const struct request *r)
{
	struct deploy_answer a = { r->outcome.err, r->outcome.cause, buf_str(&r->outcome.words),
		str_of(r->target), r->outcome.is_reloading };
	char head[LINK_HEAD_BYTES];
	AUTO_BUF b = { .max = 0 };

	buf_init(&b, LIMIT_MESSAGE_BYTES);
	message_put_head(head, MESSAGE_ANSWER, r->id);
	buf_put(&b, head, sizeof head);
	deploy_answer_put(&b, &a);
	if (b.err != ERR_OK) {
		/* An empty answer is better than none. */
		return send_message(in, (struct str){ head, sizeof head });
	}
	return send_message(in, buf_str(&b));
}

static enum err
work_off(struct installer *in)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < in->targets_n; i++)
		apply_to_target(in, &in->targets[i]);
	for (size_t i = 0; i < in->n; i++) {
		struct request *r = &in->requests[i];

		secret_wipe(r->bytes.key_pem);
		POINT("installer.answer.before");
		if (e == ERR_OK)
			e = answer_one(in, r);
		work_fini(&r->outcome);
	}
	in->n = 0;
	secret_wipe((struct str){ in->in, sizeof in->in });
	arena_clear(&in->arena);
	return e;
}

/* Nobody reads the keys out of this process: no core file, no debugger, no file that others can open. */
static void
harden(void)
{
	struct rlimit none = { 0, 0 };

	(void)umask(077);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0,
	    0); /* these three cannot fail on a system that we run on; */
	(void)prctl(
	    PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); /* where they do, the work goes on without them */
	(void)setrlimit(RLIMIT_CORE, &none);
}

static enum err
start(struct installer *in, struct why *why)
{
	const struct installer_options *o = in->o;
	AUTO_BUF words = { .max = 0 };

	buf_init(&words, LIMIT_COMMAND_OUTPUT_BYTES + 1024);
	if (o->targets_n > TARGETS_MAX) {
		why_set(why, "more than %d targets", TARGETS_MAX);
		return ERR_CONFIG;
	}
	for (; in->targets_n < o->targets_n; in->targets_n++) {
		struct target *t = &in->targets[in->targets_n];
		enum err e = target_init(t, &o->targets[in->targets_n], o->clock,
		    o->files != NULL ? o->files : files_real(), why);

		if (e != ERR_OK)
			return e;
		t->command_ms = o->command_ms > 0 ? o->command_ms : COMMAND_MS;
		/* A disk that is full now may not be so when a request comes: it is told then, and tried again. */
		if (target_recover(t, &words) != ERR_OK)
			t->is_ready = false;
	}
	return ERR_OK;
}

enum err
installer_run(const struct installer_options *o, struct why *why)
{
	struct installer *in = calloc(1, sizeof *in);

	if (in == NULL)
		return ERR_MEMORY;
	in->o = o;
	in->gather_ms = o->gather_ms > 0 ? o->gather_ms : GATHER_FILES_MS;
	for (size_t i = 0; o->gather_ms == 0 && i < o->targets_n; i++)
		if (o->targets[i].kind != TARGET_FOLDER)
			in->gather_ms = GATHER_MS;
	arena_init(&in->arena, BATCH_BYTES);
	POINT_PROCESS("installer");
	harden();
	enum err e = start(in, why);
	if (e == ERR_OK)
		e = send_hello(in);
	while (e == ERR_OK) {
		enum err after = gather(in);

		e = in->n > 0 ? work_off(in) : ERR_OK;
		e = e == ERR_OK ? after : e;
	}
	for (size_t i = 0; i < in->targets_n; i++)
		target_fini(&in->targets[i]);
	arena_fini(&in->arena);
	free(in);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}
