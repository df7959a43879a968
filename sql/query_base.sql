-- Transactions, and what is asked of every store when it is opened.

-- name: begin
BEGIN IMMEDIATE;

-- Several reads that have to see one state.
-- name: begin_read
BEGIN DEFERRED;

-- name: commit
COMMIT;

-- name: rollback
ROLLBACK;

-- name: application
PRAGMA application_id;

-- name: version
PRAGMA user_version;

-- name: is_empty
SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema) AS is_empty;

-- name: journal_wal
PRAGMA journal_mode = WAL;
-- name: connect_foreign_keys
PRAGMA foreign_keys = ON;

-- P7: what was committed survives the power cut after it.
-- name: connect_synchronous
PRAGMA synchronous = FULL;

-- KiB: enough for the inner pages of every index of 100,000 sites.
-- name: connect_cache
PRAGMA cache_size = -4096;

-- name: connect_temp
PRAGMA temp_store = MEMORY;

-- The log file shrinks to this after a burst.
-- name: connect_journal_size
PRAGMA journal_size_limit = 67108864;

-- What is deleted or replaced is overwritten: among it are keys.
-- name: connect_secure_delete
PRAGMA secure_delete = ON;

-- A damaged page is found when it is read.
-- name: connect_cell_check
PRAGMA cell_size_check = ON;
