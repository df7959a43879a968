-- Where the site itself sends who opens the name over http: https, as the last check saw it. Empty: nowhere, or not known.
ALTER TABLE name ADD COLUMN own_redirect TEXT NOT NULL DEFAULT '';
UPDATE meta SET value = '30' WHERE key = 'schema';
PRAGMA user_version = 30;
