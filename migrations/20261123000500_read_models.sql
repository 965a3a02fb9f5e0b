-- Read models of a workspace: what refine, rollup and compaction write and pages read. All of it can be made again from bronze,
-- the mappings and the fixes of dead letters.

-- How far refine is with a source. Its row is locked by every refine transaction.
create table refine_cursors (
  workspace_id uuid not null default app_workspace(),
  source_id uuid not null,
  epoch int not null default 1,
  next_seq bigint not null default 1,
  -- The generation of read models that pages read; a rebuild writes the next one beside it.
  generation int not null default 1,
  -- Newest time at the source that came by the ordered path, heartbeats included; and of changes alone.
  path_source_at timestamptz,
  change_source_at timestamptz,
  refined_at timestamptz,
  events bigint not null default 0,
  primary key (workspace_id, source_id),
  foreign key (workspace_id, source_id) references sources (workspace_id, id)
) with (fillfactor = 50);
select protect('refine_cursors', 4);
grant select, insert, update on refine_cursors to clarity_worker;
grant select on refine_cursors to clarity_app;

-- Events of a source by minute of receipt, for throughput lines.
create table source_minutes (
  workspace_id uuid not null default app_workspace(),
  source_id uuid not null,
  minute timestamptz not null,
  events bigint not null,
  bytes bigint not null,
  -- Receipt to commit in bronze cannot be known by refine: slowest commit-at-source to refine of this minute.
  slowest_ms int not null default 0,
  primary key (workspace_id, source_id, minute),
  foreign key (workspace_id, source_id) references sources (workspace_id, id)
) with (fillfactor = 50);
select protect('source_minutes', 4);
grant select, insert, update, delete on source_minutes to clarity_worker;
grant select on source_minutes to clarity_app;

-- Columnar chunks of samples (crates/series). Hot: one a stream and refine transaction, assets as a column (asset_number 0).
-- Sealed: one asset, one UTC day, about 500 to 2,000 rows.
create table sample_chunks (
  workspace_id uuid not null default app_workspace(),
  stream_id uuid not null,
  id uuid not null,
  generation int not null default 1,
  asset_number int not null default 0,
  -- Of a hot chunk: whose rows it has, so that a reader of a few assets leaves the others' chunks. Null: ask the chunk.
  asset_numbers int[],
  sealed boolean not null,
  from_at timestamptz not null,
  -- Inclusive.
  to_at timestamptz not null,
  row_count int not null,
  sample_count int not null,
  -- For hot chunks: the source's lowest sequence of its rows.
  epoch int not null default 0,
  first_seq bigint not null default 0,
  stats bytea not null,
  body bytea not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id, sealed),
  foreign key (workspace_id, stream_id) references streams (workspace_id, id)
) partition by list (sealed);
-- Apart, because hot chunks come and go: what they leave behind must not lie between the sealed ones for ever.
create table sample_chunks_hot partition of sample_chunks for values in (false)
  with (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0,
        toast.autovacuum_vacuum_scale_factor = 0.0, toast.autovacuum_vacuum_threshold = 2000,
        toast.autovacuum_vacuum_cost_delay = 0);
create table sample_chunks_sealed partition of sample_chunks for values in (true);
alter table sample_chunks_hot alter column body set storage external;
alter table sample_chunks_sealed alter column body set storage external;
create index sample_chunks_by_asset on sample_chunks_sealed (workspace_id, stream_id, asset_number, from_at);
create index sample_chunks_by_time on sample_chunks_hot (workspace_id, stream_id, from_at);
select protect('sample_chunks', 4);
select protect_partition('sample_chunks_hot'), protect_partition('sample_chunks_sealed');
grant select, insert, update, delete on sample_chunks to clarity_worker;
grant select on sample_chunks to clarity_app;

