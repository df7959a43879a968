#include "ports/mail/smtp.h"
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "ports/file/file.h"

enum {
	LETTERS_MAX = 1000,
	ADDRESS_BYTES = 254,
	BUNDLE_BYTES = 8 << 20,
	PASSWORD_BYTES = 1024,
	WORDS_BYTES = 2048
};

/* A letter that waits or is on its way. */
struct letter {
	char *from, *to; /* in angle brackets */
	char *message;
	size_t message_n, sent;
	mail_done *done;
	void *arg;
	struct letter *next;
};

struct smtp {
	struct loop *loop;
	CURLM *multi;
	CURL *easy;		  /* one: letters go one after the other over one connection */
	struct loop_timer *timer; /* curl's */
	struct loop_timer *kick;  /* begins the next letter outside of submit */
	struct letter *first, **last;
	size_t waiting, waiting_max;
	bool is_sending; /* the first letter */
	struct curl_slist *rcpt;
	struct buf said;   /* the server's last answer */
	bool said_goes_on; /* its last line is still to come */
	char error[CURL_ERROR_SIZE];
};

/* What stands between < and > in MAIL and RCPT (RFC 5321 4.1.1.2); quoted local parts with spaces are not for us. */
static bool
address_is_safe(struct str a)
{
	const char *at = a.n > 0 ? memchr(a.p, '@', a.n) : NULL;

	if (a.n == 0 || a.n > ADDRESS_BYTES || at == NULL || at == a.p || at == a.p + a.n - 1)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (memchr("<>()[]\\,;:\" ", a.p[i], 12) != NULL)
			return false;
	return str_is_line(a) && str_is_utf8(a) &&
	       memchr(at + 1, '@', (size_t)(a.p + a.n - at - 1)) == NULL;
}

static void
letter_free(struct letter **l)
{
	if (*l == NULL)
		return;
	free((*l)->from);
	free((*l)->to);
	free((*l)->message);
	free(*l);
	*l = NULL;
}

static char *
bracketed(struct str address)
{
	AUTO_BUF b = { .max = 0 };

	buf_init(&b, ADDRESS_BYTES + 2);
	buf_putf(&b, "<%.*s>", STR_ARG(address));
	return buf_take(&b);
}

static struct letter *
letter_new(const struct mail_job *job, mail_done *done, void *arg)
{
	struct letter *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	*l = (struct letter){ .from = bracketed(job->from),
		.to = bracketed(job->to),
		.message = malloc(job->message.n),
		.message_n = job->message.n,
		.done = done,
		.arg = arg };
	if (l->from == NULL || l->to == NULL || l->message == NULL)
		letter_free(&l);
	else
		memcpy(l->message, job->message.p, job->message.n);
	return l;
}

static size_t
on_read(char *to, size_t size, size_t n, void *arg)
{
	const struct smtp *s = arg;
	struct letter *l = s->first;
	size_t left = l->message_n - l->sent, take = size * n < left ? size * n : left;

	memcpy(to, l->message + l->sent, take);
	l->sent += take;
	return take;
}

/*
 * libcurl hands over each line of the server's answers here. An answer of several lines has "-" after its code. After a
 * refusal libcurl says QUIT: the answer to that is not the one to tell.
 */
static size_t
on_line(char *line, size_t size, size_t n, void *arg)
{
	struct smtp *s = arg;
	struct str text = str_trim((struct str){ line, size * n });

	if (str_starts(text, STR("221")))
		return size * n;
	if (!s->said_goes_on)
		buf_clear(&s->said);
	s->said_goes_on = text.n > 3 && text.p[3] == '-';
	if (s->said.n + text.n + 1 < WORDS_BYTES) {
		if (s->said.n > 0)
			buf_putc(&s->said, '\n');
		buf_put_str(&s->said, text);
	}
	return size * n;
}

/* The code of the last answer, 0 without one. */
static int64_t
answer_code(const struct smtp *s)
{
	int64_t code;

	return s->said.n >= 3 && str_to_int((struct str){ s->said.p, 3 }, &code) ? code : 0;
}

