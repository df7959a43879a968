#include "ports/config/config.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/must.h"
#include "ports/config/schema.h"

enum { FILE_READ_MAX = 1024 * 1024 + 1 };

/* The last line of libcyaml's log is kept: it speaks only where our own check was more lenient than the library. */
struct log {
	char text[256];
};

__attribute__((format(printf, 3, 0))) static void
log_keep(cyaml_log_t level, void *arg, const char *fmt, va_list args)
{
	struct log *l = arg;
	size_t n = strlen(l->text);

	(void)level;
	(void)vsnprintf(l->text + n, sizeof l->text - n, fmt, args);
	for (char *p = l->text; *p != '\0'; p++)
		if (*p == '\n')
			*p = ' ';
}

/* Strings are made with malloc, as libcyaml does by way of realloc. First failure is kept in *err. */
static void
set_default(char **field, const char *value, enum err *err)
{
	if (*field != NULL)
		return;
	*field = strdup(value);
	if (*field == NULL)
		*err = ERR_MEMORY;
}

static void
set_path(char **field, const char *folder, const char *rest, enum err *err)
{
	AUTO_BUF b = { 0 };

	if (*field != NULL)
		return;
	buf_init(&b, 8192);
	buf_putf(&b, "%s/%s", folder == NULL ? "" : folder, rest);
	*field = buf_take(&b);
	if (*field == NULL)
		*err = ERR_MEMORY;
}

static void
set_list(char ***field, size_t *n, const char *const *values, enum err *err)
{
	size_t count = 0;

	if (*n > 0)
		return;
	while (values[count] != NULL)
		count++;
	*field = calloc(count, sizeof **field);
	if (*field == NULL) {
		*err = ERR_MEMORY;
		return;
	}
	*n = count;
	for (size_t i = 0; i < count; i++)
		set_default(&(*field)[i], values[i], err);
}

/* The form of each was checked against the text. */
static int64_t
span_ms(const char *given, const char *otherwise)
{
	int64_t ms = 0;

	must(config_read_span(given == NULL ? otherwise : given, &ms));
	return ms;
}

static struct span
span_s(const char *given, const char *otherwise)
{
	return SPAN_S(span_ms(given, otherwise) / 1000);
}

/* A CA that has no name goes by its host. */
static void
name_ca(struct config_ca *ca, enum err *err)
{
	const char *host = ca->directory + strlen("https://");
	size_t n = strcspn(host, "/:?#");

	if (ca->name != NULL)
		return;
	ca->name = strndup(host, n);
	if (ca->name == NULL)
		*err = ERR_MEMORY;
}

static void
complete_target(struct config *c, struct config_target *t, enum err *err)
{
	static const char *const words[] = { "nginx", "nginx-variable", "folder" };
	bool is_nginx = t->kind != TARGET_FOLDER;
	AUTO_BUF folder = { 0 };

	set_default(&t->name, words[t->kind], err);
	set_default(&t->group, "", err);
	buf_init(&folder, 8192);
	buf_putf(&folder, "live/%s", t->name == NULL ? "" : t->name);
	if (buf_str(&folder).p == NULL)
		*err = ERR_MEMORY;
	else
		set_path(&t->folder, c->state_folder, folder.p, err);
	set_default(&t->config_folder, is_nginx ? "/etc/nginx/conf.d" : "", err);
	if (!is_nginx)
		return;
	set_list(&t->test, &t->test_n,
	    (const char *const[]){ "/usr/sbin/nginx", "-t", "-q", NULL }, err);
	set_list(&t->reload, &t->reload_n,
	    (const char *const[]){ "/usr/sbin/nginx", "-s", "reload", NULL }, err);
	set_list(&t->listen_http, &t->listen_http_n,
	    (const char *const[]){ "80", "[::]:80", NULL }, err);
	set_list(&t->listen_https, &t->listen_https_n,
	    (const char *const[]){ "443", "[::]:443", NULL }, err);
}

static void
complete_mail(struct config *c, enum err *err)
{
	char host[256] = "";
	AUTO_BUF from = { 0 };

	set_default(&c->mail.server, "smtp://127.0.0.1:25", err);
	if (c->mail.from != NULL)
		return;
	if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
		memcpy(host, "localhost", sizeof "localhost");
	buf_init(&from, 512);
	buf_putf(&from, "koshin@%s", host);
	c->mail.from = buf_take(&from);
	if (c->mail.from == NULL)
		*err = ERR_MEMORY;
}

