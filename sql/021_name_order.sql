-- A site's names as they are read with it, at each look.
CREATE INDEX name_order ON name (site_id, is_wanted DESC, position);
UPDATE meta SET value = '21' WHERE key = 'schema';
PRAGMA user_version = 21;
