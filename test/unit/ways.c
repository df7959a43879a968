/*
 * Never a dead end: whatever error a port answers with, once or for hours, there is a way on. Each error of base/err.tbl,
 * from each port, at the real engine in the simulated world; when it is over, the site has its certificate.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "core/view.h"
#include "sim/world.h"
#include "test/unit/like.h"

enum port { PORT_ACME, PORT_ACCOUNT, PORT_KEYS, PORT_DEPLOY, PORT_MAIL, PORT_DNSAPI, PORT_COUNT };
static const char *const port_names[] = { "acme", "account", "keys", "deploy", "mail", "dnsapi" };

struct call;
struct fault {
	struct call *calls; /* on their way */
	enum port port;
	enum err err;
	bool is_refused; /* the port does not even take the work */
	int64_t from_ms, until_ms; /* virtual; while it lasts every call gets the error */
	unsigned hits;
	struct engine_ports real;
	struct sim *sim;
};

/* One answer that the engine gets a moment later, instead of the port's. */
struct call {
	struct call *next;
	struct fault *fault;
	bool is_forgotten;
	acme_done *on_acme;
	acme_registered *on_account;
	keys_done *on_keys;
	deploy_done *on_deploy;
	mail_done *on_mail;
	dnsapi_done *on_dnsapi;
	enum acme_verb verb;
	int64_t order_id;
	uint32_t index;
	void *arg;
};

static void
call_free(struct call *c)
{
	struct call **link = &c->fault->calls;

	while (*link != c)
		link = &(*link)->next;
	*link = c->next;
	free(c);
}

static void
drop(struct sim *s, void *arg)
{
	(void)s;
	call_free(arg);
}

static void
answer(struct sim *s, void *arg)
{
	struct call *c = arg;
	enum err e = c->fault->err;

	(void)s;
	if (c->is_forgotten) {
		call_free(c);
		return;
	}
	if (c->on_acme != NULL) {
		struct acme_answer *a = acme_answer_new();

		assert_non_null(a);
		a->verb = c->verb;
		a->order_id = c->order_id;
		a->index = c->index;
		a->err = e;
		a->detail = STR("a fault");
		c->on_acme(c->arg, a);
	} else if (c->on_account != NULL) {
		c->on_account(c->arg, &(struct acme_registration){ .err = e, .retry_after = WHEN_UNKNOWN, .detail = STR("a fault") });
	} else if (c->on_keys != NULL) {
		c->on_keys(c->arg, &(struct keys_answer){ .err = e });
	} else if (c->on_deploy != NULL) {
		c->on_deploy(c->arg, &(struct deploy_answer){ .err = e, .words = STR("a fault") });
	} else if (c->on_dnsapi != NULL) {
		c->on_dnsapi(c->arg, &(struct dnsapi_answer){ .err = e, .words = STR("a fault") });
	} else {
		c->on_mail(c->arg, &(struct mail_answer){ .err = e, .words = STR("a fault") });
	}
	call_free(c);
}

static bool
is_hit(struct fault *f, enum port port)
{
	bool is_now = f->port == port && f->sim->now_ms >= f->from_ms && f->sim->now_ms < f->until_ms;

	f->hits += is_now;
	return is_now;
}

static enum err
answer_wrongly(struct fault *f, struct call c)
{
	struct call *copy;

	if (f->is_refused)
		return f->err;
	copy = malloc(sizeof *copy);
	assert_non_null(copy);
	*copy = c;
	copy->fault = f;
	copy->next = f->calls;
	f->calls = copy;
	return sim_after(f->sim, 20, answer, drop, copy);
}

static enum err
acme_submit(void *ctx, const struct acme_request *r, acme_done *done, void *arg)
{
	struct fault *f = ctx;

	return is_hit(f, PORT_ACME)
		   ? answer_wrongly(f, (struct call){ .on_acme = done, .verb = r->verb, .order_id = r->order_id, .index = r->index, .arg = arg })
		   : f->real.acme.submit(f->real.acme.ctx, r, done, arg);
}

