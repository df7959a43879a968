-- The first schema.
--
-- Dates are seconds since 1970-01-01T00:00:00Z. NULL: not known, or it did not happen. 9223372036854775807: never;
-- it sorts after every date, so that "wake <= now" needs no second condition. Booleans are 0 and 1. What is one of a
-- fixed set (a state, a cause, a kind) is its word, never its number. An id of 0 in the program is NULL here.

PRAGMA application_id = 1263749198; -- "KSHN"
PRAGMA user_version = 1;

-- For people who read a dump, in which the two numbers above are missing.
CREATE TABLE meta (
	key TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta (key, value) VALUES ('application', 'koshin'), ('schema', '1');

CREATE TABLE owner (
	id INTEGER PRIMARY KEY,
	mail TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (mail <> ''),
	lang TEXT NOT NULL CHECK (lang IN ('', 'ja', 'en')), -- '': the installation's
	created INTEGER
) STRICT;

CREATE TABLE ca (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE CHECK (name <> ''),
	directory TEXT NOT NULL,
	contact TEXT NOT NULL,
	bundle TEXT NOT NULL,
	preferred_issuer TEXT NOT NULL,
	sealed_key BLOB NOT NULL,
	thumbprint TEXT NOT NULL,
	account_url TEXT NOT NULL,
	eab_kid TEXT NOT NULL,
	eab_sealed_hmac BLOB NOT NULL,
	caa_identity TEXT NOT NULL,
	terms TEXT NOT NULL,
	not_before INTEGER,
	failures INTEGER NOT NULL CHECK (failures >= 0)
) STRICT;

-- In tables that are written at each look a CHECK of more than two words is spelt with OR: for IN SQLite builds a table each time.
CREATE TABLE site (
	id INTEGER PRIMARY KEY,
	owner_id INTEGER NOT NULL REFERENCES owner (id),
	created INTEGER,
	doing TEXT NOT NULL DEFAULT 'nothing' CHECK (doing = 'nothing' OR doing = 'check' OR doing = 'order' OR doing = 'deploy' OR doing = 'verify'),
	doing_since INTEGER,
	job INTEGER NOT NULL DEFAULT 0, -- 64 bits without a sign, as they are
	held_id INTEGER REFERENCES certificate (id),
	held_from INTEGER,
	held_to INTEGER,
	held_fingerprint BLOB NOT NULL DEFAULT (zeroblob(32)) CHECK (length(held_fingerprint) = 32),
	held_is_live INTEGER NOT NULL DEFAULT 0 CHECK (held_is_live IN (0, 1)),
	order_id INTEGER REFERENCES orders (id),
	order_failures INTEGER NOT NULL DEFAULT 0 CHECK (order_failures >= 0),
	retry_at INTEGER,
	retry_is_law INTEGER NOT NULL DEFAULT 0 CHECK (retry_is_law IN (0, 1)),
	checked_at INTEGER,
	look_at INTEGER,
	deploy_failures INTEGER NOT NULL DEFAULT 0 CHECK (deploy_failures >= 0),
	deploy_at INTEGER,
	verify_failures INTEGER NOT NULL DEFAULT 0 CHECK (verify_failures >= 0),
	applied_digest INTEGER NOT NULL DEFAULT 0, -- 64 bits without a sign, as they are
	applied_redirect INTEGER NOT NULL DEFAULT 0 CHECK (applied_redirect = 0 OR applied_redirect = 307 OR applied_redirect = 308),
	applied_hsts INTEGER NOT NULL DEFAULT 0 CHECK (applied_hsts IN (0, 1)),
	renewals_good INTEGER NOT NULL DEFAULT 0 CHECK (renewals_good >= 0),
	jitter INTEGER NOT NULL DEFAULT 0 CHECK (jitter BETWEEN 0 AND 4294967295),
	asked_check INTEGER NOT NULL DEFAULT 0 CHECK (asked_check IN (0, 1)),
	asked_renew INTEGER NOT NULL DEFAULT 0 CHECK (asked_renew IN (0, 1)),
	is_removed INTEGER NOT NULL DEFAULT 0 CHECK (is_removed IN (0, 1)),
	story_open INTEGER NOT NULL DEFAULT 0 CHECK (story_open IN (0, 1)),
	reminders_told INTEGER NOT NULL DEFAULT 0 CHECK (reminders_told BETWEEN 0 AND 255),
	expired_told INTEGER NOT NULL DEFAULT 0 CHECK (expired_told IN (0, 1)),
	issued_told INTEGER NOT NULL DEFAULT 0 CHECK (issued_told IN (0, 1)),
	letter_at INTEGER,
	wake INTEGER,
	-- P6: an order is open in one state alone.
	CHECK (order_id IS NULL OR doing = 'order'),
	-- P3: the redirect is on only while a certificate is held, HSTS only with the lasting redirect.
	CHECK (applied_redirect = 0 OR held_id IS NOT NULL),
	CHECK (applied_hsts = 0 OR applied_redirect = 308)
) STRICT;
CREATE INDEX site_owner ON site (owner_id);
CREATE INDEX site_wake ON site (wake);
CREATE INDEX site_unfinished ON site (id) WHERE doing <> 'nothing';
-- These repeat the columns of their conditions: counting then reads the index alone.
CREATE INDEX site_present ON site (is_removed) WHERE is_removed = 0;
CREATE INDEX site_held_to ON site (held_to, held_id, is_removed) WHERE held_id IS NOT NULL AND is_removed = 0;

CREATE TABLE setting (
	site_id INTEGER PRIMARY KEY REFERENCES site (id),
	source TEXT NOT NULL CHECK (source IN ('none', 'free', 'own')),
	coverage TEXT NOT NULL CHECK (coverage IN ('multi', 'single', 'list', 'wildcard')),
	key_type TEXT NOT NULL CHECK (key_type IN ('p256', 'p384', 'rsa2048', 'rsa3072', 'rsa4096')),
	redirect INTEGER NOT NULL CHECK (redirect IN (0, 1)),
	hsts INTEGER NOT NULL CHECK (hsts IN (0, 1)),
	root TEXT NOT NULL,
	proxy TEXT NOT NULL
) STRICT;

-- At most one for a site; nothing but the draft's own code reads it.
CREATE TABLE draft (
	site_id INTEGER PRIMARY KEY REFERENCES site (id),
	source TEXT NOT NULL CHECK (source IN ('none', 'free', 'own')),
	coverage TEXT NOT NULL CHECK (coverage IN ('multi', 'single', 'list', 'wildcard')),
	key_type TEXT NOT NULL CHECK (key_type IN ('p256', 'p384', 'rsa2048', 'rsa3072', 'rsa4096')),
	redirect INTEGER NOT NULL CHECK (redirect IN (0, 1)),
	hsts INTEGER NOT NULL CHECK (hsts IN (0, 1)),
	root TEXT NOT NULL,
	proxy TEXT NOT NULL,
	begun_at INTEGER,
	begun_by TEXT NOT NULL,
	told_at INTEGER,
	has_csr INTEGER NOT NULL CHECK (has_csr IN (0, 1))
) STRICT;

-- A row is kept when the name is not wanted any more: its state is needed while the held certificate has it, and
-- when it comes back. is_taken: wanted, and the site is not removed; a name is taken by one site only (DESIGN, 7).
CREATE TABLE name (
	id INTEGER PRIMARY KEY,
	site_id INTEGER NOT NULL REFERENCES site (id),
	name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 253),
	position INTEGER NOT NULL CHECK (position >= 0), -- 0: the name that the site goes by
	is_wanted INTEGER NOT NULL CHECK (is_wanted IN (0, 1)),
	is_taken INTEGER NOT NULL CHECK (is_taken IN (0, 1) AND is_taken <= is_wanted),
	is_held INTEGER NOT NULL DEFAULT 0 CHECK (is_held IN (0, 1)),
	passed_at INTEGER,
	validated_at INTEGER,
	UNIQUE (site_id, name)
) STRICT;
CREATE UNIQUE INDEX name_taken ON name (name) WHERE is_taken = 1;
CREATE INDEX name_first ON name (name, site_id) WHERE is_taken = 1 AND position = 0;

