#include "sim/world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* DNS, web servers and what probes see of them. */

static void
copy(char *to, size_t size, struct str from)
{
	(void)snprintf(to, size, "%.*s", STR_ARG(from));
}

/* --- DNS --- */

enum err
sim_dns_put(struct sim *s, struct str name, enum sim_record_type type, struct str value)
{
	struct sim_record *grown = realloc(s->records, (s->records_n + 1) * sizeof *grown);

	if (grown == NULL)
		return ERR_MEMORY;
	s->records = grown;
	struct sim_record *r = &grown[s->records_n++];
	r->type = type;
	copy(r->name, sizeof r->name, name);
	copy(r->value, sizeof r->value, value);
	return ERR_OK;
}

void
sim_dns_remove(struct sim *s, struct str name, enum sim_record_type type)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->records_n; i++)
		if (s->records[i].type != type || !str_eq(str_of(s->records[i].name), name))
			s->records[kept++] = s->records[i];
	s->records_n = kept;
}

const struct sim_record *
sim_dns_find(const struct sim *s, struct str name, enum sim_record_type type, size_t nth)
{
	for (size_t i = 0; i < s->records_n; i++)
		if (s->records[i].type == type && str_eq(str_of(s->records[i].name), name) && nth-- == 0)
			return &s->records[i];
	return NULL;
}

/* --- web servers --- */

enum err
sim_web_put(struct sim *s, struct str address, struct sim_web **ret)
{
	struct sim_web *grown = realloc(s->webs, (s->webs_n + 1) * sizeof *grown);
	char **addresses = realloc(s->config.server.addresses, (s->webs_n + 1) * sizeof *addresses);

	if (grown != NULL)
		s->webs = grown;
	if (addresses != NULL)
		s->config.server.addresses = addresses;
	char *text = strndup(address.p, address.n);
	if (grown == NULL || addresses == NULL || text == NULL) {
		free(text);
		return ERR_MEMORY;
	}
	struct sim_web *w = &grown[s->webs_n++];
	*w = (struct sim_web){ 0 };
	copy(w->address, sizeof w->address, address);
	addresses[s->config.server.addresses_n++] = text;
	*ret = w;
	/* The engine reads its addresses once, when it starts. */
	return sim_crash(s);
}

struct sim_web *
sim_web_at(const struct sim *s, struct str address)
{
	for (size_t i = 0; i < s->webs_n; i++)
		if (str_eq(str_of(s->webs[i].address), address))
			return &s->webs[i];
	return NULL;
}

struct sim_vhost *
sim_vhost_of(const struct sim_web *w, struct str name)
{
	for (size_t i = 0; i < w->vhosts_n; i++)
		if (str_eq(str_of(w->vhosts[i].name), name))
			return &w->vhosts[i];
	return NULL;
}

const struct sim_certificate *
sim_served(const struct sim *s, struct str name)
{
	const struct sim_record *r = sim_dns_find(s, name, SIM_A, 0);
	const struct sim_web *w = r != NULL ? sim_web_at(s, str_of(r->value)) : NULL;
	const struct sim_vhost *v = w != NULL && !w->is_down ? sim_vhost_of(w, name) : NULL;

	return v != NULL && v->certificate > 0 ? &s->certificates[v->certificate - 1] : NULL;
}

/* --- probes --- */

struct probe_call {
	probe_done *done;
	void *arg;
	struct probe_job job;
	struct evidence_box *box;
	struct arena arena;
};

static bool
read_ipv4(struct str text, struct address *ret)
{
	*ret = (struct address){ .family = 4 };
	for (size_t i = 0; i < 4; i++) {
		int64_t n;

		if (!str_to_int(str_cut(&text, '.'), &n) || n < 0 || n > 255)
			return false;
		ret->bytes[i] = (uint8_t)n;
	}
	return text.n == 0;
}

static void
fill_leaf(const struct sim_certificate *c, struct arena *a, struct certificate_info *ret)
{
	*ret = (struct certificate_info){
		.not_before = c->life.from,
		.not_after = c->life.to,
		.serial = STR("01"),
		.issuer = STR("Simulated CA"),
		.names = arena_get(a, c->names_n * sizeof *ret->names),
	};
	memcpy(ret->fingerprint, c->fingerprint, sizeof ret->fingerprint);
	for (size_t i = 0; ret->names != NULL && i < c->names_n; i++)
		ret->names[ret->names_n++] = arena_str(a, str_of(c->names[i]));
}

