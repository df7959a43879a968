-- What is due is found by lane (site_lane); nothing asks for a date across all lanes, and each step of a site had to write this one.
DROP INDEX site_wake;
UPDATE meta SET value = '31' WHERE key = 'schema';
PRAGMA user_version = 31;
