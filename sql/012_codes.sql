-- One-time codes of people: what an app makes them from, sealed by the keeper, and the recovery codes for whoever has lost the app.
CREATE TABLE code (
	person_id INTEGER PRIMARY KEY REFERENCES person (id) ON DELETE CASCADE,
	sealed BLOB NOT NULL,
	begun INTEGER NOT NULL,
	confirmed INTEGER, -- by a first code; from then on codes are asked for
	step INTEGER NOT NULL CHECK (step >= 0) -- that of the last code that was taken: none is taken twice
) STRICT;
CREATE TABLE recovery_code (
	person_id INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
	digest BLOB NOT NULL CHECK (length(digest) = 32),
	PRIMARY KEY (person_id, digest)
) STRICT, WITHOUT ROWID;
UPDATE meta SET value = '12' WHERE key = 'schema';
PRAGMA user_version = 12;
