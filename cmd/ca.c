#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "cmd/ca.h"
#include "cmd/client.h"
#include "cmd/show.h"
#include "cmd/terminal.h"

/* koshin ca list, koshin ca test: what the daemon knows of the CAs, and what those of the configuration say. */

enum { TEST_S = 30 };

static bool
is_true(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

static const char *
state_key(const json_t *ca)
{
	if (json_is_null(json_object_get(ca, "position")))
		return "cli.ca-unused";
	if (strcmp(show_text(ca, "rollover"), "none") != 0)
		return "cli.ca-rolling";
	if (!json_is_null(json_object_get(ca, "blocked_since")))
		return "cli.ca-blocked";
	if (strcmp(show_text(ca, "breaker"), "closed") != 0)
		return "cli.ca-ill";
	return is_true(ca, "ready") ? "cli.ca-ready" : "cli.ca-not-ready";
}

/* What its directory says: profiles, and the words of the protocol for the rest. */
static struct str
offers_of(const json_t *ca, struct arena *a)
{
	AUTO_BUF b = { .max = 4096 };
	json_t *profile;
	size_t i;

	json_array_foreach(json_object_get(ca, "profiles"), i, profile)
		buf_putf(&b, "%s%s", b.n > 0 ? ", " : "", json_string_value(profile));
	if (is_true(ca, "renewal_info"))
		buf_putf(&b, "%srenewalInfo", b.n > 0 ? ", " : "");
	if (is_true(ca, "key_change"))
		buf_putf(&b, "%skeyChange", b.n > 0 ? ", " : "");
	if (is_true(ca, "eab_required"))
		buf_putf(&b, "%sEAB", b.n > 0 ? ", " : "");
	return b.n > 0 ? arena_str(a, buf_str(&b)) : STR("-");
}

static struct str
rehearsal_of(const struct show *s, const json_t *ca, struct arena *a)
{
	const json_t *r = json_object_get(ca, "rehearsal");
	AUTO_BUF b = { .max = 1024 };

	if (json_is_null(json_object_get(r, "at")))
		return STR("-");
	struct str how = show_ui(s, is_true(r, "ok") ? "cli.rehearsal-ok" : "cli.rehearsal-failed", a);
	buf_putf(&b, "%.*s ", STR_ARG(how));
	show_date(s, r, "at", false, &b);
	return arena_str(a, buf_str(&b));
}

static void
put_row(const struct show *s, const json_t *ca, struct table *t)
{
	bool is_added = strcmp(show_text(ca, "origin"), "added") == 0;
	const char *account = show_text(ca, "account");
	const struct str cells[] = { str_of(show_text(ca, "name")),
		show_ui(s, is_added ? "cli.origin-added" : "cli.origin-config", &t->arena),
		show_ui(s, state_key(ca), &t->arena), str_of(account[0] != '\0' ? account : "-"), offers_of(ca, &t->arena),
		rehearsal_of(s, ca, &t->arena) };

	table_put(t, cells);
}

/* What stands in the way, in the CA's own words, under the table. */
static void
say_trouble(const struct cmd *c, const json_t *ca)
{
	const char *rehearsal = show_text(json_object_get(ca, "rehearsal"), "error");

	if (show_text(ca, "error")[0] != '\0')
		CMD_SAY(c, stdout, "cli.ca-trouble", str_of(show_text(ca, "name")), str_of(show_text(ca, "error")));
	if (rehearsal[0] != '\0')
		CMD_SAY(c, stdout, "cli.ca-rehearsal-trouble", str_of(show_text(ca, "name")), str_of(rehearsal));
}

int
cmd_ca_list(struct cmd *c)
{
	json_t *document = NULL, *ca;
	size_t i;
	int status;
	struct client *cl = client_open(c, &status);

	if (cl == NULL)
		return status;
	status = client_ask(cl, "GET", STR("/cas"), NULL, &document);
	if (status == CMD_DONE && c->is_json) {
		client_print_json(document);
	} else if (status == CMD_DONE) {
		struct show s = show_init(c, client_config(cl));
		AUTO_TABLE t = { 0 };

		table_init(&t, 6);
		static const char *const heads[] = { "cli.head.ca", "cli.head.origin", "cli.head.state",
			"cli.head.account", "cli.head.offers", "cli.head.rehearsal" };
		struct str head[6];
		for (size_t k = 0; k < 6; k++)
			head[k] = show_ui(&s, heads[k], &t.arena);
		table_put(&t, head);
		json_array_foreach(json_object_get(document, "cas"), i, ca)
			put_row(&s, ca, &t);
		table_print(&t);
		json_array_foreach(json_object_get(document, "cas"), i, ca)
			say_trouble(c, ca);
	}
	json_decref(document);
	client_close(&cl);
	return status;
}

/* --- test: reads the CA's directory (RFC 8555 7.1.1) as the daemon would, without asking anything of it --- */

static size_t
on_bytes(char *p, size_t size, size_t n, void *arg)
{
	struct buf *b = arg;

	buf_put(b, p, size * n);
	return b->err == ERR_OK ? size * n : 0;
}

static bool
has_url(const json_t *directory, const char *key)
{
	const char *url = json_string_value(json_object_get(directory, key));

	return url != NULL && strncmp(url, "https://", 8) == 0;
}

json_t *
ca_read_directory(const struct config_ca *ca, struct why *why)
{
	AUTO_BUF body = { .max = LIMIT_BODY_BYTES };
	char words[CURL_ERROR_SIZE] = "";
	CURL *curl = curl_easy_init();
	CURLcode code = CURLE_OUT_OF_MEMORY;
	json_t *directory = NULL;
	long status = 0;

	if (curl != NULL && curl_easy_setopt(curl, CURLOPT_URL, ca->directory) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TEST_S) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_USERAGENT, "koshin") == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body) == CURLE_OK &&
	    (ca->bundle == NULL ||
		curl_easy_setopt(curl, CURLOPT_CAINFO, ca->bundle) == CURLE_OK)) {
		code = curl_easy_perform(curl);
		(void)curl_easy_getinfo(
		    curl, CURLINFO_RESPONSE_CODE, &status); /* 0 stays where there is none */
	}
	if (code != CURLE_OK)
		why_set(why, "%s", words[0] != '\0' ? words : curl_easy_strerror(code));
	else if (status != 200)
		why_set(why, "%s: HTTP %ld", ca->directory, status);
	else
		directory = json_loadb(body.p != NULL ? body.p : "", body.n, 0, NULL);
	if (code == CURLE_OK && status == 200 &&
	    (!has_url(directory, "newNonce") || !has_url(directory, "newAccount") ||
		!has_url(directory, "newOrder"))) {
		why_set(why, "%s: no ACME directory", ca->directory);
		json_decref(directory);
		directory = NULL;
	}
	curl_easy_cleanup(curl);
	return directory;
}