static enum err
complete(struct config_raw *r)
{
	struct config *c = &r->c;
	enum err err = ERR_OK;

	set_default(&c->state_folder, "/var/lib/koshin", &err);
	set_path(&c->run_folder, c->state_folder, "run", &err);
	set_default(&c->user, "", &err);
	for (size_t i = 0; i < c->cas_n; i++)
		name_ca(&c->cas[i], &err);
	if (c->targets_n == 0) {
		c->targets = calloc(1, sizeof *c->targets);
		if (c->targets == NULL)
			return ERR_MEMORY;
		c->targets_n = 1;
	}
	for (size_t i = 0; i < c->targets_n; i++)
		complete_target(c, &c->targets[i], &err);
	if (c->dns.port == 0)
		c->dns.port = 53;
	for (size_t i = 0; i < c->dns.updates_n; i++)
		if (c->dns.updates[i].ttl == 0)
			c->dns.updates[i].ttl = 3600;
	if (c->check.http_port == 0)
		c->check.http_port = 80;
	if (c->check.https_port == 0)
		c->check.https_port = 443;
	set_default(&c->check.rdap, "https://data.iana.org/rdap/dns.json", &err);
	if (c->check.rdap != NULL && strcmp(c->check.rdap, "off") == 0) {
		free(c->check.rdap);
		c->check.rdap = NULL;
	}
	c->check.timeout_ms = span_ms(r->span.timeout, "10 s");
	c->check.deadline_ms = span_ms(r->span.deadline, "60 s");
	c->check.look_every = span_s(r->span.look_every, "1 d");
	c->check.poll_min = span_s(r->span.poll_min, "30 s");
	c->check.poll_max = span_s(r->span.poll_max, "15 min");
	set_list(&c->web.listen, &c->web.listen_n,
	    (const char *const[]){ "127.0.0.1:8402", NULL }, &err);
	set_path(&c->web.socket, c->run_folder, "api.sock", &err);
	set_default(&c->panel.folder, "/usr/local/share/koshin/panel", &err);
	complete_mail(c, &err);
	set_default(&c->language, "ja", &err);
	set_default(&c->timezone, "+09:00", &err);
	set_default(&c->panel_url, "", &err);
	c->draft.tell_after = span_s(r->span.tell_after, "7 d");
	c->draft.discard_after = span_s(r->span.discard_after, "30 d");
	c->acme.timeout_ms = span_ms(r->span.acme_timeout, "30 s");
	c->acme.processing_max = SPAN_S(span_ms(r->span.acme_processing_max, "10 min") / 1000);
	if (c->acme.connections_max == 0)
		c->acme.connections_max = 8;
	if (c->acme.orders_open_max == 0)
		c->acme.orders_open_max = 200;
	c->acme.reserve_after = span_s(r->span.reserve_after, "1 h");
	c->acme.canary_every = span_s(r->span.canary_every, "7 d");
	c->watch.every = span_s(r->span.watch_every, "1 min");
	c->watch.dead_after = span_s(r->span.dead_after, "3 min");
	c->watch.late_after = span_s(r->span.late_after, "15 min");
	c->watch.blind_after = span_s(r->span.blind_after, "36 h");
	/* Two of the root name servers, by address: a.root-servers.net and k.root-servers.net. */
	set_list(&c->watch.outside, &c->watch.outside_n,
	    (const char *const[]){ "198.41.0.4@53", "193.0.14.129@53", NULL }, &err);
	for (size_t i = 0; i < c->vantages_n; i++)
		c->vantages[i].timeout_ms = span_ms(c->vantages[i].timeout, "20 s");
	if (c->vantage.questions_a_minute == 0)
		c->vantage.questions_a_minute = 120;
	c->clock_offset = span_s(r->span.clock_offset, "0 s");
	c->lease = span_s(r->span.lease, "0 s");
	set_default(&c->log_level, "info", &err);
	return err;
}

