-- A registry as version 1 of the format has it.
PRAGMA journal_mode = WAL;

CREATE TABLE registry (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    id BLOB NOT NULL,
    -- Where the generations of a host begin that is not known yet.
    first_generation INTEGER NOT NULL
) STRICT;
INSERT INTO registry VALUES (1, x'00112233445566778899aabbccddeeff', 0);

-- The registries whose leases were taken over into this one.
CREATE TABLE predecessor (
    id BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE host (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    last_generation INTEGER NOT NULL,
    last_swept INTEGER,
    grants INTEGER NOT NULL DEFAULT 0,
    reuses INTEGER NOT NULL DEFAULT 0,
    conflicts INTEGER NOT NULL DEFAULT 0,
    moves INTEGER NOT NULL DEFAULT 0,
    refusals INTEGER NOT NULL DEFAULT 0,
    releases INTEGER NOT NULL DEFAULT 0,
    swept INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE lease (
    host INTEGER NOT NULL,
    port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    project TEXT NOT NULL,
    service TEXT NOT NULL,
    instance INTEGER NOT NULL,
    framework TEXT NOT NULL,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL,
    holder TEXT,
    listener TEXT,
    range_first INTEGER NOT NULL,
    range_last INTEGER NOT NULL,
    tier TEXT NOT NULL,
    priority INTEGER NOT NULL,
    requires TEXT,
    followers TEXT,
    granted_at INTEGER NOT NULL,
    renewed_at INTEGER NOT NULL,
    PRIMARY KEY (host, port)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX lease_by_key ON lease (host, project, service, instance);

CREATE TABLE memory (
    host INTEGER NOT NULL,
    port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    project TEXT NOT NULL,
    service TEXT NOT NULL,
    instance INTEGER NOT NULL,
    released_at INTEGER NOT NULL,
    PRIMARY KEY (host, port)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX memory_by_key ON memory (host, project, service, instance);

CREATE TABLE usage (
    host INTEGER NOT NULL,
    port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    grants INTEGER NOT NULL,
    PRIMARY KEY (host, port)
) STRICT, WITHOUT ROWID;

INSERT INTO host VALUES (1, 'laptop', 5, 1763000009000, 5, 2, 0, 0, 1, 2, 0);
INSERT INTO lease VALUES (1, 3000, 'shop', 'web', 1, 'next', 3, 'live',
    '{"kind":"process","pid":4242,"started":170,"boot":"a6f1"}',
    '{"kind":"container","engine":"docker","id":"0123456789abcdef"}',
    3000, 3100, 'default', 5, '["http","websocket"]', '[{"service":"docs","requires":["https"]}]',
    1763000000000, 1763000005000);
INSERT INTO lease VALUES (1, 3001, '/home/ada/blog', 'web', 2, 'node', 4, 'reserved', NULL, NULL, 3000, 3100, 'scan', 0,
    NULL, NULL, 1763000001000, 1763000001000);
INSERT INTO lease VALUES (1, 5173, 'größe', 'app', 1, 'vite', 5, 'reserved', NULL, NULL, 5173, 5273, 'preferred', -1,
    '["tcp"]', NULL, 1763000002000, 1763000002000);
INSERT INTO memory VALUES (1, 3002, 'gone', 'web', 1, 1763000003000);
INSERT INTO usage VALUES (1, 3000, 2), (1, 3001, 1), (1, 3002, 1), (1, 5173, 1);

PRAGMA application_id = 0x506F7274;
PRAGMA user_version = 1;
