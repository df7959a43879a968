-- The name that had the cause when a question was asked: one site has several.
ALTER TABLE question ADD COLUMN about TEXT NOT NULL DEFAULT '';
UPDATE meta SET value = '24' WHERE key = 'schema';
PRAGMA user_version = 24;
