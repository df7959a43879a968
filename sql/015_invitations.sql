-- Invitations by mail, and letters that are finished only as they are sent: the link in them is made then, so that no copy of the store
-- holds one.
CREATE TABLE invitation (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	owner_id INTEGER REFERENCES owner (id),
	role TEXT NOT NULL CHECK (role IN ('owner', 'support', 'operator')),
	mail TEXT NOT NULL COLLATE NOCASE CHECK (mail <> ''),
	name TEXT NOT NULL,
	lang TEXT NOT NULL CHECK (lang IN ('ja', 'en')),
	by TEXT NOT NULL, -- who invites
	created INTEGER NOT NULL,
	ends_at INTEGER NOT NULL,
	digest BLOB UNIQUE CHECK (length(digest) = 32), -- of the link; NULL: the letter has not been sent
	CHECK ((role = 'owner') = (owner_id IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX invitation_once ON invitation (coalesce(owner_id, 0), mail);
CREATE INDEX invitation_ends ON invitation (ends_at);
CREATE TABLE letter_access (
	letter_key TEXT PRIMARY KEY REFERENCES letter (key) ON DELETE CASCADE,
	lang TEXT NOT NULL CHECK (lang IN ('ja', 'en')),
	-- Whom the link signs in; neither: there is none in the letter.
	person_id INTEGER REFERENCES person (id) ON DELETE CASCADE,
	invitation_id INTEGER REFERENCES invitation (id) ON DELETE CASCADE,
	CHECK (person_id IS NULL OR invitation_id IS NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX letter_access_person ON letter_access (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX letter_access_invitation ON letter_access (invitation_id) WHERE invitation_id IS NOT NULL;
UPDATE meta SET value = '15' WHERE key = 'schema';
PRAGMA user_version = 15;
