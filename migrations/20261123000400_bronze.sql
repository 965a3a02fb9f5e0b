-- Bronze: what agents sent, as they sent it; and the cursors that make an event durable once.

create table source_cursors (
  workspace_id uuid not null default app_workspace(),
  source_id uuid not null,
  epoch int not null default 1,
  next_seq bigint not null default 1,
  last_hash bytea not null default decode(repeat('00', 32), 'hex') check (length(last_hash) = 32),
  -- The source's position after the last durable event, as the agent wrote it.
  position jsonb,
  durable_events bigint not null default 0,
  durable_bytes bigint not null default 0,
  changed_at timestamptz not null default now(),
  -- Newest commit time in what is durable, by the source's clock.
  last_commit_at timestamptz,
  primary key (workspace_id, source_id),
  foreign key (workspace_id, source_id) references sources (workspace_id, id)
) with (fillfactor = 50);
select protect('source_cursors', 4);
grant select, insert, update on source_cursors to clarity_ingest;
grant select on source_cursors to clarity_worker, clarity_app;

create table bronze_segments (
  workspace_id uuid not null default app_workspace(),
  source_id uuid not null,
  epoch int not null,
  first_seq bigint not null,
  received_on date not null default (now() at time zone 'utc')::date,
  event_count int not null check (event_count > 0),
  raw_bytes int not null,
  received_at timestamptz not null default now(),
  last_commit_at timestamptz,
  hash bytea not null,
  -- Newline-delimited JSON under zstd, byte for byte as received.
  body bytea not null,
  primary key (workspace_id, source_id, epoch, first_seq, received_on),
  foreign key (workspace_id, source_id) references sources (workspace_id, id)
) partition by range (received_on);
alter table bronze_segments alter column body set storage external;
select protect('bronze_segments', 4);
-- Ingest can never read a payload, its own or another's.
grant insert on bronze_segments to clarity_ingest;
grant select (workspace_id, source_id, epoch, first_seq, received_on) on bronze_segments to clarity_ingest;
grant select, delete on bronze_segments to clarity_worker;

-- Batches that could not be decoded, and ranges that are lost: every hole in a source's sequence has a row here.
create table gap_markers (
  workspace_id uuid not null default app_workspace(),
  id uuid not null,
  source_id uuid not null,
  epoch int not null,
  from_seq bigint not null,
  -- Exclusive. Equal to from_seq when the number of lost events is unknown (a new epoch after a loss).
  to_seq bigint not null,
  kind text not null check (kind in ('lost', 'quarantined', 'new_epoch')),
  reason text not null,
  -- For `quarantined`: the batch as received.
  body bytea,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  foreign key (workspace_id, source_id) references sources (workspace_id, id)
);
create index gap_markers_by_source on gap_markers (workspace_id, source_id, epoch, from_seq);
select protect('gap_markers', 3);
grant insert on gap_markers to clarity_ingest;
grant select (workspace_id, id, source_id, epoch, from_seq, to_seq, kind) on gap_markers to clarity_ingest;
grant select on gap_markers to clarity_worker, clarity_app;

-- Makes the partitions of bronze for `days` days from today on. The owner's, so that a worker may call it without owning tables.
create function ops.make_partitions(days int) returns int
  language plpgsql security definer set search_path = pg_catalog, public
  as $$
declare
  made int := 0;
  day date;
  leaf text;
begin
  if days < 0 or days > 60 then
    raise exception 'days must be between 0 and 60';
  end if;
  for offset_days in -1..days loop
    day := (now() at time zone 'utc')::date + offset_days;
    leaf := 'bronze_segments_' || to_char(day, 'YYYYMMDD');
    if to_regclass('public.' || leaf) is null then
      execute format('create table public.%I partition of public.bronze_segments for values from (%L) to (%L)', leaf, day, day + 1);
      perform public.protect_partition(('public.' || quote_ident(leaf))::regclass);
      made := made + 1;
    end if;
  end loop;
  return made;
end
$$;
grant execute on function ops.make_partitions(int) to clarity_system, clarity_ingest;
select ops.make_partitions(7);

-- What is new where, for the workers: ids and sequences, nothing else.
create table ops.source_heads (
  source_id uuid primary key,
  workspace_id uuid not null,
  partition int not null,
  epoch int not null,
  next_seq bigint not null,
  changed_at timestamptz not null default now()
) with (fillfactor = 50);
create index source_heads_by_partition on ops.source_heads (partition);
grant select, insert, update on ops.source_heads to clarity_ingest;
grant select on ops.source_heads to clarity_system;

-- Who refines which partition. `token` grows with every new holder: a paused worker's older one is refused.
create table ops.partition_leases (
  role text not null,
  partition int not null,
  holder uuid,
  token bigint not null default 0,
  expires_at timestamptz not null default '-infinity',
  primary key (role, partition)
);
grant select, insert, update on ops.partition_leases to clarity_system;
-- A refine transaction checks its token in the same transaction.
grant select on ops.partition_leases to clarity_worker;

-- Work to be done once: rebuilds, replays, compactions asked for by people. Ids only.
create table ops.jobs (
  id uuid primary key,
  workspace_id uuid not null,
  kind text not null,
  ref_id uuid,
  state text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'failed', 'cancelled')),
  progress_done bigint not null default 0,
  progress_total bigint,
  holder uuid,
  lease_expires_at timestamptz,
  attempts int not null default 0,
  created_at timestamptz not null default now(),
  finished_at timestamptz
);
create index jobs_waiting on ops.jobs (created_at) where state in ('waiting', 'running');
grant select, insert, update on ops.jobs to clarity_system;

insert into ops.tables_outside_workspaces (table_name, reason) values
  ('ops.source_heads', 'ids and sequences that wake workers; no tenant data'),
  ('ops.partition_leases', 'which worker holds which partition; no tenant data'),
  ('ops.jobs', 'ids of work to do; no tenant data');
