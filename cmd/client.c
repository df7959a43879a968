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

/* Says what the API said: the detail of its problem document (RFC 9457), or its title. */
static int
refused(struct client *cl, json_t *problem)
{
	const char *detail = json_string_value(json_object_get(problem, "detail"));
	const char *title = json_string_value(json_object_get(problem, "title"));

	if (cl->cmd->is_json)
		client_print_json(problem);
	CMD_SAY(cl->cmd, stderr, "cli.error",
	    str_of(detail != NULL && detail[0] != '\0' ? detail : title != NULL ? title : "?"));
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
	struct curl_slist *list =
	    curl_slist_append(NULL, cl->cmd->lang == LANG_JA ? "Accept-Language: ja" : "Accept-Language: en");

	return list == NULL ? NULL : curl_slist_append(list, "Content-Type: application/json");
}

int
client_ask(struct client *cl, const char *method, struct str path, const json_t *body, json_t **ret)
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
	CURLcode code = curl_easy_perform(cl->curl);
	curl_easy_getinfo(cl->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	free(text);
	if (code != CURLE_OK)
		return unreachable(cl, curl_easy_strerror(code));
	json_t *document = json_loadb(cl->answer.p != NULL ? cl->answer.p : "", cl->answer.n, 0, NULL);
	if (status < 200 || status >= 300)
		return refused(cl, document != NULL ? document : json_object());
	if (ret != NULL)
		*ret = document;
	else
		json_decref(document);
	return CMD_DONE;
}
