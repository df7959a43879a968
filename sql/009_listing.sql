-- What the lists of sites are read from: a row for each site that is not removed.
-- standing: 'owner' (the owner must act), 'progress' (a certificate is on its way), 'fine'; written with the site's state.
-- text: every name as stored and as people write it, and the owner's mail, each behind "^^" (see `search`).
CREATE TABLE listing (
	site_id INTEGER PRIMARY KEY REFERENCES site (id),
	name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 253),
	standing TEXT NOT NULL CHECK (standing = 'owner' OR standing = 'progress' OR standing = 'fine'),
	text TEXT NOT NULL
) STRICT;
CREATE INDEX listing_standing ON listing (standing, name);

-- Any three characters in a row are found. The index knows only what it is told: sql/query_list.sql, and 'rebuild' here. "^^" stands in front of each word, so that one or two characters find beginnings.
CREATE VIRTUAL TABLE search USING fts5 (text, content = 'listing', content_rowid = 'site_id', tokenize = 'trigram');
INSERT INTO listing (site_id, name, standing, text)
SELECT s.id, n.name,
	CASE WHEN EXISTS (SELECT 1 FROM finding f WHERE f.site_id = s.id AND f.gone_at IS NULL
		AND f.acts IN ('owner', 'domain-company', 'web-owner')) THEN 'owner' ELSE 'fine' END,
	(SELECT group_concat('^^' || m.name, ' ') FROM name m WHERE m.site_id = s.id AND m.is_taken = 1) || ' ^^' || o.mail
FROM site s JOIN name n ON n.site_id = s.id AND n.is_taken = 1 AND n.position = 0 JOIN owner o ON o.id = s.owner_id
WHERE s.is_removed = 0;
INSERT INTO search (search) VALUES ('rebuild');

-- The sites of a cause in order, from the index alone.
DROP INDEX finding_cause;
CREATE INDEX finding_cause ON finding (cause, gone_at, site_id) WHERE gone_at IS NULL;

UPDATE meta SET value = '9' WHERE key = 'schema';
PRAGMA user_version = 9;
