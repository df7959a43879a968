-- What CAs allow, and who waits for it.

-- name: budget_load
SELECT tat, not_before, line, held, learned_count, learned_s
FROM budget WHERE ca_id = :ca_id AND budget = :budget AND subject = :subject;

-- name: budget_save
INSERT INTO budget (ca_id, budget, subject, tat, not_before, line, held, learned_count, learned_s)
VALUES (:ca_id, :budget, :subject, :tat, :not_before, :line, :held, :learned_count, :learned_s)
ON CONFLICT (ca_id, budget, subject) DO UPDATE SET tat = excluded.tat, not_before = excluded.not_before,
	line = excluded.line, held = excluded.held, learned_count = excluded.learned_count,
	learned_s = excluded.learned_s;

-- The emptiest first: those that somebody may wait for.
-- name: budgets
SELECT ca_id, budget, subject, tat, not_before, line, held, learned_count, learned_s
FROM budget INDEXED BY budget_empty ORDER BY tat DESC, ca_id, budget, subject LIMIT :max;

-- name: budget_sweep
DELETE FROM budget WHERE (ca_id, budget, subject) IN (SELECT ca_id, budget, subject FROM budget INDEXED BY budget_full
	WHERE held = 0 AND max(tat, not_before) <= :now LIMIT :max);

-- name: budget_draw
INSERT INTO budget_draw (site_id, ca_id, budget, subject) VALUES (:site_id, :ca_id, :budget, :subject);

-- name: budget_draws_of
SELECT ca_id, budget, subject FROM budget_draw WHERE site_id = :site_id ORDER BY ca_id, budget, subject;

-- name: budget_undraw
DELETE FROM budget_draw WHERE site_id = :site_id;

-- Sites that hold something although no order of theirs is under way any more.
-- name: budget_orphans
SELECT DISTINCT d.site_id AS id FROM budget_draw d JOIN site s ON s.id = d.site_id
WHERE s.doing <> 'order' LIMIT :max;

-- name: site_due_lane
SELECT id FROM site INDEXED BY site_lane WHERE lane = :lane AND lane_draws = :draws AND wake <= :now ORDER BY wake, id LIMIT :max;

-- What all who wait have waited for is over: nobody waits for a date of its own.
-- name: site_lanes_wake
UPDATE site INDEXED BY site_lane SET wake = :now WHERE lane > '' AND wake > :now AND wake < 9223372036854775807;

-- A site that waits in a lane is looked at in its time all the same (P2).
-- name: site_due_look
SELECT id FROM site INDEXED BY site_lane_look WHERE lane <> '' AND max(look_at, wake) <= :now
ORDER BY max(look_at, wake), id LIMIT :max;

-- The lane behind this one in the index, past all that wait in this one, and the earliest of it.
-- name: site_lane_behind
SELECT lane, lane_draws, wake FROM site WHERE id = coalesce(
	(SELECT id FROM site INDEXED BY site_lane WHERE lane = :lane AND lane_draws > :draws ORDER BY lane_draws, wake LIMIT 1),
	(SELECT id FROM site INDEXED BY site_lane WHERE lane > :lane ORDER BY lane, lane_draws, wake LIMIT 1));

-- name: site_lane_look_wake
SELECT min(max(look_at, wake)) AS wake FROM site INDEXED BY site_lane_look WHERE lane <> '';

-- name: site_lane_late_at
SELECT min(late_at) AS late_at FROM site INDEXED BY site_late WHERE lane NOT IN ('', 'expiring');

-- name: site_lane_late
UPDATE site SET lane = 'expiring' WHERE id IN (SELECT id FROM site INDEXED BY site_late
	WHERE lane NOT IN ('', 'expiring') AND late_at <= :now LIMIT :max);

-- Has this CA issued exactly what the site holds, and when?
-- name: budget_held
SELECT c.ca_id, c.not_before FROM site s JOIN certificate c ON c.id = s.held_id WHERE s.id = :site_id;
