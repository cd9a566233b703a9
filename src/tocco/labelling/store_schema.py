"""The tables of a store of ratings.

Events are never changed or deleted: triggers refuse it. What stands is read through the views: the newest
event, by sequence, of a rater, presentation and dimension that no undo names.
"""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x746F6363  # "tocc", in the header of the file
SCHEMA_VERSION: Final = 1

TABLES: Final = """
CREATE TABLE raters (
  rater_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('admin', 'rater')),
  is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
  created_sec REAL NOT NULL
) STRICT;

CREATE TABLE invitations (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  rater_id TEXT NOT NULL REFERENCES raters,
  token_sha256 TEXT NOT NULL UNIQUE,
  created_sec REAL NOT NULL,
  expires_sec REAL NOT NULL,
  revoked_sec REAL,
  last_used_sec REAL
) STRICT;

CREATE TABLE events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('rating', 'comment', 'vote', 'undo')),
  rater_id TEXT NOT NULL REFERENCES raters,
  event_id TEXT NOT NULL,
  segment_id TEXT NOT NULL,
  other_segment_id TEXT CHECK ((kind = 'vote') <= (other_segment_id IS NOT NULL)),
  occasion TEXT CHECK (occasion IN ('calibration_1', 'calibration_2', 'first', 'repeat', 'anchor')),
  dimension TEXT CHECK ((kind IN ('rating', 'vote')) = (dimension IS NOT NULL)),
  value REAL CHECK (value IS NULL OR (kind = 'rating' AND value BETWEEN 0 AND 100)),
  uncertain INTEGER NOT NULL CHECK (uncertain IN (0, 1)),
  comment TEXT CHECK ((kind = 'comment') = (comment IS NOT NULL)),
  outcome TEXT CHECK ((kind = 'vote') = (outcome IS NOT NULL) AND outcome IN ('a', 'b', 'tie')),
  undoes INTEGER UNIQUE REFERENCES events CHECK ((kind = 'undo') = (undoes IS NOT NULL)),
  position_sec REAL NOT NULL,
  listened_share REAL NOT NULL CHECK (listened_share BETWEEN 0 AND 1),
  client_time_sec REAL NOT NULL,
  server_time_sec REAL NOT NULL,
  UNIQUE (rater_id, event_id),
  CHECK ((other_segment_id IS NULL) = (occasion IS NOT NULL))
) STRICT;

CREATE INDEX events_of_presentation ON events (rater_id, segment_id, occasion, dimension, sequence);

CREATE TRIGGER events_stay BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_remain BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;

CREATE TABLE listening (
  rater_id TEXT NOT NULL REFERENCES raters,
  segment_id TEXT NOT NULL,
  occasion TEXT NOT NULL,
  heard TEXT NOT NULL,
  heard_share REAL NOT NULL,
  position_sec REAL NOT NULL,
  client_time_sec REAL NOT NULL,
  server_time_sec REAL NOT NULL,
  PRIMARY KEY (rater_id, segment_id, occasion)
) STRICT, WITHOUT ROWID;

CREATE TABLE orders (
  rater_id TEXT NOT NULL REFERENCES raters,
  position INTEGER NOT NULL,
  segment_id TEXT NOT NULL,
  occasion TEXT NOT NULL,
  PRIMARY KEY (rater_id, position),
  UNIQUE (rater_id, segment_id, occasion)
) STRICT, WITHOUT ROWID;

CREATE TABLE last_items (
  rater_id TEXT PRIMARY KEY REFERENCES raters,
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pairs (
  rater_id TEXT NOT NULL REFERENCES raters,
  number INTEGER NOT NULL,
  segment_a TEXT NOT NULL,
  segment_b TEXT NOT NULL CHECK (segment_b <> segment_a),
  PRIMARY KEY (rater_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  server_time_sec REAL NOT NULL,
  who TEXT NOT NULL,
  action TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;

CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
CREATE TRIGGER audit_remains BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is never deleted'); END;

CREATE VIEW standing AS
  SELECT e.* FROM events e
  WHERE e.kind <> 'undo'
    AND NOT EXISTS (SELECT 1 FROM events u WHERE u.undoes = e.sequence);

CREATE VIEW ratings AS
  SELECT s.*, coalesce(l.heard_share, 0.0) AS heard_share
  FROM standing s
  LEFT JOIN listening l USING (rater_id, segment_id, occasion)
  WHERE s.kind = 'rating' AND s.sequence = (
    SELECT max(t.sequence) FROM standing t
    WHERE t.kind = 'rating' AND t.rater_id = s.rater_id AND t.segment_id = s.segment_id
      AND t.occasion = s.occasion AND t.dimension = s.dimension);

CREATE VIEW comments AS
  SELECT s.* FROM standing s
  WHERE s.kind = 'comment' AND s.sequence = (
    SELECT max(t.sequence) FROM standing t
    WHERE t.kind = 'comment' AND t.rater_id = s.rater_id AND t.segment_id = s.segment_id
      AND t.occasion = s.occasion);

CREATE VIEW votes AS
  SELECT s.* FROM standing s
  WHERE s.kind = 'vote' AND s.sequence = (
    SELECT max(t.sequence) FROM standing t
    WHERE t.kind = 'vote' AND t.rater_id = s.rater_id AND t.dimension = s.dimension
      AND ((t.segment_id = s.segment_id AND t.other_segment_id = s.other_segment_id)
        OR (t.segment_id = s.other_segment_id AND t.other_segment_id = s.segment_id)));
"""
"""Schema of version 1. Times are Unix seconds; `heard` is a JSON list of (start, end) in seconds."""
