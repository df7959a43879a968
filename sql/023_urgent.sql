-- Dates after which somebody has to look at a site, whoever acts: functions of its facts alone, written with its state. NULL: none.
-- warned_from: visitors see a warning from then on, if nothing new is served. late_from: it ought to be renewed by then.
ALTER TABLE listing ADD COLUMN warned_from INTEGER;
ALTER TABLE listing ADD COLUMN late_from INTEGER;
CREATE INDEX listing_late ON listing (late_from) WHERE late_from IS NOT NULL;
-- Until its next step a site has the end of what it holds.
UPDATE listing SET warned_from = (SELECT s.held_to FROM site s WHERE s.id = site_id), late_from = (SELECT s.held_to FROM site s WHERE s.id = site_id);
UPDATE meta SET value = '23' WHERE key = 'schema';
PRAGMA user_version = 23;
