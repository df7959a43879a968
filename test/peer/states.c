/*
 * A site in each state that a page can have (core/view), in a real store, with the real web process on it: states FOLDER PORT PANEL WEB-PORT. Nothing
 * renews them, so that they stay as they are: for the contact sheet, and for the test that looks at each. Prints "ready", then the names with
 * their states; ends when its standard input does.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/date.h"
#include "http/web.h"
#include "ports/store/revocation.h"

enum { NAMES = 2, LIFE_D = 90 };
static const char owner_mail[] = "tanaka@example.jp";

/* What one site differs by; days: how old its certificate is, -1: it has none. */
static const struct example {
	enum site_state state;
	int days;
	enum cause cause;
	bool is_of_www;	     /* the cause is about www. alone */
	enum visitors first, www;
	enum source source;
	enum doing doing;
	const char *label; /* NULL: the state's name */
} examples[] = {
	{ SITE_STATE_EXPIRED, 92, CAUSE_DNS_CAA_FORBIDS, false, VISITORS_WARNING, VISITORS_WARNING, SOURCE_FREE, DOING_NOTHING, NULL },
	{ SITE_STATE_BROKEN, 20, CAUSE_NONE, false, VISITORS_LOCK, VISITORS_WARNING, SOURCE_FREE, DOING_NOTHING, NULL },
	{ SITE_STATE_ISSUING, -1, CAUSE_NONE, false, VISITORS_PLAIN, VISITORS_PLAIN, SOURCE_FREE, DOING_CHECK, NULL },
	{ SITE_STATE_ACT, 65, CAUSE_DNS_ADDRESS_PARTLY_MISSING, true, VISITORS_LOCK, VISITORS_LOCK, SOURCE_FREE, DOING_NOTHING, NULL },
	{ SITE_STATE_OURS, 65, CAUSE_CA_SERVICE_DOWN, false, VISITORS_LOCK, VISITORS_LOCK, SOURCE_FREE, DOING_NOTHING, NULL },
	{ SITE_STATE_PARTIAL, 20, CAUSE_DNS_ADDRESS_PARTLY_MISSING, true, VISITORS_LOCK, VISITORS_NOTHING, SOURCE_FREE, DOING_NOTHING, NULL },
	{ SITE_STATE_OWN_ENDS, 80, CAUSE_OWN_CERTIFICATE_IMPORTED, false, VISITORS_LOCK, VISITORS_LOCK, SOURCE_OWN, DOING_NOTHING, NULL },
	{ SITE_STATE_MOVED, 70, CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY, false, VISITORS_PLAIN, VISITORS_PLAIN, SOURCE_FREE, DOING_NOTHING, NULL },
	{ SITE_STATE_OK, 20, CAUSE_NONE, false, VISITORS_LOCK, VISITORS_LOCK, SOURCE_FREE, DOING_NOTHING, NULL },
	{ SITE_STATE_OFF, -1, CAUSE_NONE, false, VISITORS_PLAIN, VISITORS_PLAIN, SOURCE_NONE, DOING_NOTHING, NULL },
	{ SITE_STATE_OFF, -1, CAUSE_NONE, false, VISITORS_PLAIN, VISITORS_PLAIN, SOURCE_NONE, DOING_NOTHING, "revoked" },
	{ SITE_STATE_OK, 20, CAUSE_NONE, false, VISITORS_LOCK, VISITORS_LOCK, SOURCE_NONE, DOING_NOTHING, "given-up" },
};
enum { EXAMPLES = sizeof examples / sizeof *examples };

static struct served
served_as(enum visitors v, const struct example *e, struct when now)
{
	struct when end = when_plus(now, SPAN_D(LIFE_D - e->days));

	if (e->days < 0)
		return (struct served){ .at = WHEN_UNKNOWN, .not_after = WHEN_UNKNOWN };
	if (v == VISITORS_LOCK)
		return (struct served){ .at = now, .is_ok = true, .is_held = true, .not_after = end };
	if (v == VISITORS_WARNING)
		return (struct served){ .at = when_minus(now, SPAN_H(3)), .is_held = e->days > LIFE_D, .not_after = end };
	return (struct served){ .at = now, .not_after = WHEN_UNKNOWN };
}

