#include "ports/outside/outside.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/must.h"
#include "ports/acme/courier.h"
#include "ports/acme/parse.h"
#include "ports/dns/resolver.h"

enum { CAS_MAX = 8, POINTS_MAX = 8, POINTS_MS = 5000, ASK_MS_MAX = 15000 };

struct outside {
	struct loop *loop;
	const struct config *config;
	struct courier *couriers[CAS_MAX]; /* one for each CA: its own roots */
	size_t couriers_n;
	size_t open; /* CAs that have not answered yet */
	int points[POINTS_MAX];
	size_t points_n;
	struct loop_timer *timer;
	outside_done *done; /* NULL: nothing is asked */
	void *arg;
	struct outside_answer answer;
	witness_done *witness_done;
	void *witness_arg;
};

enum err
outside_new(struct loop *l, const struct config *c, struct outside **ret)
{
	struct outside *o = calloc(1, sizeof *o);
	enum err e = ERR_OK;

	if (o == NULL)
		return ERR_MEMORY;
	o->loop = l;
	o->config = c;
	for (size_t i = 0; i < c->cas_n && i < CAS_MAX && e == ERR_OK; i++) {
		const struct acme_http_options options = {
			.ca_bundle = c->cas[i].bundle,
			.user_agent = "koshin",
			.timeout_ms = c->acme.timeout_ms < ASK_MS_MAX ? c->acme.timeout_ms : ASK_MS_MAX,
			.connections_max = 1,
		};

		e = courier_new(l, &options, &o->couriers[i]);
		o->couriers_n += e == ERR_OK;
	}
	if (e != ERR_OK) {
		outside_free(&o);
		return e;
	}
	*ret = o;
	return ERR_OK;
}

static void
close_point(struct outside *o, size_t i)
{
	if (o->points[i] < 0)
		return;
	loop_unwatch(o->loop, o->points[i]);
	(void)close(o->points[i]); /* nothing was said on it */
	o->points[i] = -1;
}

static void
close_points(struct outside *o)
{
	loop_cancel(o->loop, &o->timer);
	for (size_t i = 0; i < o->points_n; i++)
		close_point(o, i);
	o->points_n = 0;
}

void
outside_free(struct outside **op)
{
	struct outside *o = *op;

	if (o == NULL)
		return;
	close_points(o);
	for (size_t i = 0; i < o->couriers_n; i++)
		courier_free(&o->couriers[i]);
	free(o);
	*op = NULL;
}

static void
finish(struct outside *o)
{
	outside_done *done = o->done;

	close_points(o);
	o->done = NULL;
	done(o->arg, &o->answer);
}

/* --- other points --- */

static void
on_timer(void *arg)
{
	struct outside *o = arg;

	o->timer = NULL;
	finish(o);
}

/* A connection, or a refusal: both are an answer of somebody out there. */
static bool
is_answer(int error)
{
	return error == 0 || error == ECONNREFUSED || error == ECONNRESET;
}

static void
on_point(void *arg, int fd, int events)
{
	struct outside *o = arg;
	socklen_t n = sizeof(int);
	size_t waiting = 0;
	int error = 0;

	(void)events;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
		error = errno;
	o->answer.is_other_reached |= is_answer(error);
	for (size_t i = 0; i < o->points_n; i++) {
		if (o->points[i] == fd)
			close_point(o, i);
		waiting += o->points[i] >= 0;
	}
	if (o->answer.is_other_reached || waiting == 0)
		finish(o);
}

static void
ask_point(struct outside *o, const char *text)
{
	struct sockaddr_storage to;
	socklen_t to_n;

	if (!dns_endpoint_read(text, &to, &to_n) || !dns_has_route(text))
		return;
	o->answer.has_route = true;
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	int error = connect(fd, (const struct sockaddr *)&to, to_n) == 0 ? 0 : errno;
	if (error == EINPROGRESS && loop_watch(o->loop, fd, LOOP_WRITE, on_point, o) == ERR_OK) {
		o->points[o->points_n++] = fd;
		return;
	}
	o->answer.is_other_reached |= error != EINPROGRESS && is_answer(error);
	(void)close(fd);
}

static void
ask_points(struct outside *o)
{
	for (size_t i = 0; i < o->config->watch.outside_n && o->points_n < POINTS_MAX; i++)
		ask_point(o, o->config->watch.outside[i]);
	if (!o->answer.is_other_reached && o->points_n > 0)
		o->timer = loop_after(o->loop, POINTS_MS, on_timer, o);
	if (o->timer == NULL)
		finish(o);
}

/* --- the CAs --- */

static void
keep_words(struct outside *o, struct str words)
{
	char *to = o->answer.words;
	size_t n = words.n < sizeof o->answer.words - 1 ? words.n : sizeof o->answer.words - 1;

	if (to[0] != '\0')
		return;
	for (size_t i = 0; i < n; i++)
		to[i] = (unsigned char)words.p[i] < 0x20 || (unsigned char)words.p[i] > 0x7e ? ' ' : words.p[i];
	to[n] = '\0';
}

static void
on_directory(void *arg, const struct courier_answer *an)
{
	struct outside *o = arg;

	if (an->err == ERR_OK) {
		struct when date = parse_http_date(an->date);

		o->answer.is_ca_reached = o->answer.has_route = true;
		if (!when_is_known(o->answer.date))
			o->answer.date = date;
	} else {
		keep_words(o, an->words.n > 0 ? an->words : str_of(err_words(an->err)));
	}
	must(o->open > 0);
	if (--o->open > 0)
		return;
	if (o->answer.is_ca_reached)
		finish(o);
	else
		ask_points(o);
}

enum err
outside_ask(struct outside *o, outside_done *done, void *arg)
{
	enum err last = ERR_OK;

	if (o->done != NULL)
		return ERR_BUSY;
	o->answer = (struct outside_answer){ .date = WHEN_UNKNOWN };
	for (size_t i = 0; i < o->couriers_n; i++) {
		enum err e = courier_send(
		    o->couriers[i], COURIER_GET, o->config->cas[i].directory, STR_NONE, on_directory, o);

		o->open += e == ERR_OK;
		last = e != ERR_OK ? e : last;
	}
	if (o->open == 0)
		return last != ERR_OK ? last : ERR_CONFIG;
	o->done = done;
	o->arg = arg;
	return ERR_OK;
}

static void
on_asked(void *arg, const struct outside_answer *answer)
{
	struct outside *o = arg;

	o->witness_done(o->witness_arg,
	    when_is_known(answer->date) ? when_plus(answer->date, o->config->clock_offset) : WHEN_UNKNOWN);
}

static enum err
witness_ask(void *ctx, witness_done *done, void *arg)
{
	struct outside *o = ctx;
	enum err e = outside_ask(o, on_asked, o);

	if (e != ERR_OK)
		return e;
	o->witness_done = done;
	o->witness_arg = arg;
	return ERR_OK;
}

struct witness
outside_witness(struct outside *o)
{
	return (struct witness){ o, witness_ask };
}
