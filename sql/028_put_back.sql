-- How often in a row what was put in place had been replaced by another hand and was put back.
ALTER TABLE site ADD COLUMN put_backs INTEGER NOT NULL DEFAULT 0 CHECK (put_backs BETWEEN 0 AND 255);
UPDATE meta SET value = '28' WHERE key = 'schema';
PRAGMA user_version = 28;
