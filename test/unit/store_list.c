/* Lists of sites: what each filter finds and does not find, page after page, while others come and go. */
#include "test/unit/store_try.h"

enum { OWNERS = 3 };
static const struct {
	const char *names[3];
	int owner;
	enum cause cause; /* CAUSE_NONE: none */
	bool is_held;
} sites[] = {
	{ { "aoi.example", "www.aoi.example" }, 0, CAUSE_NONE, true },
	{ { "xn--wgv71a119e.jp" }, 1, CAUSE_DNS_A_ELSEWHERE, true }, /* 日本語.jp */
	{ { "midori.example" }, 1, CAUSE_DNS_A_ELSEWHERE, false },
	{ { "akari.example", "a-b.example" }, 2, CAUSE_OWN_DISK_FULL, true },
	{ { "zen.example" }, 2, CAUSE_NONE, false },
};
enum { SITES = sizeof sites / sizeof *sites };
static const char *const mails[OWNERS] = { "hanako@flower.example", "taro@mountain.example",
	"Jiro@River.example" };

struct fixture {
	struct store *s;
	struct arena a;
	int64_t owners[OWNERS], ids[SITES];
};

static void
stand(struct fixture *f, size_t i)
{
	struct finding finding = { .cause = sites[i].cause,
		.subject = str_of(sites[i].names[0]),
		.first_seen = now,
		.last_seen = now,
		.next_look = now,
		.told_at = WHEN_UNKNOWN,
		.times_seen = 1 };
	struct site site;

	OK(f->s, store_site_load(f->s, f->ids[i], &f->a, &site));
	if (sites[i].cause != CAUSE_NONE) {
		finding.acts = cause_row(sites[i].cause)->acts;
		site.findings = (struct finding_list){ .at = &finding, .n = 1, .cap = 1 };
	}
	if (sites[i].is_held)
		site.setting.source =
		    SOURCE_NONE; /* nothing is waited for: the same to a list as a certificate */
	OK(f->s, store_setting_put(f->s, site.id, &site.setting));
	OK(f->s, store_site_save(f->s, &site, now));
}

static int
set_up(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;

	*f = (struct fixture){ .s = new_store() };
	arena_init(&f->a, 16 << 20);
	for (size_t i = 0; i < OWNERS; i++) {
		struct owner_row o = { .mail = str_of(mails[i]), .lang = STR("ja") };

		OK(f->s, store_owner_put(f->s, &o, now, &f->owners[i]));
	}
	for (size_t i = 0; i < SITES; i++) {
		struct setting setting = { .source = SOURCE_FREE, .coverage = COVERAGE_LIST };
		struct str names[3];
		size_t n = 0;

		for (; n < 3 && sites[i].names[n] != NULL; n++)
			names[n] = str_of(sites[i].names[n]);
		OK(f->s, store_site_add(f->s, f->owners[sites[i].owner], &setting, names, n,
			     now, &f->ids[i], NULL));
		stand(f, i);
	}
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	assert_sound(f->s);
	store_close(&f->s);
	arena_fini(&f->a);
	return 0;
}

/* The whole list, a page of one row at a time, as the numbers of `sites`: "0 3 4". */
static const char *
listed(struct fixture *f, struct store_list l)
{
	static char text[64];
	size_t used = 0;

	text[0] = '\0';
	for (size_t page = 0; page <= SITES; page++) {
		struct store_listed *rows;
		size_t n, i = 0;

		OK(f->s, store_sites(f->s, &l, 1, &f->a, &rows, &n));
		if (n == 0)
			return text;
		while (i < SITES && f->ids[i] != rows[0].id)
			i++;
		used += (size_t)snprintf(
		    text + used, sizeof text - used, "%s%zu", used == 0 ? "" : " ", i);
		l.after = rows[0].cursor;
	}
	return "it does not end";
}