static void
show(const struct sim_certificate *c, const struct probe_job *job, struct arena *a, struct tls_evidence *ret)
{
	ret->result = TLS_SHOWN;
	ret->chain_ok = true;
	if (job->want_http)
		ret->revocation = c->is_revoked ? REVOCATION_REVOKED : REVOCATION_GOOD;
	fill_leaf(c, a, &ret->leaf);
}

/* The home page over http, as a browser opens it: by our redirect, or by that of the site behind it. */
static void
open_plainly(const struct sim_web *w, const struct sim_vhost *v, struct str name, struct arena *a, struct http_evidence *ret)
{
	bool is_led = (v != NULL && v->redirect != 0) || w->forwards;

	*ret = (struct http_evidence){ .result = HTTP_ANSWERED, .status = v != NULL && v->redirect != 0 ? v->redirect : is_led ? 301 : 200 };
	if (is_led) {
		ret->hops = 1;
		ret->location = arena_strf(a, "https://%.*s/", STR_ARG(name));
	}
}

static void
probe_address(const struct sim *s, const struct probe_job *job, struct str name, struct str value, struct arena *a,
    struct address_evidence *ret)
{
	const struct sim_web *w = sim_web_at(s, value);
	const struct sim_vhost *v = w != NULL ? sim_vhost_of(w, name) : NULL;

	*ret = (struct address_evidence){ .is_ours = w != NULL };
	if (!read_ipv4(value, &ret->ip))
		ret->is_reserved = true;
	if (job->want_http && w != NULL && !w->is_down)
		/* Every web server of ours answers every challenge, by the static snippet. */
		ret->http = (struct http_evidence){ .result = HTTP_ANSWERED, .status = 200, .is_ours = job->thumbprint.n > 0 };
	else if (job->want_http && w != NULL)
		ret->http = (struct http_evidence){ .result = HTTP_REFUSED };
	else if (job->want_http)
		ret->http = (struct http_evidence){ .result = HTTP_ANSWERED, .status = 404, .server = STR("elsewhere") };
	if (!job->want_tls)
		return;
	if (job->want_http && w != NULL && !w->is_down)
		open_plainly(w, v, name, a, &ret->plain);
	if (w == NULL || w->is_down || v == NULL || v->certificate == 0) {
		ret->tls.result = TLS_REFUSED;
		return;
	}
	show(&s->certificates[v->certificate - 1], job, a, &ret->tls);
	if (!w->has_mail || v->mail == 0 || !job->want_http)
		return;
	ret->services = arena_get(a, sizeof *ret->services);
	if (ret->services == NULL)
		return;
	ret->services_n = 1;
	ret->services[0] = (struct service_evidence){ .port = 993 };
	show(&s->certificates[v->mail - 1], job, a, &ret->services[0].tls);
}

static void
probe_name(const struct sim *s, const struct probe_job *job, struct str name, struct arena *a, struct name_evidence *ret)
{
	struct str parent = name;
	size_t n = 0;

	*ret = (struct name_evidence){ .name = arena_str(a, name), .ttl_s = 300, .caa_status = DNS_OK };
	if (s->dns_silent_until_ms > s->now_ms || s->resolver_down_until_ms > s->now_ms ||
	    s->network_down_until_ms > s->now_ms) {
		ret->a_status = ret->aaaa_status = ret->caa_status = DNS_TIMEOUT;
		return;
	}
	/* The registered domain of the simulated world: the last two labels. */
	for (size_t dots = 0, i = name.n; i > 0 && dots < 2; i--)
		if (name.p[i - 1] == '.' && ++dots == 2)
			parent = (struct str){ name.p + i, name.n - i };
	ret->registered_domain = arena_str(a, parent);
	ret->registered_status = DNS_OK;
	while (sim_dns_find(s, name, SIM_A, n) != NULL)
		n++;
	ret->a_status = ret->aaaa_status = n > 0 ? DNS_OK : DNS_NXDOMAIN;
	ret->addresses = arena_get(a, (n + 1) * sizeof *ret->addresses);
	for (size_t i = 0; ret->addresses != NULL && i < n; i++)
		probe_address(s, job, ret->name, str_of(sim_dns_find(s, name, SIM_A, i)->value), a,
		    &ret->addresses[ret->addresses_n++]);
	for (struct str at = ret->name; at.n > 0 && ret->caa_n == 0; (void)str_cut(&at, '.')) {
		const struct sim_record *r = sim_dns_find(s, at, SIM_CAA, 0);

		if (r == NULL)
			continue;
		size_t caa_n = 0;
		while (sim_dns_find(s, at, SIM_CAA, caa_n) != NULL)
			caa_n++;
		ret->caa = arena_get(a, caa_n * sizeof *ret->caa);
		if (ret->caa == NULL)
			return;
		/* The value is an issuer, as in `issue "letsencrypt.org"`. */
		for (size_t i = 0; i < caa_n; i++)
			ret->caa[ret->caa_n++] = (struct caa_record){ .tag = STR("issue"),
				.value = arena_str(a, str_of(sim_dns_find(s, at, SIM_CAA, i)->value)) };
		ret->caa_at = at;
	}
}

