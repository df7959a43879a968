-- The CA has blocked the account; and the operator says that it has lifted the block.
ALTER TABLE ca ADD COLUMN blocked_at INTEGER;
ALTER TABLE ca ADD COLUMN unblock_asked INTEGER;
UPDATE meta SET value = '29' WHERE key = 'schema';
PRAGMA user_version = 29;