/* Two CAs, or two targets, of one name could not be told apart in the store and on the disk. */
static enum err
check_names(const struct config *c, const char *file, struct why *why)
{
	for (size_t i = 0; i < c->cas_n; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(c->cas[i].name, c->cas[j].name) == 0) {
				why_set(why,
				    "%s: cas[].name: \"%s\" occurs twice; expected a name of "
				    "its own for each CA",
				    file, c->cas[i].name);
				return ERR_CONFIG;
			}
	for (size_t i = 0; i < c->targets_n; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(c->targets[i].name, c->targets[j].name) == 0) {
				why_set(why,
				    "%s: targets[].name: \"%s\" occurs twice; expected a name "
				    "of its own for each target",
				    file, c->targets[i].name);
				return ERR_CONFIG;
			}
	for (size_t i = 0; i < c->dns.updates_n; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(c->dns.updates[i].zone, c->dns.updates[j].zone) == 0) {
				why_set(why, "%s: dns.updates[].zone: \"%s\" occurs twice; expected each zone once", file, c->dns.updates[i].zone);
				return ERR_CONFIG;
			}
	for (size_t i = 0; i < c->vantages_n; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(c->vantages[i].name, c->vantages[j].name) == 0) {
				why_set(why, "%s: vantages[].name: \"%s\" occurs twice; expected a name of its own for each vantage point", file,
				    c->vantages[i].name);
				return ERR_CONFIG;
			}
	return ERR_OK;
}

static enum err
load(struct str yaml, const char *file, struct why *why, struct config_raw **ret)
{
	struct log log = { "" };
	const cyaml_config_t how = {
		.log_fn = log_keep,
		.log_ctx = &log,
		.log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_NO_ALIAS,
	};
	cyaml_data_t *data = NULL;
	cyaml_err_t err =
	    cyaml_load_data((const uint8_t *)yaml.p, yaml.n, &how, &config_schema, &data, NULL);

	if (err == CYAML_ERR_OOM)
		return ERR_MEMORY;
	if (err != CYAML_OK || data == NULL) {
		why_set(why, "%s: %s: %s", file, cyaml_strerror(err), log.text);
		return ERR_CONFIG;
	}
	*ret = data;
	return ERR_OK;
}

static void
free_list(char ***list, size_t *n)
{
	for (size_t i = 0; *list != NULL && i < *n; i++)
		free((*list)[i]);
	free(*list);
	*list = NULL;
	*n = 0;
}

static void
fini_content(struct config *c)
{
	for (size_t i = 0; i < c->targets_n; i++) {
		struct config_target *t = &c->targets[i];

		free(t->name);
		free(t->folder);
		free(t->config_folder);
		free(t->group);
		free_list(&t->test, &t->test_n);
		free_list(&t->reload, &t->reload_n);
		free_list(&t->listen_http, &t->listen_http_n);
		free_list(&t->listen_https, &t->listen_https_n);
	}
	free(c->targets);
	for (size_t i = 0; i < c->cas_n; i++) {
		char *all[] = { c->cas[i].name, c->cas[i].directory, c->cas[i].contact,
			c->cas[i].bundle, c->cas[i].preferred_issuer, c->cas[i].eab_kid, c->cas[i].profile,
			c->cas[i].eab_hmac_file };

		for (size_t k = 0; k < c->cas[i].raised_n; k++)
			free(c->cas[i].raised[k]);
		free(c->cas[i].raised);
		free(c->cas[i].limits);

		for (size_t k = 0; k < sizeof all / sizeof *all; k++)
			free(all[k]);
	}
	free(c->cas);
	free_list(&c->server.addresses, &c->server.addresses_n);
	free_list(&c->dns.forwarders, &c->dns.forwarders_n);
	free_list(&c->dns.public_resolvers, &c->dns.public_resolvers_n);
	for (size_t i = 0; i < c->dns.updates_n; i++) {
		free(c->dns.updates[i].zone);
		free(c->dns.updates[i].server);
		free(c->dns.updates[i].key);
		free(c->dns.updates[i].secret_file);
	}
	free(c->dns.updates);
	free_list(&c->check.allow, &c->check.allow_n);
	free_list(&c->check.fronts, &c->check.fronts_n);
	free_list(&c->check.from, &c->check.from_n);
	for (size_t i = 0; i < c->vantages_n; i++) {
		free(c->vantages[i].name);
		free(c->vantages[i].url);
		free(c->vantages[i].bundle);
		free(c->vantages[i].timeout);
	}
	free(c->vantages);
	free(c->vantage.name);
	free_list(&c->vantage.listen, &c->vantage.listen_n);
	free(c->vantage.certificate);
	free(c->vantage.key);
	free_list(&c->vantage.askers, &c->vantage.askers_n);
	free_list(&c->check.services, &c->check.services_n);
	free_list(&c->web.listen, &c->web.listen_n);
	free_list(&c->panel.listen, &c->panel.listen_n);
	free_list(&c->watch.outside, &c->watch.outside_n);
	char *all[] = { c->file, c->state_folder, c->run_folder, c->user,
		c->dns.trust_anchor_file, c->check.roots, c->check.rdap, c->web.socket, c->panel.folder, c->mail.server,
		c->mail.user, c->mail.password_file, c->mail.from, c->mail.reply_to,
		c->mail.bundle, c->acme.canary, c->watch.operator_mail, c->watch.server, c->language, c->panel_url, c->timezone, c->log_level };
	for (size_t k = 0; k < sizeof all / sizeof *all; k++)
		free(all[k]);
}