static void
acme_forget(void *ctx, int64_t order_id)
{
	struct fault *f = ctx;

	for (struct call *c = f->calls; c != NULL; c = c->next)
		c->is_forgotten |= c->on_acme != NULL && c->order_id == order_id;
	f->real.acme.forget(f->real.acme.ctx, order_id);
}

static enum err
acme_open(void *ctx, const struct acme_account *account, acme_registered *done, void *arg)
{
	struct fault *f = ctx;

	return is_hit(f, PORT_ACCOUNT) ? answer_wrongly(f, (struct call){ .on_account = done, .arg = arg })
				       : f->real.acme.open_account(f->real.acme.ctx, account, done, arg);
}

static enum err
keys_submit(void *ctx, const struct keys_job *job, keys_done *done, void *arg)
{
	struct fault *f = ctx;

	return is_hit(f, PORT_KEYS) ? answer_wrongly(f, (struct call){ .on_keys = done, .arg = arg })
				    : f->real.keys.submit(f->real.keys.ctx, job, done, arg);
}

static enum err
deploy_submit(void *ctx, const struct deploy_job *job, deploy_done *done, void *arg)
{
	struct fault *f = ctx;

	return is_hit(f, PORT_DEPLOY) ? answer_wrongly(f, (struct call){ .on_deploy = done, .arg = arg })
				      : f->real.deploy.submit(f->real.deploy.ctx, job, done, arg);
}

static enum err
mail_submit(void *ctx, const struct mail_job *job, mail_done *done, void *arg)
{
	struct fault *f = ctx;

	return is_hit(f, PORT_MAIL) ? answer_wrongly(f, (struct call){ .on_mail = done, .arg = arg })
				    : f->real.mail.submit(f->real.mail.ctx, job, done, arg);
}

static enum err
dnsapi_submit(void *ctx, const struct dnsapi_job *job, dnsapi_done *done, void *arg)
{
	struct fault *f = ctx;

	return is_hit(f, PORT_DNSAPI) ? answer_wrongly(f, (struct call){ .on_dnsapi = done, .arg = arg })
				      : f->real.dnsapi.submit(f->real.dnsapi.ctx, job, done, arg);
}

static void
wrap(struct sim *s, struct engine_ports *ports, void *arg)
{
	struct fault *f = arg;

	f->sim = s;
	f->real = *ports;
	ports->acme.ctx = ports->keys.ctx = ports->deploy.ctx = ports->mail.ctx = ports->dnsapi.ctx = f;
	ports->acme.submit = acme_submit;
	ports->acme.open_account = acme_open;
	ports->acme.forget = acme_forget;
	ports->keys.submit = keys_submit;
	ports->deploy.submit = deploy_submit;
	ports->mail.submit = mail_submit;
	ports->dnsapi.submit = dnsapi_submit;
}

static size_t
letters_sent(struct sim *s, int64_t id)
{
	AUTO_ARENA a = { .max = 1 << 20 };
	struct letter_row *rows;
	size_t n = 0, sent = 0;

	assert_int_equal(store_letters_of(s->store, id, &a, &rows, &n), ERR_OK);
	for (size_t i = 0; i < n; i++) {
		sent += when_is_known(rows[i].sent_at);
		if (rows[i].kind != LETTER_ISSUED)
			fail_msg("a letter \"%s\" to an owner who has done nothing", letter_name(rows[i].kind));
	}
	return sent;
}