static void
drop_probe(struct sim *s, void *arg)
{
	struct probe_call *call = arg;

	(void)s;
	evidence_box_free(&call->box);
	arena_fini(&call->arena);
	free(call);
}

static void
finish_probe(struct sim *s, void *arg)
{
	struct probe_call *call = arg;
	struct evidence_box *box = call->box;
	struct evidence *e = &box->evidence;

	*e = (struct evidence){
		.at = sim_now(s),
		.has_dns = call->job.want_dns,
		.has_http = call->job.want_http && call->job.thumbprint.n > 0,
		.has_tls = call->job.want_tls,
		.resolver_works = s->resolver_down_until_ms <= s->now_ms && s->network_down_until_ms <= s->now_ms,
		.no_route = s->network_down_until_ms > s->now_ms,
		.names = arena_get(&box->arena, (call->job.names_n + 1) * sizeof *e->names),
	};
	for (size_t i = 0; e->names != NULL && i < call->job.names_n; i++)
		probe_name(s, &call->job, call->job.names[i], &box->arena, &e->names[e->names_n++]);
	call->box = NULL;
	call->done(call->arg, box);
	drop_probe(s, call);
}

static enum err
submit_probe(void *ctx, const struct probe_job *job, probe_done *done, void *arg)
{
	struct sim *s = ctx;
	struct probe_call *call = calloc(1, sizeof *call);

	if (call == NULL)
		return ERR_MEMORY;
	*call = (struct probe_call){ .done = done, .arg = arg, .job = *job, .box = calloc(1, sizeof *call->box) };
	if (call->box == NULL) {
		free(call);
		return ERR_MEMORY;
	}
	arena_init(&call->arena, LIMIT_TURN_BYTES);
	arena_init(&call->box->arena, LIMIT_TURN_BYTES);
	struct str *names = arena_get(&call->arena, (job->names_n + 1) * sizeof *names);
	for (size_t i = 0; names != NULL && i < job->names_n; i++)
		names[i] = arena_str(&call->arena, job->names[i]);
	call->job.names = names;
	call->job.thumbprint = arena_str(&call->arena, job->thumbprint);
	s->checks += job->want_http;
	enum err err = arena_failed(&call->arena) ? ERR_MEMORY : sim_after(s, 200, finish_probe, drop_probe, call);
	if (err != ERR_OK)
		drop_probe(s, call);
	return err;
}

struct probe
sim_probe_port(struct sim *s)
{
	return (struct probe){ s, submit_probe };
}

/* --- the installer and the web server behind it --- */

struct deploy_call {
	deploy_done *done;
	void *arg;
	enum deploy_verb verb;
	int64_t site_id;
	size_t certificate;
	uint16_t redirect;
	uint32_t hsts_age_s;
	char thumbprint[SIM_KEY + 16];
	bool asks_web;
	size_t names_n;
	char names[SIM_NAMES][SIM_TEXT];
};

static void
remove_site(struct sim_web *w, int64_t site_id)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->vhosts_n; i++)
		if (w->vhosts[i].site_id != site_id)
			w->vhosts[kept++] = w->vhosts[i];
	w->vhosts_n = kept;
}

