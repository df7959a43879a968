-- What koshin has done by itself about what it found: how often, and when last.
ALTER TABLE finding ADD COLUMN mends INTEGER NOT NULL DEFAULT 0 CHECK (mends >= 0);
ALTER TABLE finding ADD COLUMN mended_at INTEGER;
UPDATE meta SET value = '26' WHERE key = 'schema';
PRAGMA user_version = 26;
