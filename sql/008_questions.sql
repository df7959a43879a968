-- What people write to us, and what mail servers say of our letters.
CREATE TABLE question (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	site_id INTEGER REFERENCES site (id),
	owner_id INTEGER REFERENCES owner (id),
	letter_id INTEGER REFERENCES letter (id),
	writer TEXT NOT NULL CHECK (writer <> ''),
	subject TEXT NOT NULL,
	cause TEXT NOT NULL,
	asked_at INTEGER NOT NULL,
	-- NULL: answered.
	open_since INTEGER
) STRICT;
CREATE INDEX question_open ON question (id) WHERE open_since IS NOT NULL;
CREATE INDEX question_site ON question (site_id, id);
CREATE TABLE question_part (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	question_id INTEGER NOT NULL REFERENCES question (id),
	at INTEGER NOT NULL,
	by TEXT NOT NULL,
	is_ours INTEGER NOT NULL CHECK (is_ours IN (0, 1)),
	text TEXT NOT NULL,
	is_cut INTEGER NOT NULL CHECK (is_cut IN (0, 1)),
	message_id TEXT NOT NULL,
	-- Ours: the letter that took it to the writer; NULL until it is written.
	letter_id INTEGER REFERENCES letter (id)
) STRICT;
-- A mail server that was not heard delivers again.
CREATE UNIQUE INDEX question_part_message ON question_part (message_id) WHERE message_id <> '';
CREATE INDEX question_part_question ON question_part (question_id);
CREATE INDEX question_part_unwritten ON question_part (id) WHERE is_ours = 1 AND letter_id IS NULL;

ALTER TABLE letter ADD COLUMN bounced_at INTEGER;
ALTER TABLE letter ADD COLUMN bounce TEXT NOT NULL DEFAULT '';
CREATE INDEX letter_message ON letter (message_id);
CREATE INDEX letter_bounced ON letter (bounced_at) WHERE bounced_at IS NOT NULL;
UPDATE meta SET value = '8' WHERE key = 'schema';
PRAGMA user_version = 8;
