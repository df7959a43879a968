-- What CAs allow, as token buckets (core/budget), and the lanes of orders.
--
-- Instants here are microseconds since 1970. A bucket that is full again has no row.
CREATE TABLE budget (
	ca_id INTEGER NOT NULL REFERENCES ca (id),
	budget TEXT NOT NULL,
	subject TEXT NOT NULL,
	tat INTEGER NOT NULL,	     -- full from then on
	not_before INTEGER NOT NULL, -- the CA named this date
	line INTEGER NOT NULL,	     -- the date given to the last one that waits
	held INTEGER NOT NULL CHECK (held >= 0), -- how many rows of budget_draw there are
	learned_count INTEGER NOT NULL, -- what the CA said that its limit is; 0: nothing
	learned_s INTEGER NOT NULL,
	PRIMARY KEY (ca_id, budget, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX budget_full ON budget (max(tat, not_before)) WHERE held = 0;
CREATE INDEX budget_empty ON budget (tat);

-- What a site's order holds, from the decision to its end. One order is in flight for a site (P6), so nothing is drawn
-- twice for it.
CREATE TABLE budget_draw (
	site_id INTEGER NOT NULL REFERENCES site (id),
	ca_id INTEGER NOT NULL REFERENCES ca (id),
	budget TEXT NOT NULL,
	subject TEXT NOT NULL,
	PRIMARY KEY (site_id, ca_id, budget, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX budget_draw_subject ON budget_draw (ca_id, budget, subject);

-- The lane of the order that can be made from `wake` on; '' where none can. late_at: from then on it is the most
-- pressing one, although nobody has stepped the site meanwhile.
ALTER TABLE site ADD COLUMN lane TEXT NOT NULL DEFAULT ''
	CHECK (lane = '' OR lane = 'expiring' OR lane = 'asked' OR lane = 'replacement' OR lane = 'first' OR lane = 'quiet');
-- lane_draws: that order counts against what all sites share at the CA.
ALTER TABLE site ADD COLUMN lane_draws INTEGER NOT NULL DEFAULT 0 CHECK (lane_draws IN (0, 1));
ALTER TABLE site ADD COLUMN late_at INTEGER;
CREATE INDEX site_lane ON site (lane, lane_draws, wake);
CREATE INDEX site_late ON site (late_at) WHERE lane NOT IN ('', 'expiring');
CREATE INDEX site_lane_look ON site (max(look_at, wake)) WHERE lane <> '';

UPDATE meta SET value = '4' WHERE key = 'schema';
PRAGMA user_version = 4;
