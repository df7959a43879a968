#include "cmd/client.h"
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_BYTES_MAX = 64 * 1024 * 1024, ARENA_BYTES_MAX = 1024 * 1024, TIMEOUT_S = 90 };

struct client {
	struct cmd *cmd;
	struct config *config;
	CURL *curl;
	struct arena arena;
	struct buf answer;
	void (*tick)(void *arg);
	void *tick_arg;
};

struct client *
client_open(struct cmd *c, int *ret_status)
{
	struct config *config = cmd_config(c);
	struct client *cl = config != NULL ? calloc(1, sizeof *cl) : NULL;

	*ret_status = CMD_FAILED;
	if (cl == NULL) {
		config_free(&config);
		return NULL;
	}
	cl->cmd = c;
	cl->config = config;
	cl->curl = curl_easy_init();
	arena_init(&cl->arena, ARENA_BYTES_MAX);
	buf_init(&cl->answer, ANSWER_BYTES_MAX);
	if (cl->curl == NULL)
		client_close(&cl);
	return cl;
}

void
client_close(struct client **cl)
{
	if (*cl == NULL)
		return;
	curl_easy_cleanup((*cl)->curl);
	config_free(&(*cl)->config);
	arena_fini(&(*cl)->arena);
	buf_fini(&(*cl)->answer);
	free(*cl);
	*cl = NULL;
}

void
client_set_tick(struct client *cl, void (*tick)(void *arg), void *arg)
{
	cl->tick = tick;
	cl->tick_arg = arg;
}

/* The numbers are libcurl's, of bytes; nobody needs them here. */
static int
on_progress(void *arg, curl_off_t down, curl_off_t down_now, curl_off_t up, curl_off_t up_now)
{
	const struct client *cl = arg;

	(void)down, (void)down_now, (void)up, (void)up_now;
	if (cl->tick != NULL)
		cl->tick(cl->tick_arg);
	return 0;
}

const struct config *
client_config(const struct client *cl)
{
	return cl->config;
}

struct str
client_escape(struct client *cl, const char *value)
{
	char *escaped = curl_easy_escape(cl->curl, value, (int)strlen(value));
	struct str ret = escaped != NULL ? arena_str(&cl->arena, str_of(escaped)) : STR_NONE;

	curl_free(escaped);
	return ret;
}

struct str
client_site_path(struct client *cl, const char *name, const char *rest)
{
	return arena_strf(&cl->arena, "/sites/%.*s%s", STR_ARG(client_escape(cl, name)), rest);
}

void
client_print_json(const json_t *document)
{
	(void)json_dumpf(document, stdout, JSON_INDENT(2));
	(void)fputc('\n', stdout);
}

static size_t
on_bytes(char *p, size_t size, size_t n, void *arg)
{
	struct buf *b = arg;

	buf_put(b, p, size * n);
	return b->err == ERR_OK ? size * n : 0;
}

/* Says what the API's problem document (RFC 9457) says. */
static int
refused(struct client *cl, long http_status, json_t *problem)
{
	const char *error = json_string_value(json_object_get(problem, "error"));
	const char *title = json_string_value(json_object_get(problem, "title"));
	struct str detail = str_of(json_string_value(json_object_get(problem, "detail")));
	AUTO_BUF words = { .max = 16384 };

	if (cl->cmd->is_json)
		client_print_json(problem);
	/* What is wrong with a request is told by the library's words; everything else is a sentence for people already. */
	if (title != NULL &&
	    (detail.n == 0 || (error != NULL && strcmp(error, "INVALID") == 0)))
		buf_putf(&words, "%s%s", title, detail.n > 0 ? ": " : "");
	buf_put_str(&words, detail);
	if (words.n == 0)
		buf_putf(&words, "HTTP %ld", http_status);
	CMD_SAY(cl->cmd, stderr, "cli.error", buf_str(&words));
	json_decref(problem);
	return CMD_FAILED;
}

static int
unreachable(struct client *cl, const char *words)
{
	struct str what = arena_strf(&cl->arena, "%s: %s", cl->config->web.socket, words);

	CMD_SAY(cl->cmd, stderr, "cli.error.no-daemon", what);
	return CMD_UNREACHABLE;
}

static struct curl_slist *
headers_of(const struct client *cl)
{
	struct curl_slist *list = curl_slist_append(
	    NULL, cl->cmd->lang == LANG_JA ? "Accept-Language: ja" : "Accept-Language: en");

	return list == NULL ? NULL : curl_slist_append(list, "Content-Type: application/json");
}

int
client_ask(
    struct client *cl, const char *method, struct str path, const json_t *body, json_t **ret)
{
	struct str url = arena_strf(&cl->arena, "http://koshin/api/v1%.*s", STR_ARG(path));
	char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
	struct curl_slist *headers = headers_of(cl);
	long status = 0;

	buf_clear(&cl->answer);
	curl_easy_reset(cl->curl);
	curl_easy_setopt(cl->curl, CURLOPT_UNIX_SOCKET_PATH, cl->config->web.socket);
	curl_easy_setopt(cl->curl, CURLOPT_URL, url.p);
	curl_easy_setopt(cl->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(cl->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(cl->curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(cl->curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
	curl_easy_setopt(cl->curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(cl->curl, CURLOPT_WRITEDATA, &cl->answer);
	if (text != NULL)
		curl_easy_setopt(cl->curl, CURLOPT_POSTFIELDS, text);
	curl_easy_setopt(cl->curl, CURLOPT_NOPROGRESS, cl->tick == NULL ? 1L : 0L);
	curl_easy_setopt(cl->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(cl->curl, CURLOPT_XFERINFODATA, cl);
	CURLcode code = curl_easy_perform(cl->curl);
	curl_easy_getinfo(cl->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	free(text);
	if (code != CURLE_OK)
		return unreachable(cl, curl_easy_strerror(code));
	json_t *document =
	    json_loadb(cl->answer.p != NULL ? cl->answer.p : "", cl->answer.n, 0, NULL);
	if (status < 200 || status >= 300)
		return refused(cl, status, document != NULL ? document : json_object());
	if (document == NULL) {
		CMD_SAY(cl->cmd, stderr, "cli.error", str_of(err_words(ERR_PEER)));
		return CMD_FAILED;
	}
	if (ret != NULL)
		*ret = document;
	else
		json_decref(document);
	return CMD_DONE;
}