static void
what_is_found(void **state)
{
	static const struct {
		int line;
		const char *search;
		int owner; /* -1: any */
		enum cause cause;
		enum site_standing standing;
		const char *wanted;
	} rows[] = {
#define SEARCH(text, wanted) { __LINE__, text, -1, CAUSE_NONE, SITE_STANDING_COUNT, wanted }
		{ __LINE__, "", -1, CAUSE_NONE, SITE_STANDING_COUNT, "3 0 2 1 4" },
		{ __LINE__, "", -1, CAUSE_NONE, SITE_STANDING_OWNER, "2 1" },
		{ __LINE__, "", -1, CAUSE_NONE, SITE_STANDING_PROGRESS, "4" },
		{ __LINE__, "", -1, CAUSE_NONE, SITE_STANDING_FINE, "3 0" },
		{ __LINE__, "", 1, CAUSE_NONE, SITE_STANDING_COUNT, "1 2" },
		{ __LINE__, "", 2, CAUSE_NONE, SITE_STANDING_FINE, "3" },
		{ __LINE__, "", -1, CAUSE_DNS_A_ELSEWHERE, SITE_STANDING_COUNT, "1 2" },
		{ __LINE__, "", 2, CAUSE_DNS_A_ELSEWHERE, SITE_STANDING_COUNT, "" },
		{ __LINE__, "", -1, CAUSE_DNS_A_ELSEWHERE, SITE_STANDING_FINE, "" },
		{ __LINE__, "exam", 2, CAUSE_OWN_DISK_FULL, SITE_STANDING_FINE, "3" },
		{ __LINE__, "exam", 0, CAUSE_OWN_DISK_FULL, SITE_STANDING_COUNT, "" },
		SEARCH("example", "0 1 2 3 4"), /* of the mail, too */
		SEARCH("ori", "2"),
		SEARCH("AOI.EX", "0"),
		SEARCH("a-b", "3"),
		SEARCH("日本語", "1"),
		SEARCH("本語.j", "1"),
		SEARCH("xn--wgv", "1"),
		SEARCH("日", "1"),
		SEARCH("日本", "1"),
		SEARCH("本", ""), /* one or two characters: beginnings alone */
		SEARCH("a", "0 3"),
		SEARCH("ak", "3"),
		SEARCH("ta", "1 2"),
		SEARCH("taro@mount", "1 2"),
		SEARCH("jiro@river", "3 4"),
		SEARCH("hanako@FLOWER.example", "0"),
		SEARCH("o@mountain.exam", "1 2"),
		SEARCH("@mountain", "1 2"),
		SEARCH("taro@", "1 2"),
		SEARCH("taro@m", "1 2"),
		SEARCH("mountain@taro", ""),
		SEARCH("taro@river", ""),
		/* The grams of it are near each other, and it is not there all the same. */
		SEARCH("examexample", ""),
		SEARCH("aoi.example ^^aoi", ""),
		{ __LINE__, "example", -1, CAUSE_NONE, SITE_STANDING_OWNER, "1 2" },
		{ __LINE__, "taro@mountain", -1, CAUSE_NONE, SITE_STANDING_PROGRESS, "" },
		{ __LINE__, "日本語", -1, CAUSE_NONE, SITE_STANDING_OWNER, "1" },
		SEARCH("aoi_example", ""),
		SEARCH("aoi!", ""),
		SEARCH("nothing-like-it", ""),
		SEARCH("%%%", ""),
		SEARCH("a*", ""),
		SEARCH("\"", ""),
		SEARCH("aoi\" OR \"zen", ""),
		SEARCH("text:aoi", ""),
#undef SEARCH
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *got = listed(
		    f, (struct store_list){ .search = str_of(rows[i].search),
			   .standing = rows[i].standing,
			   .cause = rows[i].cause,
			   .owner_id = rows[i].owner < 0 ? 0 : f->owners[rows[i].owner] });

		if (strcmp(got, rows[i].wanted) != 0)
			fail_msg("%s:%d: \"%s\": got %s", __FILE__, rows[i].line,
			    rows[i].search, got);
	}
}

