-- Whether it was the provider who stopped free SSL of a site: the owner then has to speak with the provider first.
ALTER TABLE given_up ADD COLUMN is_suspended INTEGER NOT NULL DEFAULT 0 CHECK (is_suspended IN (0, 1));
UPDATE meta SET value = '13' WHERE key = 'schema';
PRAGMA user_version = 13;