-- No row: no handshake was ever tried.
CREATE TABLE served (
	name_id INTEGER PRIMARY KEY REFERENCES name (id),
	at INTEGER,
	is_ok INTEGER NOT NULL CHECK (is_ok IN (0, 1)),
	is_held INTEGER NOT NULL CHECK (is_held IN (0, 1)),
	not_after INTEGER,
	fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32)
) STRICT;

-- Open while gone_at is NULL; kept afterwards.
CREATE TABLE finding (
	id INTEGER PRIMARY KEY,
	site_id INTEGER NOT NULL REFERENCES site (id),
	subject TEXT NOT NULL,
	cause TEXT NOT NULL,
	position INTEGER NOT NULL, -- the first one of a name is its cause
	seen TEXT NOT NULL,
	wanted TEXT NOT NULL,
	copy TEXT NOT NULL,
	company TEXT NOT NULL,
	evidence TEXT NOT NULL,
	acts TEXT NOT NULL,
	first_seen INTEGER,
	last_seen INTEGER,
	next_look INTEGER,
	told_at INTEGER,
	times_seen INTEGER NOT NULL CHECK (times_seen >= 0),
	is_from_order INTEGER NOT NULL CHECK (is_from_order IN (0, 1)),
	gone_at INTEGER
) STRICT;
CREATE UNIQUE INDEX finding_open ON finding (site_id, subject, cause) WHERE gone_at IS NULL;
CREATE INDEX finding_cause ON finding (cause, gone_at) WHERE gone_at IS NULL;