static enum err
apply_site(struct sim_web *w, const struct deploy_call *call)
{
	struct sim_vhost *grown = realloc(w->vhosts, (w->vhosts_n + call->names_n + 1) * sizeof *grown);
	size_t mail[SIM_NAMES];

	if (grown == NULL)
		return ERR_MEMORY;
	w->vhosts = grown;
	for (size_t i = 0; i < call->names_n; i++) {
		const struct sim_vhost *before = sim_vhost_of(w, str_of(call->names[i]));

		mail[i] = w->mail_is_deaf && before != NULL ? before->mail : call->certificate;
	}
	remove_site(w, call->site_id);
	for (size_t i = 0; i < call->names_n; i++) {
		struct sim_vhost *v = &w->vhosts[w->vhosts_n++];

		*v = (struct sim_vhost){ .site_id = call->site_id, .certificate = call->certificate, .mail = mail[i],
			.redirect = call->redirect, .hsts_age_s = call->hsts_age_s };
		(void)snprintf(v->name, sizeof v->name, "%s", call->names[i]);
	}
	w->reloads++;
	return ERR_OK;
}

static void
drop_call(struct sim *s, void *arg)
{
	(void)s;
	free(arg);
}

static void
finish_deploy(struct sim *s, void *arg)
{
	struct deploy_call *call = arg;
	struct deploy_answer answer = { .target = STR("nginx"), .is_reloading = true };

	for (size_t i = 0; i < s->webs_n && answer.err == ERR_OK; i++) {
		struct sim_web *w = &s->webs[i];

		if (w->disk_is_full)
			answer = (struct deploy_answer){ ERR_DISK_FULL, CAUSE_OWN_DISK_FULL,
				STR("write: No space left on device"), STR("nginx"), false };
		else if (w->config_is_broken)
			answer = (struct deploy_answer){ ERR_COMMAND, CAUSE_OWN_DEPLOY_CONFIG_BROKEN,
				STR("nginx: [emerg] unexpected \"}\" in /etc/nginx/sites/other.conf:12"), STR("nginx"),
				false };
		else if (call->verb == DEPLOY_APPLY && call->certificate > 0 && call->certificate <= w->misfits)
			answer = (struct deploy_answer){ ERR_MISMATCH, CAUSE_OWN_CERTIFICATE_KEY_MISMATCH,
				STR("the key is of another certificate"), STR("nginx"), false };
		else if (call->verb == DEPLOY_APPLY)
			answer.err = apply_site(w, call);
		else if (call->verb == DEPLOY_REMOVE)
			remove_site(w, call->site_id);
	}
	/* The snippet is written with whatever else is; it is one for all servers. */
	if (answer.err == ERR_OK && call->thumbprint[0] != '\0' && call->verb != DEPLOY_REMOVE) {
		memcpy(s->thumbprint, call->thumbprint, sizeof s->thumbprint);
		s->asks_web = call->asks_web;
	}
	call->done(call->arg, &answer);
	free(call);
}

static enum err
submit_deploy(void *ctx, const struct deploy_job *job, deploy_done *done, void *arg)
{
	struct sim *s = ctx;
	struct deploy_call *call = calloc(1, sizeof *call);
	struct str set = job->set;
	int64_t n = 0;

	if (call == NULL)
		return ERR_MEMORY;
	*call = (struct deploy_call){ .done = done, .arg = arg, .verb = job->verb, .site_id = job->site_id,
		.redirect = job->redirect, .hsts_age_s = job->hsts_age_s, .asks_web = job->answer_at.n > 0 };
	copy(call->thumbprint, sizeof call->thumbprint, job->thumbprint);
	/* "SIM-SET n": the number of the certificate. */
	(void)str_cut(&set, ' ');
	if (str_to_int(set, &n))
		call->certificate = (size_t)n;
	for (size_t i = 0; i < job->names_n && i < SIM_NAMES; i++)
		copy(call->names[call->names_n++], SIM_TEXT, job->names[i]);
	enum err err = sim_after(s, 300, finish_deploy, drop_call, call);
	if (err != ERR_OK)
		free(call);
	return err;
}

struct deploy
sim_deploy_port(struct sim *s)
{
	return (struct deploy){ s, submit_deploy };
}

/* --- the mail server --- */

struct mail_call {
	mail_done *done;
	void *arg;
	char to[SIM_TEXT];
	char *message;
};

