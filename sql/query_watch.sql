-- For the watchdog.

-- name: learned_put
INSERT INTO learned (what, at) VALUES (:what, :at)
ON CONFLICT (what) DO UPDATE SET at = excluded.at;

-- name: learned
SELECT what, at FROM learned;

-- name: condition_put
INSERT INTO condition (cause, words, since, seen) VALUES (:cause, :words, :now, :now)
ON CONFLICT (cause) DO UPDATE SET words = excluded.words, seen = excluded.seen;

-- name: condition_end
DELETE FROM condition WHERE cause = :cause;

-- name: conditions
SELECT cause, words FROM condition ORDER BY cause;

-- name: watch_heartbeat
SELECT at FROM heartbeat WHERE process = :process;

-- name: watch_due
SELECT count(*) AS n FROM site INDEXED BY site_lane WHERE lane = '' AND lane_draws = 0 AND wake < :by;

-- name: watch_oldest
SELECT min(wake) AS wake FROM site INDEXED BY site_lane WHERE lane = '' AND lane_draws = 0;

-- name: watch_ca_failures
SELECT coalesce(max(failures), 0) AS n FROM ca;

-- One example for each cause: its oldest row.
-- name: watch_causes
SELECT cause, count(*) AS n, min(id) AS example FROM finding INDEXED BY finding_cause
WHERE gone_at IS NULL GROUP BY cause;

-- name: watch_example
SELECT subject, seen, evidence FROM finding WHERE id = :id;

-- Names of which the store says that visitors are handed the certificate that is held.
-- name: watch_samples
SELECT n.id AS id, n.name AS name, v.fingerprint AS fingerprint
FROM served v JOIN name n ON n.id = v.name_id JOIN site s ON s.id = n.site_id
WHERE v.name_id > :after AND v.is_held = 1 AND n.is_wanted = 1 AND s.is_removed = 0
ORDER BY v.name_id LIMIT :max;

-- name: watch_sample
SELECT n.id AS id, n.name AS name, v.fingerprint AS fingerprint
FROM served v JOIN name n ON n.id = v.name_id JOIN site s ON s.id = n.site_id
WHERE v.name_id = :id AND v.is_held = 1 AND n.is_wanted = 1 AND s.is_removed = 0;

-- name: watch_bursts
SELECT f.cause AS cause, count(DISTINCT s.owner_id) AS n
FROM finding f INDEXED BY finding_cause JOIN site s ON s.id = f.site_id
WHERE f.gone_at IS NULL AND f.first_seen > :since
GROUP BY f.cause, f.first_seen / :bucket HAVING count(DISTINCT s.owner_id) >= :least;

-- What the date of a renewal is made of, of all that are renewed by themselves.
-- name: watch_plans
SELECT s.id AS id, s.held_id AS held_id, s.held_from AS held_from, s.held_to AS held_to, s.held_is_own AS held_is_own,
	s.held_is_spread AS held_is_spread, s.held_fingerprint AS held_fingerprint, s.jitter AS jitter,
	s.asked_renew OR s.order_id IS NOT NULL AS is_wanted, r.renew_at AS renew_at,
	coalesce(k.life, 0) AS calendar_life, k.since AS calendar_since,
	(SELECT min(f.first_seen) FROM finding f INDEXED BY finding_cause WHERE f.cause = 'served.revoked' AND f.gone_at IS NULL
		AND f.site_id = s.id AND f.wanted = lower(hex(s.held_fingerprint))) AS revoked_at
FROM site s
JOIN setting g ON g.site_id = s.id
LEFT JOIN renewal r ON r.site_id = s.id AND r.certificate_id = s.held_id
LEFT JOIN certificate c ON c.id = s.held_id
LEFT JOIN calendar k ON k.ca_id = c.ca_id AND k.profile = g.profile
WHERE s.id > :after AND s.held_id IS NOT NULL AND s.is_removed = 0 AND g.source = 'free'
ORDER BY s.id LIMIT :max;