/* A site that goes, a name that comes: the list follows at once. */
static void
what_changes(void **state)
{
	struct fixture *f = *state;
	const struct str names[] = { STR("zen.example"), STR("sakura.example") };
	struct store_list all = STORE_LIST_ALL, sakura = STORE_LIST_ALL, zen = STORE_LIST_ALL;
	struct site site;

	sakura.search = STR("sakura");
	zen.search = STR("zen.");
	assert_string_equal(listed(f, sakura), "");
	OK(f->s, store_names_put(f->s, f->ids[4], names, 2));
	assert_string_equal(listed(f, sakura), "4");
	OK(f->s, store_names_put(f->s, f->ids[4], names, 1));
	assert_string_equal(listed(f, sakura), "");
	assert_string_equal(listed(f, zen), "4");
	OK(f->s, store_site_load(f->s, f->ids[4], &f->a, &site));
	site.is_removed = true;
	OK(f->s, store_site_save(f->s, &site, now));
	assert_string_equal(listed(f, zen), "");
	assert_string_equal(listed(f, all), "3 0 2 1");
}

/* Whoever acts: where visitors are warned comes first, the longest first; then what is about to end. */
static void
what_is_urgent(void **state)
{
	static const int64_t ends_s[] = { 86400, -10, -100, 0 };
	struct fixture *f = *state;
	struct store_list l = STORE_LIST_ALL;
	struct store_listed *rows;
	size_t n;

	for (size_t i = 0; i < sizeof ends_s / sizeof *ends_s; i++) {
		struct site site;

		OK(f->s, store_site_load(f->s, f->ids[i], &f->a, &site));
		site.setting.source = SOURCE_FREE;
		OK(f->s, store_setting_put(f->s, site.id, &site.setting));
		site.names[0].served = (struct served){ .at = now, .is_ok = ends_s[i] > 0, .not_after = when_plus(now, SPAN_S(ends_s[i])) };
		OK(f->s, store_site_save(f->s, &site, now));
	}
	l.is_urgent = true;
	l.now = now;
	assert_string_equal(listed(f, l), "2 1 3");
	l.now = when_plus(now, SPAN_D(1));
	assert_string_equal(listed(f, l), "2 1 3 0");
	l.search = STR("日本");
	assert_string_equal(listed(f, l), "1");
	l.search = STR_NONE;
	l.cause = CAUSE_DNS_A_ELSEWHERE;
	assert_string_equal(listed(f, l), "2 1");
	l.cause = CAUSE_NONE;
	l.owner_id = f->owners[1];
	assert_string_equal(listed(f, l), "2 1");
	l.owner_id = f->owners[2];
	assert_string_equal(listed(f, l), "3");
	static const char *const foreign[] = { "#5", "aoi.example", "#x#1", "#1#x", "#" };
	for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
		l.after = str_of(foreign[i]);
		assert_int_equal(store_sites(f->s, &l, 9, &f->a, &rows, &n), ERR_INVALID);
	}
	l.is_urgent = false;
	l.after = STR("#1#2");
	assert_int_equal(store_sites(f->s, &l, 9, &f->a, &rows, &n), ERR_INVALID);
}

static void
what_is_no_cursor(void **state)
{
	struct fixture *f = *state;
	struct store_list l = STORE_LIST_ALL;
	struct store_listed *rows;
	size_t n;

	l.search = STR("example");
	l.after = STR("aoi.example");
	assert_int_equal(store_sites(f->s, &l, 9, &f->a, &rows, &n), ERR_INVALID);
	l.after = STR("#x");
	assert_int_equal(store_sites(f->s, &l, 9, &f->a, &rows, &n), ERR_INVALID);
	/* The row itself need not be there any more. */
	l.after = STR("#99999");
	OK(f->s, store_sites(f->s, &l, 9, &f->a, &rows, &n));
	assert_int_equal(n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_urgent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_cursor, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