-- Newest values of each asset and stream, for tables and the live page. Arrays in the order of metric_numbers.
create table latest_samples (
  workspace_id uuid not null default app_workspace(),
  stream_id uuid not null,
  asset_number int not null,
  at timestamptz not null,
  epoch int not null,
  seq bigint not null,
  metric_numbers int[] not null,
  -- When each value was measured, and whether a snapshot read it (then a streamed row of that time replaces it).
  ats timestamptz[] not null,
  snapshots boolean[] not null,
  -- NaN where the newest row had null, or a value that is no number.
  numbers float8[] not null,
  -- Empty when no value is a text; else the empty text where there is a number or null, 'NaN' for a measured NaN.
  texts text[] not null default '{}',
  received_at timestamptz not null default now(),
  primary key (workspace_id, stream_id, asset_number),
  foreign key (workspace_id, stream_id) references streams (workspace_id, id)
) with (fillfactor = 50);
select protect('latest_samples', 4);
grant select, insert, update, delete on latest_samples to clarity_worker;
grant select on latest_samples to clarity_app;

-- Minutes whose rollup must be computed again. Upserted with `do update`, which locks them against the rollup role.
create table dirty_marks (
  workspace_id uuid not null default app_workspace(),
  stream_id uuid not null,
  asset_number int not null,
  -- Start of the hour; `minutes` has bit n set when minute n of it is dirty.
  hour timestamptz not null,
  minutes bigint not null,
  -- Minutes that the rollup role is computing: moved here before it reads, so that a sample that comes meanwhile marks its
  -- minute anew.
  taking bigint not null default 0,
  changed_at timestamptz not null default clock_timestamp(),
  primary key (workspace_id, stream_id, asset_number, hour)
) with (fillfactor = 50);
select protect('dirty_marks', 4);
grant select, insert, update, delete on dirty_marks to clarity_worker;
grant select on dirty_marks to clarity_app;

-- Aggregates of one asset, stream and bucket; arrays in the order of metric_numbers. `aggregates`: the same and the DDSketch,
-- encoded by crates/series, each after its length (u32, little-endian): what larger buckets are merged from. grain: 60, 3600, or 86400 for the site's own day, whose bounds are from_at and to_at.
create table rollups (
  workspace_id uuid not null default app_workspace(),
  stream_id uuid not null,
  asset_number int not null,
  grain int not null check (grain in (60, 3600, 86400)),
  from_at timestamptz not null,
  to_at timestamptz not null,
  metric_numbers int[] not null,
  counts bigint[] not null,
  sums float8[] not null,
  minima float8[] not null,
  maxima float8[] not null,
  firsts float8[] not null,
  lasts float8[] not null,
  aggregates bytea not null,
  primary key (workspace_id, stream_id, asset_number, grain, from_at),
  foreign key (workspace_id, stream_id) references streams (workspace_id, id)
);
select protect('rollups', 4);
grant select, insert, update, delete on rollups to clarity_worker;
grant select on rollups to clarity_app;

-- An asset was in a state from–to. The open interval has no to_at. Natural key: asset and start.
create table state_intervals (
  workspace_id uuid not null default app_workspace(),
  asset_number int not null,
  from_at timestamptz not null,
  to_at timestamptz,
  stream_id uuid not null,
  state text not null,
  category text not null check (category in ('running', 'idle', 'set_up', 'down', 'planned', 'unknown')),
  reason text,
  epoch int not null,
  seq bigint not null,
  -- The source's key of the row that said so.
  source_key text not null default '',
  primary key (workspace_id, asset_number, from_at, stream_id, source_key),
  foreign key (workspace_id, stream_id) references streams (workspace_id, id)
);
create index state_intervals_by_end on state_intervals (workspace_id, to_at);
create index state_intervals_by_row on state_intervals (workspace_id, stream_id, source_key);
create index state_intervals_open on state_intervals (workspace_id, asset_number) where to_at is null;
select protect('state_intervals', 2);
grant select, insert, update, delete on state_intervals to clarity_worker;
grant select on state_intervals to clarity_app;