static void kick(struct smtp *s);

static enum err
err_of_curl(CURLcode code, int64_t answer)
{
	if (code == CURLE_OK)
		return ERR_OK;
	if (code == CURLE_USE_SSL_FAILED || code == CURLE_SSL_CONNECT_ERROR ||
	    code == CURLE_PEER_FAILED_VERIFICATION)
		return ERR_TLS;
	/* RFC 4954 6: 530, 534, 535, 538 are about the login, not about the letter. */
	if (code == CURLE_LOGIN_DENIED || answer == 530 || answer == 534 || answer == 535 ||
	    answer == 538)
		return answer >= 400 && answer < 500 ? ERR_BUSY : ERR_CONFIG;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return ERR_TIMEOUT;
	if (answer >= 500 && answer < 600)
		return ERR_REFUSED;
	if (answer >= 400 && answer < 500)
		return ERR_BUSY;
	if (code == CURLE_COULDNT_RESOLVE_HOST)
		return ERR_RESOLVE;
	if (code == CURLE_COULDNT_CONNECT)
		return ERR_CONNECT;
	if (code == CURLE_WEIRD_SERVER_REPLY)
		return ERR_PEER;
	return code == CURLE_OUT_OF_MEMORY ? ERR_MEMORY : ERR_CLOSED;
}

/* Takes the first letter off and tells its owner. */
static void
finish(struct smtp *s, enum err e, struct str words)
{
	struct letter *l = s->first;
	struct mail_answer answer = { e, words };

	s->first = l->next;
	if (s->first == NULL)
		s->last = &s->first;
	s->waiting--;
	s->is_sending = false;
	kick(s);
	l->done(l->arg, &answer);
	letter_free(&l);
}

static void
look(struct smtp *s)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(s->multi, &left)) != NULL) {
		CURLcode code = m->data.result;
		int64_t answer = answer_code(s);
		char said[WORDS_BYTES];

		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_multi_remove_handle(s->multi, s->easy);
		curl_slist_free_all(s->rcpt);
		s->rcpt = NULL;
		enum err e = err_of_curl(code, answer);
		/* A failure that the server did not word is told in the library's words. */
		bool is_servers = code == CURLE_OK || answer >= 400;
		struct str words = is_servers && s->said.n > 0 ? buf_str(&s->said)
				   : s->error[0] != '\0'       ? str_of(s->error)
							 : str_of(curl_easy_strerror(code));
		size_t n = words.n < sizeof said ? words.n : sizeof said;
		memcpy(said, words.p, n);
		finish(s, e, str_trim((struct str){ said, n }));
		return; /* one handle, one message; and the owner may have freed us */
	}
}