static struct str
header(struct str message, struct str name)
{
	while (message.n > 0) {
		struct str line = str_cut(&message, '\n');

		if (str_trim(line).n == 0)
			break;
		if (str_starts(line, name))
			return str_trim((struct str){ line.p + name.n, line.n - name.n });
	}
	return STR_NONE;
}

static void
drop_mail(struct sim *s, void *arg)
{
	struct mail_call *call = arg;

	(void)s;
	free(call->message);
	free(call);
}

static void
finish_mail(struct sim *s, void *arg)
{
	struct mail_call *call = arg;
	struct mail_answer answer = { .err = ERR_OK };
	struct sim_letter *grown = realloc(s->letters, (s->letters_n + 1) * sizeof *grown);

	if (grown != NULL)
		s->letters = grown;
	if (grown == NULL || s->mail_down_until_ms > s->now_ms) {
		answer = (struct mail_answer){ ERR_CONNECT, STR("connection refused") };
	} else {
		struct sim_letter *l = &s->letters[s->letters_n];

		*l = (struct sim_letter){ .at = sim_now(s) };
		copy(l->to, sizeof l->to, str_of(call->to));
		copy(l->subject, sizeof l->subject, header(str_of(call->message), STR("Subject:")));
		copy(l->message_id, sizeof l->message_id, header(str_of(call->message), STR("Message-ID:")));
		bool is_new = true;
		for (size_t i = 0; i < s->letters_n; i++)
			is_new &= strcmp(s->letters[i].message_id, l->message_id) != 0;
		s->letters_sent_twice += !is_new;
		s->letters_n += is_new;
	}
	call->done(call->arg, &answer);
	drop_mail(s, call);
}

static enum err
submit_mail(void *ctx, const struct mail_job *job, mail_done *done, void *arg)
{
	struct sim *s = ctx;
	struct mail_call *call = calloc(1, sizeof *call);

	if (call == NULL)
		return ERR_MEMORY;
	*call = (struct mail_call){ .done = done, .arg = arg, .message = strndup(job->message.p, job->message.n) };
	copy(call->to, sizeof call->to, job->to);
	enum err err = call->message == NULL ? ERR_MEMORY : sim_after(s, 500, finish_mail, drop_mail, call);
	if (err != ERR_OK)
		drop_mail(s, call);
	return err;
}

struct mail
sim_mail_port(struct sim *s)
{
	return (struct mail){ s, submit_mail };
}

/* --- the keeper --- */

struct keys_call {
	keys_done *done;
	void *arg;
	enum keys_verb verb;
	char text[SIM_TEXT];
};

static void
finish_keys(struct sim *s, void *arg)
{
	struct keys_call *call = arg;
	struct keys_answer answer = { .err = ERR_OK };
	char thumbprint[SIM_KEY + 16];

	(void)s;
	answer.sealed = str_of(call->text);
	sim_thumbprint(str_of(call->text), thumbprint);
	answer.thumbprint = str_of(thumbprint);
	answer.json = str_of(call->text);
	answer.csr_der = STR("SIM-CSR");
	answer.set = str_of(call->text);
	call->done(call->arg, &answer);
	free(call);
}

static enum err
submit_keys(void *ctx, const struct keys_job *job, keys_done *done, void *arg)
{
	struct sim *s = ctx;
	struct keys_call *call = calloc(1, sizeof *call);
	struct str chain = job->chain_pem;

	if (call == NULL)
		return ERR_MEMORY;
	*call = (struct keys_call){ .done = done, .arg = arg, .verb = job->verb };
	(void)str_cut(&chain, ' ');
	if (job->verb == KEYS_SET)
		(void)snprintf(call->text, sizeof call->text, "SIM-SET %.*s", STR_ARG(chain));
	else if (job->verb == KEYS_KEY_CHANGE)
		(void)snprintf(call->text, sizeof call->text, "%.*s", STR_ARG(job->sealed));
	else
		(void)snprintf(call->text, sizeof call->text, "SIM-KEY %llu", (unsigned long long)s->sequence);
	enum err err = sim_after(s, 2, finish_keys, drop_call, call);
	if (err != ERR_OK)
		free(call);
	return err;
}

struct keys
sim_keys_port(struct sim *s)
{
	return (struct keys){ s, submit_keys };
}