/* "classic, shortlived"; empty for a CA without profiles. */
static void
put_profiles(const json_t *directory, struct buf *out)
{
	json_t *profiles = json_object_get(json_object_get(directory, "meta"), "profiles"), *about;
	const char *name;

	json_object_foreach(profiles, name, about)
	    buf_putf(out, "%s%s", out->n > 0 ? ", " : "", name);
}

/* The profile that the configuration wants has to be one of the CA's: certificates would come without it. */
static bool
has_profile(const struct config_ca *ca, const json_t *directory, struct why *why)
{
	const json_t *profiles = json_object_get(json_object_get(directory, "meta"), "profiles");
	AUTO_BUF all = { .max = LIMIT_BODY_BYTES };

	if (directory == NULL || ca->profile == NULL || json_object_get(profiles, ca->profile) != NULL)
		return true;
	put_profiles(directory, &all);
	why_set(why, "profile: \"%s\" is not offered; expected %s", ca->profile,
	    all.n > 0 ? all.p : "none, this CA has no profiles");
	return false;
}

static void
say_good(struct cmd *c, const struct config_ca *ca, const json_t *directory)
{
	const char *terms = json_string_value(json_object_get(json_object_get(directory, "meta"), "termsOfService"));
	AUTO_BUF profiles = { .max = LIMIT_BODY_BYTES };

	put_profiles(directory, &profiles);
	CMD_SAY(c, stdout, "cli.ca-ok", str_of(ca->name), str_of(terms != NULL ? terms : "-"));
	CMD_SAY(c, stdout, has_url(directory, "renewalInfo") ? "cli.ca-renewal-info" : "cli.ca-no-renewal-info", str_of(ca->name));
	if (profiles.n > 0)
		CMD_SAY(c, stdout, "cli.ca-profiles", str_of(ca->name), buf_str(&profiles));
}

/* {"name", "ok", "error" or "directory"}; the directory says terms, profiles and renewal information. */
static json_t *
test_one(struct cmd *c, const struct config_ca *ca)
{
	struct why why = { "" };
	json_t *directory = ca_read_directory(ca, &why);

	if (!has_profile(ca, directory, &why)) {
		json_decref(directory);
		directory = NULL;
	}
	if (!c->is_json && directory != NULL)
		say_good(c, ca, directory);
	else if (!c->is_json)
		CMD_SAY(c, stderr, "cli.ca-failed", str_of(ca->name), str_of(why.text));
	if (directory != NULL)
		return json_pack(
		    "{s:s, s:b, s:o}", "name", ca->name, "ok", true, "directory", directory);
	return json_pack("{s:s, s:b, s:s}", "name", ca->name, "ok", false, "error", why.text);
}

int
cmd_ca_test(struct cmd *c)
{
	struct config *config = cmd_config(c);
	json_t *all = json_array();
	int status = CMD_DONE;

	for (size_t i = 0; config != NULL && i < config->cas_n; i++) {
		json_t *one;

		if (c->args_n > 0 && strcmp(config->cas[i].name, c->args[0]) != 0)
			continue;
		one = test_one(c, &config->cas[i]);
		if (!json_is_true(json_object_get(one, "ok")))
			status = CMD_FAILED;
		(void)json_array_append_new(
		    all, one); /* a lost line of --json leaves the status */
	}
	if (config == NULL) {
		status = CMD_FAILED;
	} else if (json_array_size(all) == 0) {
		CMD_SAY(c, stderr, "cli.no-ca", str_of(c->args[0]));
		status = CMD_FAILED;
	} else if (c->is_json) {
		client_print_json(all);
	}
	json_decref(all);
	config_free(&config);
	return status;
}