static void
on_socket(void *arg, int fd, int events)
{
	struct smtp *s = arg;
	int running, mask = (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
			    (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);

	(void)curl_multi_socket_action(s->multi, fd, mask, &running);
	look(s);
}

static void
on_timer(void *arg)
{
	struct smtp *s = arg;
	int running;

	s->timer = NULL;
	(void)curl_multi_socket_action(s->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	look(s);
}

static int
set_timer(CURLM *multi, long ms, void *arg)
{
	struct smtp *s = arg;

	(void)multi;
	loop_cancel(s->loop, &s->timer);
	if (ms < 0)
		return 0;
	s->timer = loop_after(s->loop, ms, on_timer, s);
	return s->timer == NULL ? -1 : 0;
}

static int
set_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
	struct smtp *s = arg;
	int events =
	    (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);

	(void)easy;
	(void)unused;
	if (what == CURL_POLL_REMOVE) {
		loop_unwatch(s->loop, fd);
		return 0;
	}
	return loop_watch(s->loop, fd, events, on_socket, s) == ERR_OK ? 0 : -1;
}

static void
begin_letter(void *arg)
{
	struct smtp *s = arg;
	struct letter *l = s->first;

	s->kick = NULL;
	if (l == NULL || s->is_sending)
		return;
	s->is_sending = true;
	s->error[0] = '\0';
	buf_clear(&s->said);
	s->said_goes_on = false;
	l->sent = 0;
	s->rcpt = curl_slist_append(NULL, l->to);
	bool is_ok = s->rcpt != NULL &&
		     curl_easy_setopt(s->easy, CURLOPT_MAIL_FROM, l->from) == CURLE_OK &&
		     curl_easy_setopt(s->easy, CURLOPT_MAIL_RCPT, s->rcpt) == CURLE_OK &&
		     curl_easy_setopt(s->easy, CURLOPT_INFILESIZE_LARGE,
			 (curl_off_t)l->message_n) == CURLE_OK &&
		     curl_multi_add_handle(s->multi, s->easy) == CURLM_OK;
	if (is_ok)
		return;
	curl_slist_free_all(s->rcpt);
	s->rcpt = NULL;
	finish(s, ERR_MEMORY, str_of(err_words(ERR_MEMORY)));
}

/* Without memory for a timer the next submit tries again. */
static void
kick(struct smtp *s)
{
	if (s->kick == NULL && s->first != NULL && !s->is_sending)
		s->kick = loop_after(s->loop, 0, begin_letter, s);
}

static enum err
submit(void *ctx, const struct mail_job *job, mail_done *done, void *arg)
{
	struct smtp *s = ctx;

	if (!address_is_safe(job->from) || !address_is_safe(job->to) || job->message.n == 0)
		return ERR_INVALID;
	if (job->message.n > LIMIT_LETTER_BYTES)
		return ERR_TOO_LONG;
	if (s->waiting >= s->waiting_max)
		return ERR_FULL;
	struct letter *l = letter_new(job, done, arg);
	if (l == NULL)
		return ERR_MEMORY;
	*s->last = l;
	s->last = &l->next;
	s->waiting++;
	kick(s);
	return ERR_OK;
}

static bool
is_loopback(struct str host)
{
	if (str_starts(host, STR("[::1]")))
		return host.n == 5 || host.p[5] == ':';
	struct str name = str_cut(&host, ':');
	for (size_t i = 0; str_starts(name, STR("127.")) && i < name.n; i++)
		if (name.p[i] != '.' && (name.p[i] < '0' || name.p[i] > '9'))
			return false;
	return str_eq(name, STR("localhost")) || str_starts(name, STR("127."));
}

static enum err
check_options(const struct smtp_options *o, struct why *why)
{
	struct str server = str_of(o->server);
	bool is_tls = str_starts(server, STR("smtps://"));

	if (!is_tls && !str_starts(server, STR("smtp://"))) {
		why_set(why, "mail server: smtp://host:port or smtps://host:port is expected");
		return ERR_CONFIG;
	}
	struct str host = { server.p + (is_tls ? 8 : 7), server.n - (is_tls ? 8 : 7) };
	if (host.n == 0 || !str_is_line(server) || host.n > LIMIT_NAME_BYTES + 8 ||
	    memchr(host.p, '/', host.n) != NULL || memchr(host.p, '@', host.n) != NULL ||
	    memchr(host.p, '?', host.n) != NULL || memchr(host.p, ' ', host.n) != NULL) {
		why_set(why, "mail server: only a host and a port may follow the scheme");
		return ERR_CONFIG;
	}
	if (o->user != NULL && o->user[0] != '\0' && !is_tls && !o->tls && !is_loopback(host)) {
		why_set(why,
		    "mail server: a login without TLS is for a server on this machine only");
		return ERR_CONFIG;
	}
	return ERR_OK;
}

static CURLcode
set_easy(struct smtp *s, const struct smtp_options *o, const struct buf *bundle)
{
	struct curl_blob blob = { bundle->p, bundle->n, CURL_BLOB_COPY };
	CURLcode c = curl_easy_setopt(s->easy, CURLOPT_URL, o->server);

#define SET(option, value) \
	do { \
		if (c == CURLE_OK) \
			c = curl_easy_setopt(s->easy, option, value); \
	} while (0)
	SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	SET(CURLOPT_PROXY, ""); /* the environment has no say in where letters go */
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_UPLOAD, 1L);
	SET(CURLOPT_READFUNCTION, on_read);
	SET(CURLOPT_READDATA, s);
	SET(CURLOPT_HEADERFUNCTION, on_line);
	SET(CURLOPT_HEADERDATA, s);
	SET(CURLOPT_ERRORBUFFER, s->error);
	SET(CURLOPT_TIMEOUT_MS, (long)o->timeout_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)o->timeout_ms);
	SET(CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)(o->timeout_ms / 1000 + 1));
	SET(CURLOPT_USE_SSL, (long)(o->tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (bundle->n > 0)
		SET(CURLOPT_CAINFO_BLOB, &blob);
	if (o->user != NULL && o->user[0] != '\0') {
		SET(CURLOPT_USERNAME, o->user);
		SET(CURLOPT_PASSWORD, o->password != NULL ? o->password : "");
	}
#undef SET
	return c;
}

enum err
smtp_new(struct loop *l, const struct smtp_options *o, struct why *why, struct smtp **ret)
{
	AUTO_BUF bundle = { .max = BUNDLE_BYTES }; /* read once: not for each connection */
	enum err e = check_options(o, why);

	if (e == ERR_OK && o->bundle != NULL && o->bundle[0] != '\0')
		e = file_read(o->bundle, false, &bundle, why);
	if (e != ERR_OK)
		return e;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return ERR_MEMORY;
	struct smtp *s = calloc(1, sizeof *s);
	if (s == NULL) {
		curl_global_cleanup();
		return ERR_MEMORY;
	}
	s->loop = l;
	s->last = &s->first;
	s->waiting_max = o->letters_max > 0 ? o->letters_max : LETTERS_MAX;
	buf_init(&s->said, WORDS_BYTES + 64);
	s->multi = curl_multi_init();
	s->easy = curl_easy_init();
	if (s->multi == NULL || s->easy == NULL || set_easy(s, o, &bundle) != CURLE_OK ||
	    curl_multi_setopt(s->multi, CURLMOPT_SOCKETFUNCTION, set_socket) != CURLM_OK ||
	    curl_multi_setopt(s->multi, CURLMOPT_SOCKETDATA, s) != CURLM_OK ||
	    curl_multi_setopt(s->multi, CURLMOPT_TIMERFUNCTION, set_timer) != CURLM_OK ||
	    curl_multi_setopt(s->multi, CURLMOPT_TIMERDATA, s) != CURLM_OK) {
		smtp_free(&s);
		why_set(why, "the mail client cannot be set up");
		return ERR_MEMORY;
	}
	*ret = s;
	return ERR_OK;
}

void
smtp_free(struct smtp **s)
{
	struct smtp *gone = *s;

	if (gone == NULL)
		return;
	if (gone->is_sending)
		(void)curl_multi_remove_handle(gone->multi, gone->easy);
	curl_easy_cleanup(gone->easy);
	(void)curl_multi_cleanup(
	    gone->multi); /* says good-bye on the kept connection, and unwatches it */
	loop_cancel(gone->loop, &gone->timer);
	loop_cancel(gone->loop, &gone->kick);
	curl_slist_free_all(gone->rcpt);
	while (gone->first != NULL) {
		struct letter *l = gone->first;

		gone->first = l->next;
		letter_free(&l);
	}
	buf_fini(&gone->said);
	free(gone);
	*s = NULL;
	curl_global_cleanup();
}

struct mail
smtp_port(struct smtp *s)
{
	return (struct mail){ s, submit };
}

enum err
smtp_read_password(const char *file, struct why *why, char **ret)
{
	AUTO_BUF b = { .max = PASSWORD_BYTES };
	enum err e = file_read(file, false, &b, why);

	if (e == ERR_OK) {
		struct str rest = buf_str(&b), line = str_cut(&rest, '\n');

		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		char *password =
		    line.n > 0 && str_is_line(line) ? strndup(line.p, line.n) : NULL;
		if (password == NULL) {
			why_set(why, "%s: the first line has to be the password", file);
			e = ERR_INVALID;
		} else {
			*ret = password;
		}
	}
	if (b.p != NULL)
		explicit_bzero(b.p, b.cap);
	return e;
}
