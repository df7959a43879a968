-- Several CAs, in order of preference.

-- Where it comes from: the configuration, or `koshin ca add`. `position`: the order of preference, 0 first; NULL: not used now
-- (taken out of the configuration), kept for its account and for what it has issued.
ALTER TABLE ca ADD COLUMN origin TEXT NOT NULL DEFAULT 'config' CHECK (origin IN ('config', 'added'));
ALTER TABLE ca ADD COLUMN position INTEGER CHECK (position >= 0);
-- What its directory says, and when it was read (RFC 8555 7.1.1, RFC 9773 3). Lists are one text with a space between two.
ALTER TABLE ca ADD COLUMN profiles TEXT NOT NULL DEFAULT '';
ALTER TABLE ca ADD COLUMN caa_identities TEXT NOT NULL DEFAULT '';
ALTER TABLE ca ADD COLUMN has_renewal_info INTEGER NOT NULL DEFAULT 0 CHECK (has_renewal_info IN (0, 1));
ALTER TABLE ca ADD COLUMN eab_required INTEGER NOT NULL DEFAULT 0 CHECK (eab_required IN (0, 1));
ALTER TABLE ca ADD COLUMN key_change TEXT NOT NULL DEFAULT '';
ALTER TABLE ca ADD COLUMN directory_at INTEGER;
-- Why there is no account, or why the account could not be changed; empty when all is well.
ALTER TABLE ca ADD COLUMN error TEXT NOT NULL DEFAULT '';
-- The breaker: failures and not_before are columns of the first schema.
ALTER TABLE ca ADD COLUMN ill_since INTEGER;
ALTER TABLE ca ADD COLUMN probed_at INTEGER;
-- The account's next key, from the wish to roll over until the CA is known to have taken it.
ALTER TABLE ca ADD COLUMN rollover_asked INTEGER;
ALTER TABLE ca ADD COLUMN next_sealed_key BLOB NOT NULL DEFAULT x'';
ALTER TABLE ca ADD COLUMN next_thumbprint TEXT NOT NULL DEFAULT '';
ALTER TABLE ca ADD COLUMN rolled_at INTEGER;
-- The rehearsal: when the next order for the operator's own name is due, and how the last one went.
ALTER TABLE ca ADD COLUMN canary_at INTEGER;
ALTER TABLE ca ADD COLUMN canary_done_at INTEGER;
ALTER TABLE ca ADD COLUMN canary_ok_at INTEGER;
ALTER TABLE ca ADD COLUMN canary_error TEXT NOT NULL DEFAULT '';

-- Challenges that are answered with another thumbprint than that of the first CA's account, while they are asked.
CREATE TABLE token (
	token TEXT PRIMARY KEY CHECK (token <> ''),
	thumbprint TEXT NOT NULL CHECK (thumbprint <> ''),
	at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX token_at ON token (at);

-- The CA that a site is with while the first cannot help it, and the date that the one before had named.
ALTER TABLE site ADD COLUMN ca_id INTEGER REFERENCES ca (id);
ALTER TABLE site ADD COLUMN left_ca_id INTEGER REFERENCES ca (id);
ALTER TABLE site ADD COLUMN left_at INTEGER;
ALTER TABLE site ADD COLUMN left_is_law INTEGER NOT NULL DEFAULT 0 CHECK (left_is_law IN (0, 1));
-- One bit for each CA that CAA keeps out, by its id.
ALTER TABLE name ADD COLUMN caa_refuses INTEGER NOT NULL DEFAULT 0;

UPDATE meta SET value = '6' WHERE key = 'schema';
PRAGMA user_version = 6;