/* What was seen: of a bought certificate its last day, of a name where it leads. */
static struct str
seen_of(const struct example *e, struct arena *a, struct when now)
{
	if (e->cause == CAUSE_OWN_CERTIFICATE_IMPORTED)
		return date_text(when_plus(now, SPAN_D(LIFE_D - e->days)), a);
	return e->cause == CAUSE_DNS_CAA_FORBIDS ? STR("other-ca.example") : STR("198.51.100.7");
}

static void
put_findings(struct site *s, const struct example *e, struct finding *room, struct arena *a, struct when now)
{
	size_t n = 0;

	for (size_t i = e->is_of_www ? 1 : 0; e->cause != CAUSE_NONE && i < NAMES; i++)
		room[n++] = (struct finding){ .cause = e->cause,
			.subject = s->names[i].name,
			.acts = cause_row(e->cause)->acts,
			.seen = seen_of(e, a, now),
			.wanted = e->cause == CAUSE_OWN_CERTIFICATE_IMPORTED ? STR_NONE : STR("203.0.113.10"),
			.copy = e->cause == CAUSE_CA_SERVICE_DOWN || e->cause == CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY || e->cause == CAUSE_OWN_CERTIFICATE_IMPORTED
				    ? STR_NONE
				: e->cause == CAUSE_DNS_CAA_FORBIDS ? STR("example.jp. 3600 IN CAA 0 issue \"ca.example\"")
								    : STR("www.example.jp. 3600 IN A 203.0.113.10"),
			.company = STR("dns.example"),
			.first_seen = when_minus(now, SPAN_D(2)),
			.last_seen = when_minus(now, SPAN_H(1)),
			.next_look = when_plus(now, SPAN_H(1)),
			.told_at = when_minus(now, SPAN_D(1)),
			.times_seen = 9 };
	s->findings = (struct finding_list){ .at = room, .n = n, .cap = NAMES };
}

static void
make_so(struct site *s, const struct example *e, int64_t certificate, struct finding *room, struct arena *a, struct when now)
{
	struct when end = when_plus(now, SPAN_D(LIFE_D - e->days));

	for (size_t i = 0; i < NAMES; i++) {
		bool is_off = e->is_of_www && i == 1 && e->www == VISITORS_NOTHING;

		s->names[i].is_held = e->days >= 0 && !is_off;
		s->names[i].passed_at = e->cause == CAUSE_NONE || (e->is_of_www && i == 0) ? when_minus(now, SPAN_H(1)) : WHEN_UNKNOWN;
		s->names[i].served = is_off ? (struct served){ .at = now, .not_after = WHEN_UNKNOWN }
					    : served_as(i == 0 ? e->first : e->www, e, now);
	}
	if (e->days >= 0)
		s->held = (struct held){ .id = certificate, .is_live = true, .is_own = e->source == SOURCE_OWN, .life = { when_minus(now, SPAN_D(e->days)), end } };
	s->doing = e->doing;
	s->doing_since = e->doing == DOING_NOTHING ? WHEN_UNKNOWN : now;
	s->checked_at = when_minus(now, SPAN_H(1));
	s->look_at = s->wake = when_plus(now, SPAN_H(1));
	put_findings(s, e, room, a, now);
}

static enum err
add_certificate(struct store *st, const struct site *s, const struct example *e, struct when now, int64_t *ret)
{
	struct str names[] = { s->names[0].name, s->names[1].name };
	const struct certificate_row row = { .site_id = s->id,
		.info = { .not_before = when_minus(now, SPAN_D(e->days)), .not_after = when_plus(now, SPAN_D(LIFE_D - e->days)), .serial = STR("0a"),
		    .issuer = STR("Example CA"), .names = names, .names_n = NAMES },
		.chain_pem = STR("-"), .sealed_key = STR("-"), .created = now };

	return store_certificate_put(st, &row, ret);
}

/* By its owner: until the end of the certificate, or for good. */
static enum err
give_up(struct store *st, const struct site *s, const struct example *e, struct when now)
{
	const struct given_up g = { .at = when_minus(now, SPAN_H(2)), .by = str_of(owner_mail) };
	struct site held = { .id = s->id };
	enum err err = store_given_up_put(st, s->id, &g);

	if (err != ERR_OK || e->days >= 0)
		return err;
	err = add_certificate(st, s, &(struct example){ .days = 20 }, now, &held.held.id);
	if (err == ERR_OK)
		err = store_revocation_put(st, &held, REVOKE_CESSATION, g.by, g.at);
	if (err == ERR_OK)
		err = store_revocation_destroy(st, s->id, held.held.id, when_plus(g.at, SPAN_S(4)));
	const struct revocation_row done = {
		.certificate_id = held.held.id, .reason = REVOKE_CESSATION, .next_try = WHEN_UNKNOWN, .revoked_at = when_plus(g.at, SPAN_S(6))
	};
	return err == ERR_OK ? store_revocation_save(st, &done) : err;
}