-- Current image of each CDC row, with the sequence that made it; a delete leaves a tombstone.
create table records (
  workspace_id uuid not null default app_workspace(),
  stream_id uuid not null,
  -- The key's cells as JSON text, e.g. [17] or ["ENG-001","2026-11-23 …"].
  key text not null,
  -- {column: value}, as the source wrote it; null for a tombstone.
  image jsonb,
  epoch int not null,
  seq bigint not null,
  -- Transaction that made it, to be compared with a snapshot chunk's; 0 when a chunk made it.
  xid bigint not null default 0,
  -- Columns that no event has carried yet (unchanged TOAST before the snapshot reached the row).
  missing text[] not null default '{}',
  changed_at timestamptz not null,
  primary key (workspace_id, stream_id, key),
  foreign key (workspace_id, stream_id) references streams (workspace_id, id)
) with (fillfactor = 80);
select protect('records', 4);
grant select, insert, update, delete on records to clarity_worker;
grant select on records to clarity_app;

-- The catalogue of fields that no mapping names.
create table extra_paths (
  workspace_id uuid not null default app_workspace(),
  stream_id uuid not null,
  -- column, or column.json.path
  path text not null,
  value_type text not null check (value_type in ('float', 'integer', 'boolean', 'text', 'time', 'json')),
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  count bigint not null,
  -- Column of the chunks, for telemetry.
  metric_number int,
  primary key (workspace_id, stream_id, path, value_type),
  foreign key (workspace_id, stream_id) references streams (workspace_id, id)
) with (fillfactor = 50);
select protect('extra_paths', 4);
grant select, insert, update, delete on extra_paths to clarity_worker;
grant select on extra_paths to clarity_app;

-- Typed values of records' extras, indexed. One of the value columns is set.
create table record_extras (
  workspace_id uuid not null default app_workspace(),
  stream_id uuid not null,
  key text not null,
  path text not null,
  number float8,
  text_value text,
  boolean_value boolean,
  time_value timestamptz,
  primary key (workspace_id, stream_id, key, path),
  foreign key (workspace_id, stream_id) references streams (workspace_id, id)
);
create index record_extras_numbers on record_extras (workspace_id, stream_id, path, number) where number is not null;
create index record_extras_texts on record_extras (workspace_id, stream_id, path, left(text_value, 200)) where text_value is not null;
-- Policies hold back what is known of a table's columns, not what is known of an index's expression: nothing is gathered of it.
alter index record_extras_texts alter column 4 set statistics 0;
create index record_extras_times on record_extras (workspace_id, stream_id, path, time_value) where time_value is not null;
select protect('record_extras', 4);
grant select, insert, update, delete on record_extras to clarity_worker;
grant select on record_extras to clarity_app;

-- Events that could not be refined. One a sequence; grouped by the fingerprint of the cause.
create table dead_letters (
  workspace_id uuid not null default app_workspace(),
  source_id uuid not null,
  epoch int not null,
  seq bigint not null,
  stream_name text not null,
  fingerprint text not null,
  cause text not null,
  -- The event line as it stands in bronze.
  payload bytea not null,
  -- Where it stands: the segment's first sequence and the line in it.
  segment_first_seq bigint not null,
  line_number int not null,
  created_at timestamptz not null default now(),
  replayed_at timestamptz,
  -- Version of the mapping that a replay read it with; a rebuild does the same.
  replayed_version int,
  primary key (workspace_id, source_id, epoch, seq),
  foreign key (workspace_id, source_id) references sources (workspace_id, id)
);
create index dead_letters_open on dead_letters (workspace_id, fingerprint, created_at) where replayed_at is null;
select protect('dead_letters', 3);
grant select, insert, update, delete on dead_letters to clarity_worker;
grant select, update on dead_letters to clarity_app;

-- Workers that are there, so that each knows its share of the partitions.
create table ops.lease_holders (
  role text not null,
  holder uuid not null,
  seen_at timestamptz not null default now(),
  primary key (role, holder)
);
grant select, insert, update, delete on ops.lease_holders to clarity_system;
insert into ops.tables_outside_workspaces (table_name, reason) values
  ('ops.lease_holders', 'which worker processes are there; no tenant data');
