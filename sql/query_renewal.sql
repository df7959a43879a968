-- Renewal information (RFC 9773) and the calendars of CAs.

-- name: renewal_put
INSERT INTO renewal (site_id, certificate_id, ca_id, starts, ends, renew_at, is_urgent, explanation, polled_at, poll_at,
	failures, oddities)
VALUES (:site_id, :certificate_id, :ca_id, :starts, :ends, :renew_at, :is_urgent, :explanation, :polled_at, :poll_at,
	:failures, :oddities)
ON CONFLICT (site_id) DO UPDATE SET certificate_id = excluded.certificate_id, ca_id = excluded.ca_id,
	starts = excluded.starts, ends = excluded.ends, renew_at = excluded.renew_at, is_urgent = excluded.is_urgent,
	explanation = excluded.explanation, polled_at = excluded.polled_at, poll_at = excluded.poll_at,
	failures = excluded.failures, oddities = excluded.oddities;

-- A site that is not to be renewed is not asked about; its row says so, and goes.
-- name: renewals_due
SELECT r.site_id, r.certificate_id, c.ari_id,
	s.is_removed, s.is_removed = 0 AND g.source = 'free' AND s.held_id IS r.certificate_id AS is_wanted
FROM renewal r INDEXED BY renewal_poll
JOIN certificate c ON c.id = r.certificate_id
JOIN site s ON s.id = r.site_id
JOIN setting g ON g.site_id = r.site_id
WHERE r.ca_id = :ca_id AND r.poll_at <= :now
ORDER BY r.poll_at LIMIT :max;

-- name: renewal_load
SELECT r.certificate_id, r.ca_id, r.starts, r.ends, r.renew_at, r.is_urgent, r.explanation, r.polled_at, r.poll_at,
	r.failures, r.oddities, c.created
FROM renewal r JOIN certificate c ON c.id = r.certificate_id
WHERE r.site_id = :site_id;

-- name: renewal_put_off
UPDATE renewal SET poll_at = :poll_at WHERE site_id = :site_id;

-- name: renewal_drop
DELETE FROM renewal WHERE site_id = :site_id;

-- name: renewals_next
SELECT min(poll_at) AS poll_at FROM renewal INDEXED BY renewal_poll WHERE ca_id = :ca_id;

-- name: calendar_load
SELECT life, since, next_life, next_since, next_seen FROM calendar WHERE ca_id = :ca_id AND profile = :profile;

-- name: calendar_put
INSERT INTO calendar (ca_id, profile, life, since, next_life, next_since, next_seen)
VALUES (:ca_id, :profile, :life, :since, :next_life, :next_since, :next_seen)
ON CONFLICT (ca_id, profile) DO UPDATE SET life = excluded.life, since = excluded.since, next_life = excluded.next_life,
	next_since = excluded.next_since, next_seen = excluded.next_seen;