static void
play(struct fault *f, const char *name)
{
	static const struct str names[] = { { "example.jp", 10 }, { "www.example.jp", 14 } };
	const struct setting setting = { .source = SOURCE_FREE, .root = STR("/srv/www") };
	struct why why = { "" };
	struct sim_web *web;
	struct sim *s;
	struct site site;
	int64_t id;
	AUTO_ARENA a = { .max = 1 << 20 };

	assert_int_equal(sim_new((struct when){ 1796083200 }, 7, like, &s), ERR_OK);
	s->wrap_ports = wrap;
	s->wrap_arg = f;
	f->sim = s;
	f->from_ms = s->now_ms;
	f->until_ms += s->now_ms;
	if (f->port == PORT_DNSAPI)
		assert_non_null(sim_zone_add(s, names[0]));
	assert_int_equal(sim_crash(s), ERR_OK); /* the next engine has the ports with the fault */
	assert_int_equal(sim_web_put(s, STR("192.0.2.10"), &web), ERR_OK);
	/* In a zone of ours the other name has to be added first. */
	for (size_t i = 0; i < (f->port == PORT_DNSAPI ? 1 : 2); i++)
		assert_int_equal(sim_dns_put(s, names[i], SIM_A, STR("192.0.2.10")), ERR_OK);
	assert_int_equal(sim_site_add(s, STR("hana@a.example"), &setting, names, 2, &id), ERR_OK);
	if (sim_pass(s, SPAN_H(40), &why) != ERR_OK)
		fail_msg("%s: %s", name, why.text);
	if (f->hits == 0)
		fail_msg("%s: the fault was never met", name);
	assert_int_equal(store_site_load(s->store, id, &a, &site), ERR_OK);
	const struct sim_certificate *c = sim_served(s, names[1]);
	if (c == NULL || c->names_n != 2 || view_of(&site, sim_now(s)).state != SITE_STATE_OK || site.findings.n != 0)
		fail_msg("%s: after it ended: %s, %zu findings, certificate %s", name, site_state_name(view_of(&site, sim_now(s)).state),
		    site.findings.n, c != NULL ? "served" : "not served");
	/* A letter that was refused for good is the doctor's; every other one arrives. */
	bool is_for_good = f->port == PORT_MAIL && !f->is_refused && err_class_of(f->err) == ERR_CLASS_DENIED;
	if (letters_sent(s, id) != (is_for_good ? 0 : 1))
		fail_msg("%s: the letter was not sent", name);
	sim_free(&s);
}

/* What is done about an error depends on its class: one of each is enough for hours. */
static bool
is_first_of_class(enum err e)
{
	for (enum err other = ERR_OK + 1; other < e; other++)
		if (err_class_of(other) == err_class_of(e))
			return false;
	return true;
}

static void
test_every_error_of_every_port(void **state)
{
	/* A moment, that is one call or a few; and hours. The quick run has one error of each class for both. */
	static const int64_t lengths_ms[] = { 10000, 3 * 3600000 };
	bool is_full = getenv("KOSHIN_SWEEP") != NULL;
	size_t worlds = 0;

	(void)state;
	for (enum port port = 0; port < PORT_COUNT; port++)
		for (enum err e = ERR_OK + 1; e < ERR_COUNT; e++)
			for (size_t l = 0; l < 2; l++) {
				struct fault f = { .port = port, .err = e, .until_ms = lengths_ms[l] };
				char name[128];

				if ((l == 1 || !is_full) && !is_first_of_class(e))
					continue;
				(void)snprintf(name, sizeof name, "%s: %s for %lld s", port_names[port], err_name(e), (long long)lengths_ms[l] / 1000);
				play(&f, name);
				worlds++;
			}
	printf("# %zu worlds\n", worlds);
}

/* The port is full and does not take the work. */
static void
test_full_ports(void **state)
{
	(void)state;
	for (enum port port = 0; port < PORT_COUNT; port++) {
		struct fault f = { .port = port, .err = ERR_FULL, .is_refused = true, .until_ms = 3600000 };
		char name[64];

		(void)snprintf(name, sizeof name, "%s: full for an hour", port_names[port]);
		play(&f, name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_error_of_every_port),
		cmocka_unit_test(test_full_ports),
	};

	return cmocka_run_group_tests(tests, like_open, like_close);
}