static void
free_raw(struct config_raw *r)
{
	char *all[] = { r->span.timeout, r->span.deadline, r->span.look_every, r->span.poll_min,
		r->span.poll_max, r->span.tell_after, r->span.discard_after,
		r->span.clock_offset, r->span.lease, r->span.acme_timeout, r->span.acme_processing_max, r->span.reserve_after, r->span.canary_every,
		r->span.watch_every, r->span.dead_after, r->span.late_after, r->span.blind_after };

	for (size_t k = 0; k < sizeof all / sizeof *all; k++)
		free(all[k]);
	fini_content(&r->c);
	free(r);
}

void
config_free(struct config **c)
{
	if (*c == NULL)
		return;
	fini_content(*c);
	free(*c);
	*c = NULL;
}

enum err
config_parse(struct str yaml, const char *file, struct why *why, struct config **ret)
{
	struct config_raw *raw = NULL;
	struct config *c;

	if (str_trim(yaml).n == 0) {
		why_set(why, "%s:1: the file is empty; expected at least server.addresses and one of cas", file);
		return ERR_CONFIG;
	}
	enum err err = config_check_text(yaml, file, why);
	if (err == ERR_OK)
		err = load(yaml, file, why, &raw);
	if (err != ERR_OK)
		return err;
	err = complete(raw);
	if (err == ERR_OK)
		err = check_names(&raw->c, file, why);
	set_default(&raw->c.file, file, &err);
	c = err == ERR_OK ? malloc(sizeof *c) : NULL;
	if (err == ERR_OK && c == NULL)
		err = ERR_MEMORY;
	if (err == ERR_OK) {
		*c = raw->c;
		raw->c = (struct config){ 0 };
		*ret = c;
	}
	free_raw(raw);
	return err;
}

enum err
config_read(const char *file, struct why *why, struct config **ret)
{
	AUTO_BUF text = { 0 };
	char chunk[4096];
	size_t n;
	FILE *f = fopen(file, "re");
	enum err err;

	if (f == NULL) {
		why_set(why, "%s: cannot be opened: %s; expected the configuration file", file,
		    strerror(errno));
		return ERR_CONFIG;
	}
	buf_init(&text, FILE_READ_MAX);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_put(&text, chunk, n);
	err = ferror(f) != 0 ? ERR_IO : text.err;
	if (ferror(f) != 0)
		why_set(why, "%s: cannot be read: %s", file, strerror(errno));
	else if (err == ERR_TOO_LONG)
		why_set(why, "%s: longer than 1 MiB; expected a configuration file", file);
	(void)fclose(f); /* was only read */
	return err == ERR_OK ? config_parse(buf_str(&text), file, why, ret) : err;
}

struct span
config_zone(const struct config *c)
{
	const char *zone = c->timezone;
	int64_t h, m;

	/* "+09:00": its form was checked when the file was read. */
	if (zone == NULL || strlen(zone) != 6 || !str_to_int((struct str){ zone + 1, 2 }, &h) ||
	    !str_to_int((struct str){ zone + 4, 2 }, &m))
		return SPAN_H(9);
	return SPAN_S((zone[0] == '-' ? -1 : 1) * (h * 3600 + m * 60));
}
