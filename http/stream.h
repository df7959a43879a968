#ifndef KOSHIN_HTTP_STREAM_H
#define KOSHIN_HTTP_STREAM_H
/*
 * Server-sent events (HTML Living Standard, 9.2): answers that go on. A stream has what is still to be sent in memory and sleeps
 * while there is nothing; whoever has an event puts it in. Those that follow the history are looked after here: with each
 * byte of the engine the lines since the last one are read and sent, each with its number as the event's id, so that a
 * browser that comes back says where it was (Last-Event-ID) and misses nothing.
 *
 * A comment goes out every 15 s, so that a reader who is gone is noticed. After ten minutes a stream ends: the browser comes
 * again by itself, and is then asked anew who it is.
 */
#include <microhttpd.h>
#include "http/api.h"

enum {
	STREAMS_MAX = 200,
	STREAM_BYTES_MAX = 1024 * 1024 /* unsent: a reader so slow is let go */
};
struct streams;
struct stream;

MUST_USE enum err streams_new(struct api *api, struct streams **ret);
/* All of them end; their connections have to be run once more before this. */
void streams_free(struct streams **s);
/* Begins one that nobody follows yet: the caller puts the events in. NULL: there are too many, or no memory. It lives
 * until its connection ends; ended (may be NULL) is then told. */
struct stream *stream_begin(struct streams *s, struct MHD_Connection *connection, bool is_panel,
    void (*ended)(void *arg), void *arg);
/* name and id may be empty; data is one line (JSON). A line break in any of them is a bug of ours. */
void stream_put(struct stream *st, struct str id, struct str name, struct str data);
/* What was put in is sent, then the answer ends. */
void stream_end(struct stream *st);
/* Whoever began it is gone: its end is told to nobody. */
void stream_forget(struct stream *st);
/* One that follows the history, as an API_STREAM reply wants. */
MUST_USE enum err stream_follow(struct streams *s, struct MHD_Connection *connection,
    const struct api_reply *r, bool is_panel);
/* News may have come (has_news), or time has passed. */
void streams_look(struct streams *s, bool has_news);
bool streams_are_none(const struct streams *s);
/* Ends all: for the end of the process. */
void streams_end(struct streams *s);
#endif