-- One of each kind for a site: pressing a button twice is one wish. Numbers are never used again, so that a late
-- "done" cannot take a younger wish away.
CREATE TABLE wish (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	site_id INTEGER NOT NULL REFERENCES site (id),
	kind TEXT NOT NULL CHECK (kind IN ('check', 'renew', 'changed', 'removed')),
	at INTEGER,
	UNIQUE (site_id, kind)
) STRICT;

-- The certificate's names and the order's are one text with a space between two: they are never searched.
CREATE TABLE orders (
	id INTEGER PRIMARY KEY,
	site_id INTEGER NOT NULL REFERENCES site (id),
	ca_id INTEGER REFERENCES ca (id),
	job INTEGER NOT NULL,
	phase TEXT NOT NULL CHECK (phase IN ('intent', 'placed', 'finalized', 'received', 'failed')),
	url TEXT NOT NULL,
	finalize_url TEXT NOT NULL,
	certificate_url TEXT NOT NULL,
	sealed_key BLOB NOT NULL,
	csr_der BLOB NOT NULL,
	replaces TEXT NOT NULL,
	names TEXT NOT NULL,
	created INTEGER,
	changed INTEGER,
	is_open INTEGER NOT NULL CHECK (is_open IN (0, 1))
) STRICT;
-- P6: never two orders in flight for a site.
CREATE UNIQUE INDEX orders_open ON orders (site_id) WHERE is_open = 1;

CREATE TABLE certificate (
	id INTEGER PRIMARY KEY,
	site_id INTEGER NOT NULL REFERENCES site (id),
	ca_id INTEGER REFERENCES ca (id),
	order_id INTEGER REFERENCES orders (id),
	not_before INTEGER,
	not_after INTEGER,
	fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
	serial TEXT NOT NULL,
	issuer TEXT NOT NULL,
	ari_id TEXT NOT NULL,
	names TEXT NOT NULL,
	chain_pem TEXT NOT NULL,
	sealed_key BLOB NOT NULL,
	created INTEGER,
	is_archived INTEGER NOT NULL CHECK (is_archived IN (0, 1))
) STRICT;
CREATE INDEX certificate_site ON certificate (site_id);

-- The outbox. Waiting: sent_at is NULL and next_try a date. Given up: next_try is never.
CREATE TABLE letter (
	id INTEGER PRIMARY KEY,
	site_id INTEGER REFERENCES site (id),
	owner_id INTEGER REFERENCES owner (id),
	kind TEXT NOT NULL,
	key TEXT NOT NULL UNIQUE CHECK (key <> ''),
	message_id TEXT NOT NULL,
	"to" TEXT NOT NULL,
	subject TEXT NOT NULL,
	body TEXT NOT NULL,
	message TEXT NOT NULL,
	created INTEGER,
	next_try INTEGER,
	sent_at INTEGER,
	tries INTEGER NOT NULL CHECK (tries >= 0),
	error TEXT NOT NULL
) STRICT;
CREATE INDEX letter_waiting ON letter (next_try, sent_at) WHERE sent_at IS NULL;
CREATE INDEX letter_site ON letter (site_id);

CREATE TABLE history (
	id INTEGER PRIMARY KEY,
	site_id INTEGER REFERENCES site (id),
	at INTEGER,
	kind TEXT NOT NULL,
	by TEXT NOT NULL,
	subject TEXT NOT NULL,
	detail TEXT NOT NULL
) STRICT;
CREATE INDEX history_site ON history (site_id);

CREATE TABLE heartbeat (
	process TEXT PRIMARY KEY,
	pid INTEGER NOT NULL,
	at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE unclassified (
	id INTEGER PRIMARY KEY,
	type TEXT NOT NULL,
	text TEXT NOT NULL,
	first_seen INTEGER,
	last_seen INTEGER,
	times_seen INTEGER NOT NULL CHECK (times_seen > 0),
	UNIQUE (type, text)
) STRICT;
CREATE INDEX unclassified_last ON unclassified (last_seen);
