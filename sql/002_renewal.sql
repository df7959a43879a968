-- When a CA wants a certificate renewed (RFC 9773), how long its certificates live, and which profile is wanted of it.
PRAGMA user_version = 2;
UPDATE meta SET value = '2' WHERE key = 'schema';

-- Of the certificate that a site holds. starts, ends, renew_at: NULL without a window that can be used. Polled by its own
-- date and not by the site's.
CREATE TABLE renewal (
	site_id INTEGER PRIMARY KEY REFERENCES site (id),
	certificate_id INTEGER NOT NULL REFERENCES certificate (id),
	ca_id INTEGER NOT NULL REFERENCES ca (id),
	starts INTEGER,
	ends INTEGER,
	renew_at INTEGER,
	is_urgent INTEGER NOT NULL DEFAULT 0 CHECK (is_urgent IN (0, 1)),
	explanation TEXT NOT NULL DEFAULT '',
	polled_at INTEGER,
	poll_at INTEGER NOT NULL,
	failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
	oddities INTEGER NOT NULL DEFAULT 0 CHECK (oddities >= 0), -- answers that could not be used, since the certificate was issued
	CHECK ((starts IS NULL) = (renew_at IS NULL) AND (ends IS NULL) = (renew_at IS NULL))
) STRICT;
CREATE INDEX renewal_poll ON renewal (ca_id, poll_at);

-- Certificates of before: asked about by and by, in the hours after the start.
INSERT INTO renewal (site_id, certificate_id, ca_id, poll_at)
SELECT s.id, c.id, c.ca_id, CAST(strftime('%s', 'now') AS INTEGER) + abs(random()) % 21600
FROM site s JOIN certificate c ON c.id = s.held_id
WHERE c.ari_id <> '' AND c.ca_id IS NOT NULL AND s.is_removed = 0;

CREATE TABLE calendar (
	ca_id INTEGER NOT NULL REFERENCES ca (id),
	profile TEXT NOT NULL,
	life INTEGER NOT NULL CHECK (life > 0), -- seconds
	since INTEGER,
	next_life INTEGER NOT NULL DEFAULT 0 CHECK (next_life >= 0),
	next_since INTEGER,
	next_seen INTEGER NOT NULL DEFAULT 0 CHECK (next_seen >= 0),
	PRIMARY KEY (ca_id, profile)
) STRICT, WITHOUT ROWID;

ALTER TABLE site ADD COLUMN held_is_spread INTEGER NOT NULL DEFAULT 0 CHECK (held_is_spread IN (0, 1));
-- '': what the CA's own line in the configuration says.
ALTER TABLE setting ADD COLUMN profile TEXT NOT NULL DEFAULT '';
ALTER TABLE draft ADD COLUMN profile TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN profile TEXT NOT NULL DEFAULT '';
