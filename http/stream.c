#include "http/stream.h"
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "http/news.h"
#include "http/send.h"

enum {
	BLOCK_BYTES = 4096,
	QUIET_MS = 15000,
	LIFE_MS = 600 * 1000,
	ARENA_BYTES = 16 * 1024 * 1024
};

struct stream {
	struct streams *all;
	struct stream *next;
	struct MHD_Connection *connection;
	struct buf out;
	size_t sent;
	struct mono begun, last; /* last: something was put in */
	bool is_asleep, is_over;
	bool is_following;
	struct news_place place; /* is_following: how far */
	void (*ended)(void *arg);
	void *ended_arg;
};
struct streams {
	struct api *api;
	struct stream *first;
	size_t n;
};

enum err
streams_new(struct api *api, struct streams **ret)
{
	*ret = calloc(1, sizeof **ret);
	if (*ret == NULL)
		return ERR_MEMORY;
	(*ret)->api = api;
	return ERR_OK;
}

void
streams_free(struct streams **s)
{
	must(*s == NULL || (*s)->first == NULL);
	free(*s);
	*s = NULL;
}

/* --- libmicrohttpd's side --- */

static ssize_t
on_room(void *arg, uint64_t position, char *room, size_t n)
{
	struct stream *st = arg;
	size_t left = st->out.n - st->sent;

	(void)position;
	if (left == 0 && st->is_over)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (left == 0) {
		st->is_asleep = true;
		MHD_suspend_connection(st->connection);
		return 0;
	}
	if (n > left)
		n = left;
	memcpy(room, st->out.p + st->sent, n);
	st->sent += n;
	if (st->sent == st->out.n) {
		buf_clear(&st->out);
		st->sent = 0;
	}
	return (ssize_t)n;
}

static void
on_end(void *arg)
{
	struct stream *st = arg, **at = &st->all->first;

	while (*at != st)
		at = &(*at)->next;
	*at = st->next;
	st->all->n--;
	if (st->ended != NULL)
		st->ended(st->ended_arg);
	buf_fini(&st->out);
	free(st);
}

static void
wake(struct stream *st)
{
	if (!st->is_asleep)
		return;
	st->is_asleep = false;
	MHD_resume_connection(st->connection);
}

/* --- events --- */

struct stream *
stream_begin(struct streams *s, struct MHD_Connection *connection, bool is_panel,
    void (*ended)(void *arg), void *arg)
{
	static const struct api_reply head = { .status = 200, .type = "text/event-stream" };
	struct stream *st = s->n < STREAMS_MAX ? calloc(1, sizeof *st) : NULL;
	struct MHD_Response *response;
	AUTO_ARENA a = { 0 };

	if (st == NULL)
		return NULL;
	*st = (struct stream){ .all = s,
		.next = s->first,
		.connection = connection,
		.ended = ended,
		.ended_arg = arg };
	st->begun = st->last = clock_mono(&s->api->clock);
	buf_init(&st->out, STREAM_BYTES_MAX);
	s->first = st;
	s->n++;
	/* From here on the response owns it. */
	response = MHD_create_response_from_callback(
	    MHD_SIZE_UNKNOWN, BLOCK_BYTES, on_room, st, on_end);
	if (response == NULL) {
		st->ended = NULL;
		on_end(st);
		return NULL;
	}
	arena_init(&a, BLOCK_BYTES);
	if (send_headers(response, &head, is_panel, &a) != MHD_YES ||
	    MHD_queue_response(connection, (unsigned)head.status, response) != MHD_YES) {
		st->ended = NULL;
		st = NULL;
	}
	MHD_destroy_response(response);
	return st;
}

void
stream_put(struct stream *st, struct str id, struct str name, struct str data)
{
	must(str_is_line(id) && str_is_line(name) &&
	     memchr(data.p == NULL ? "" : data.p, '\n', data.n) == NULL);
	if (id.n > 0)
		buf_putf(&st->out, "id: %.*s\n", STR_ARG(id));
	if (name.n > 0)
		buf_putf(&st->out, "event: %.*s\n", STR_ARG(name));
	buf_putf(&st->out, "data: ");
	buf_put_str(&st->out, data);
	buf_putf(&st->out, "\n\n");
	st->last = clock_mono(&st->all->api->clock);
	/* What is half an event must not be sent: the reader comes again and gets it whole. */
	if (st->out.err != ERR_OK) {
		st->sent = st->out.n;
		st->is_over = true;
	}
	wake(st);
}

void
stream_end(struct stream *st)
{
	st->is_over = true;
	wake(st);
}

void
stream_forget(struct stream *st)
{
	st->ended = NULL;
}

static void
put_news(void *arg, struct str id, struct str name, struct str data)
{
	stream_put(arg, id, name, data);
}

static void
look(struct stream *st, bool has_news)
{
	struct api *api = st->all->api;
	int64_t now = clock_mono(&api->clock).ms;
	AUTO_ARENA a = { 0 };

	arena_init(&a, ARENA_BYTES);
	bool is_lost = st->is_following && has_news &&
		       news_read(api, &st->place, &a, put_news, st) != ERR_OK;

	/* Where the store cannot be read, the reader comes again a second later, with the number of what it has. */
	if (is_lost || now - st->begun.ms >= LIFE_MS) {
		stream_end(st);
	} else if (now - st->last.ms >= QUIET_MS) {
		buf_putf(&st->out, ":\n\n");
		st->last = (struct mono){ now };
		wake(st);
	}
}

enum err
stream_follow(struct streams *s, struct MHD_Connection *connection, const struct api_reply *r,
    bool is_panel)
{
	struct stream *st = stream_begin(s, connection, is_panel, NULL, NULL);

	if (st == NULL)
		return ERR_FULL;
	st->is_following = true;
	st->place = (struct news_place){ .site_id = r->site_id, .last = r->since };
	/* The head goes out at once, also where nothing has happened yet: the reader knows that it is heard. */
	buf_putf(&st->out, "retry: 1000\n\n");
	look(st, true);
	return ERR_OK;
}

void
streams_look(struct streams *s, bool has_news)
{
	for (struct stream *st = s->first, *next; st != NULL; st = next) {
		next = st->next;
		look(st, has_news);
	}
}

bool
streams_are_none(const struct streams *s)
{
	return s->first == NULL;
}

void
streams_end(struct streams *s)
{
	for (struct stream *st = s->first, *next; st != NULL; st = next) {
		next = st->next;
		stream_end(st);
	}
}
