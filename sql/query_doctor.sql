-- For /metrics and doctor.

-- name: count_sites
SELECT count(*) AS n FROM site INDEXED BY site_present WHERE is_removed = 0;

-- name: count_held
SELECT count(*) AS n FROM site INDEXED BY site_held_to WHERE held_id IS NOT NULL AND is_removed = 0;

-- name: count_ending
SELECT count(*) AS n FROM site INDEXED BY site_held_to
WHERE held_id IS NOT NULL AND is_removed = 0 AND held_to <= :by;

-- Who waits for a place at the CA waits for the CA.
-- name: count_overdue
SELECT count(*) AS n FROM site INDEXED BY site_lane WHERE lane = '' AND lane_draws = 0 AND wake < :by;

-- name: count_orders
SELECT count(*) AS n FROM orders INDEXED BY orders_open WHERE is_open = 1;

-- name: count_letters_waiting
SELECT count(*) AS n FROM letter INDEXED BY letter_waiting
WHERE sent_at IS NULL AND next_try < 9223372036854775807;

-- name: count_letters_given_up
SELECT count(*) AS n FROM letter INDEXED BY letter_waiting
WHERE sent_at IS NULL AND next_try = 9223372036854775807;

-- name: count_letters_bounced
SELECT count(*) AS n FROM letter INDEXED BY letter_bounced WHERE bounced_at IS NOT NULL;

-- name: count_questions_open
SELECT count(*) AS n FROM question INDEXED BY question_open WHERE open_since IS NOT NULL;

-- name: count_causes
SELECT cause, count(*) AS n FROM finding INDEXED BY finding_cause WHERE gone_at IS NULL GROUP BY cause;

-- name: heartbeat_put
INSERT INTO heartbeat (process, pid, at) VALUES (:process, :pid, :at)
ON CONFLICT (process) DO UPDATE SET pid = excluded.pid, at = excluded.at;

-- name: heartbeats
SELECT process, pid, at FROM heartbeat ORDER BY process;

-- name: unclassified_put
INSERT INTO unclassified (type, text, first_seen, last_seen, times_seen) VALUES (:type, :text, :now, :now, 1)
ON CONFLICT (type, text) DO UPDATE SET last_seen = excluded.last_seen, times_seen = times_seen + 1;

-- name: unclassified_count
SELECT type, sum(times_seen) AS n FROM unclassified GROUP BY type ORDER BY type;

-- name: unclassified_list
SELECT type, text, first_seen, last_seen, times_seen FROM unclassified INDEXED BY unclassified_last
ORDER BY last_seen DESC, id DESC LIMIT :max;

-- name: unclassified_forget
DELETE FROM unclassified WHERE id IN
	(SELECT id FROM unclassified ORDER BY last_seen DESC, id DESC LIMIT -1 OFFSET :most);

-- The checks below print one line for each fault.

-- name: verify_pages
PRAGMA quick_check;

-- name: verify_references
SELECT 'a row of ' || "table" || ' (' || coalesce(rowid, '?') || ') refers to a row of ' || parent || ' that does not exist' AS line
FROM pragma_foreign_key_check;

-- name: verify_orders
SELECT 'site ' || site_id || ' has ' || count(*) || ' open orders: ' || group_concat(id) AS line
FROM orders NOT INDEXED WHERE is_open = 1 GROUP BY site_id HAVING count(*) > 1;

-- name: verify_order_of_other
SELECT 'site ' || s.id || ' waits for order ' || s.order_id || ', which is of site ' || o.site_id AS line
FROM site s JOIN orders o ON o.id = s.order_id WHERE o.site_id <> s.id;

-- name: verify_wakes
SELECT 'site ' || s.id || ' wants free SSL and has no date for its next step' AS line
FROM site s JOIN setting g ON g.site_id = s.id
WHERE g.source = 'free' AND s.is_removed = 0 AND (s.wake IS NULL OR s.wake = 9223372036854775807);

-- name: verify_settings
SELECT 'site ' || s.id || ' has no setting' AS line
FROM site s LEFT JOIN setting g ON g.site_id = s.id WHERE g.site_id IS NULL;

-- name: verify_first_names
SELECT 'site ' || s.id || ' has no name that it goes by' AS line FROM site s
WHERE NOT EXISTS (SELECT 1 FROM name n WHERE n.site_id = s.id AND n.is_wanted = 1 AND n.position = 0);

-- name: verify_held
SELECT 'site ' || s.id || ' holds certificate ' || s.held_id || ', which '
	|| CASE WHEN c.id IS NULL THEN 'does not exist' ELSE 'is of site ' || c.site_id END AS line
FROM site s LEFT JOIN certificate c ON c.id = s.held_id
WHERE s.held_id IS NOT NULL AND (c.id IS NULL OR c.site_id <> s.id);

-- name: verify_letters
SELECT 'letter ' || id || ' (' || key || ') waits and has no date for its next try' AS line
FROM letter WHERE sent_at IS NULL AND next_try IS NULL;

-- name: verify_looks
SELECT 'site ' || site_id || ' has the finding ' || cause || ' (' || subject || ') and no date of the next look' AS line
FROM finding WHERE gone_at IS NULL AND (next_look IS NULL OR next_look = 9223372036854775807);

-- name: verify_names
SELECT 'the name ' || n.name || ' is wanted in ' || count(*) || ' sites: ' || group_concat(n.site_id) AS line
FROM name n NOT INDEXED JOIN site s ON s.id = n.site_id
WHERE n.is_wanted = 1 AND s.is_removed = 0 GROUP BY n.name HAVING count(*) > 1;

-- name: verify_words
SELECT DISTINCT 'cause' AS kind, cause AS word FROM finding WHERE gone_at IS NULL
UNION SELECT DISTINCT 'actor', acts FROM finding WHERE gone_at IS NULL
UNION SELECT DISTINCT 'letter', kind FROM letter
UNION SELECT DISTINCT 'history', kind FROM history;

-- name: verify_budgets
SELECT 'the limit ' || b.budget || ' of "' || b.subject || '" counts ' || b.held || ' as held, and '
	|| (SELECT count(*) FROM budget_draw d WHERE d.ca_id = b.ca_id AND d.budget = b.budget AND d.subject = b.subject)
	|| ' are drawn' AS line
FROM budget b NOT INDEXED
WHERE b.held <> (SELECT count(*) FROM budget_draw d WHERE d.ca_id = b.ca_id AND d.budget = b.budget AND d.subject = b.subject);

-- name: verify_draws
SELECT 'site ' || d.site_id || ' holds a part of the limit ' || d.budget || ' of "' || d.subject || '" and has no order' AS line
FROM budget_draw d JOIN site s ON s.id = d.site_id WHERE s.doing <> 'order';

-- The counts that the operator's pages are read from.
-- name: verify_counts
SELECT 'the count of ' || what || ' says ' || kept || ', and there are ' || is_so AS line FROM (
	SELECT 'certificates that are held' AS what, (SELECT coalesce(sum(n), 0) FROM ending) AS kept,
		(SELECT count(*) FROM site WHERE held_id IS NOT NULL AND held_to IS NOT NULL AND is_removed = 0) AS is_so
	UNION ALL SELECT 'sites', (SELECT coalesce(sum(n), 0) FROM standing_count), (SELECT count(*) FROM listing)
	UNION ALL SELECT 'findings', (SELECT coalesce(sum(n), 0) FROM cause_count), (SELECT count(*) FROM finding WHERE gone_at IS NULL)
) WHERE kept <> is_so;
