-- People, what they sign in with, and what they did. Of everything secret (session, link, token, device) only a digest is here, so that
-- a copy of the store opens nothing.
CREATE TABLE person (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	-- Whose sites an owner's person sees; several persons may see the same.
	owner_id INTEGER REFERENCES owner (id),
	mail TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (mail <> ''),
	name TEXT NOT NULL,
	lang TEXT NOT NULL CHECK (lang IN ('ja', 'en')),
	role TEXT NOT NULL CHECK (role IN ('owner', 'support', 'operator')),
	password TEXT NOT NULL DEFAULT '', -- Argon2id, with its parameters; '': none was set
	created INTEGER NOT NULL,
	CHECK ((role = 'owner') = (owner_id IS NOT NULL))
) STRICT;
CREATE INDEX person_owner ON person (owner_id) WHERE owner_id IS NOT NULL;

-- Those that are open; one that has ended is gone, and the audit knows of it.
CREATE TABLE session (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	person_id INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
	digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
	begun INTEGER NOT NULL,
	used INTEGER NOT NULL,
	address TEXT NOT NULL,
	agent TEXT NOT NULL,
	is_by_link INTEGER NOT NULL CHECK (is_by_link IN (0, 1))
) STRICT;
CREATE INDEX session_person ON session (person_id);

-- Browsers in which a person has signed in before.
CREATE TABLE device (
	digest BLOB NOT NULL CHECK (length(digest) = 32),
	person_id INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
	created INTEGER NOT NULL,
	PRIMARY KEY (digest, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_person ON device (person_id);

-- Tries at a password that were not right, or are just being judged.
CREATE TABLE attempt (
	subject TEXT PRIMARY KEY,
	failures INTEGER NOT NULL CHECK (failures >= 0),
	failed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_failed ON attempt (failed_at);

CREATE TABLE login_link (
	digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
	person_id INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
	ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX login_link_ends ON login_link (ends_at);
CREATE INDEX login_link_person ON login_link (person_id);

CREATE TABLE api_token (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	person_id INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
	digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
	name TEXT NOT NULL,
	scopes TEXT NOT NULL, -- with a space between two
	created INTEGER NOT NULL,
	used INTEGER,
	ends_at INTEGER NOT NULL
) STRICT;
CREATE INDEX api_token_person ON api_token (person_id);

-- Who did what, when, from where. It only grows.
CREATE TABLE audit (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	at INTEGER NOT NULL,
	who TEXT NOT NULL, -- mail of the person, or 'command'
	role TEXT NOT NULL, -- '': nobody was signed in
	address TEXT NOT NULL,
	action TEXT NOT NULL, -- operationId of the API
	object TEXT NOT NULL,
	detail TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit only grows'); END;
CREATE TRIGGER audit_stays_true BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit only grows'); END;
UPDATE meta SET value = '10' WHERE key = 'schema';
PRAGMA user_version = 10;
