-- What a CA refused of a name stands until its date, whatever a check finds of the same name meanwhile.
ALTER TABLE name ADD COLUMN refused_until INTEGER;
UPDATE meta SET value = '7' WHERE key = 'schema';
PRAGMA user_version = 7;
