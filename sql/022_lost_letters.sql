-- Letters that did not arrive: whoever signs in for their owner is told of each until it was read.
ALTER TABLE letter ADD COLUMN read_at INTEGER;
CREATE INDEX letter_lost ON letter (owner_id, id)
WHERE read_at IS NULL AND site_id IS NOT NULL AND (bounced_at IS NOT NULL OR next_try = 9223372036854775807);
UPDATE meta SET value = '22' WHERE key = 'schema';
PRAGMA user_version = 22;