static enum err
add(struct store *st, const struct example *e, int64_t owner, struct arena *a, struct when now)
{
	const struct setting setting = { .source = e->source, .coverage = COVERAGE_MULTI, .root = STR("/srv/www") };
	struct str names[NAMES] = { arena_strf(a, "%s.example.jp", e->label != NULL ? e->label : site_state_name(e->state)), STR_NONE };
	struct finding room[NAMES];
	struct site s;
	int64_t id, other, certificate = 0;

	names[1] = arena_strf(a, "www.%.*s", STR_ARG(names[0]));
	enum err err = store_site_add(st, owner, &setting, names, NAMES, now, &id, &other);
	if (err == ERR_OK)
		err = store_site_load(st, id, a, &s);
	if (err == ERR_OK && e->days >= 0)
		err = add_certificate(st, &s, e, now, &certificate);
	if (err != ERR_OK)
		return err;
	make_so(&s, e, certificate, room, a, now);
	enum site_state is = view_of(&s, now).state;
	if (is != e->state) {
		(void)fprintf(stderr, "states: %s is %s\n", names[0].p, site_state_name(is));
		return ERR_INVALID;
	}
	err = store_site_save(st, &s, now);
	return err == ERR_OK && e->label != NULL ? give_up(st, &s, e, now) : err;
}

static enum err
fill(const char *file, struct when now)
{
	const struct store_options o = { .file = file, .may_create = true };
	const struct owner_row owner = { .mail = str_of(owner_mail), .lang = STR("ja") };
	struct why why = { "" };
	struct store *st;
	struct arena a;
	int64_t id;
	enum err err = store_open(&o, &why, &st);

	if (err != ERR_OK)
		return err;
	arena_init(&a, 16 << 20);
	err = store_owner_put(st, &owner, now, &id);
	for (size_t i = 0; err == ERR_OK && i < EXAMPLES; i++)
		err = add(st, &examples[i], id, &a, now);
	if (err != ERR_OK)
		(void)fprintf(stderr, "states: %s: %s\n", err_name(err), store_words(st));
	arena_fini(&a);
	store_close(&st);
	return err;
}

int
main(int argc, char **argv)
{
	char text[8192], file[4096], byte;
	struct why why = { "" };
	struct config *config;
	int ready[2];

	if (argc != 5)
		return 2;
	(void)snprintf(file, sizeof file, "%s/koshin.db", argv[1]);
	(void)snprintf(text, sizeof text,
	    "server: {addresses: [203.0.113.10]}\ncas: [{directory: \"https://ca.example/dir\"}]\nstate_folder: \"%s\"\nrun_folder: \"%s\"\n"
	    "web: {listen: [\"127.0.0.1:%s\"]}\npanel: {listen: [\"127.0.0.1:%s\"], folder: \"%s\"}\npanel_url: \"http://localhost:%s\"\n",
	    argv[1], argv[1], argv[4], argv[2], argv[3], argv[2]);
	if (config_parse(str_of(text), "states", &why, &config) != ERR_OK || pipe(ready) != 0) {
		(void)fprintf(stderr, "states: %s\n", why.text);
		return 1;
	}
	if (fill(file, (struct when){ (int64_t)time(NULL) }) != ERR_OK)
		return 1;
	pid_t web = fork();
	if (web == 0)
		_exit(web_run(&(struct web_options){ .config = config, .fd_keeper = -1, .fd_wake = -1, .fd_news = -1, .fd_ready = ready[1] }));
	(void)close(ready[1]);
	if (web > 0 && read(ready[0], &byte, 1) == 1) {
		printf("ready\n");
		(void)fflush(stdout);
		while (read(STDIN_FILENO, &byte, 1) > 0)
			;
	}
	(void)kill(web, SIGTERM);
	(void)waitpid(web, NULL, 0);
	config_free(&config);
	return 0;
}
