-- The plant, its agents and sources: tenant tables that people and workers both touch.

create table sites (
  workspace_id uuid not null default app_workspace(),
  id uuid not null,
  name text not null,
  time_zone text not null default 'UTC',
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, name)
);
select protect('sites', 3);
grant select, insert, update on sites to clarity_app, clarity_worker;
grant delete on sites to clarity_app;

-- `number` is small and dense in a workspace: it is what chunks carry instead of the id.
create table assets (
  workspace_id uuid not null default app_workspace(),
  id uuid not null,
  number int not null check (number > 0),
  -- As the sources write it, e.g. ENG-001.
  key text not null,
  name text not null,
  line text not null default '',
  model text not null default '',
  site_id uuid,
  attributes jsonb not null default '{}',
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, key),
  unique (workspace_id, number),
  foreign key (workspace_id, site_id) references sites (workspace_id, id)
);
select protect('assets', 3);
grant select, insert, update on assets to clarity_app, clarity_worker;

create table agents (
  workspace_id uuid not null default app_workspace(),
  id uuid not null,
  name text not null,
  hostname text not null default '',
  version text not null default '',
  fingerprint text not null default '',
  created_at timestamptz not null default now(),
  -- Moved at most every few seconds while a connection is open.
  seen_at timestamptz,
  connected boolean not null default false,
  -- The agent's clock minus ours.
  clock_skew_us bigint not null default 0,
  address text not null default '',
  -- The last thing we told it that it must not ignore, e.g. that its key was copied.
  denied text,
  revoked_at timestamptz,
  primary key (workspace_id, id)
);
select protect('agents', 3);
grant select, insert, update on agents to clarity_app, clarity_ingest;
grant select on agents to clarity_worker;

create table sources (
  workspace_id uuid not null default app_workspace(),
  id uuid not null,
  agent_id uuid not null,
  -- The agent's name for it, unique on the agent.
  name text not null,
  kind text not null,
  product text not null default '',
  created_at timestamptz not null default now(),
  -- Hash partition that a worker leases.
  partition int not null,
  paused boolean not null default false,
  -- wire::frame::SourceStatus as last received, and when.
  status jsonb not null default '{}',
  status_at timestamptz,
  primary key (workspace_id, id),
  unique (workspace_id, agent_id, name),
  foreign key (workspace_id, agent_id) references agents (workspace_id, id)
);
select protect('sources', 3);
grant select, insert, update on sources to clarity_ingest;
grant select on sources to clarity_worker;
grant select, update on sources to clarity_app;

create table streams (
  workspace_id uuid not null default app_workspace(),
  id uuid not null,
  source_id uuid not null,
  -- schema.table, topic or subject.
  name text not null,
  -- wire::body::StreamSchema as last seen.
  schema jsonb not null,
  first_seen_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  events bigint not null default 0,
  deletes_kept bigint not null default 0,
  last_event_at timestamptz,
  snapshot_rows bigint,
  snapshot_done_at timestamptz,
  -- Transaction of the last truncate: it beats rows of snapshot chunks that could not see it. 0: none.
  truncated_xid bigint not null default 0,
  primary key (workspace_id, id),
  unique (workspace_id, source_id, name),
  foreign key (workspace_id, source_id) references sources (workspace_id, id)
);
select protect('streams', 3);
grant select, insert, update on streams to clarity_worker;
grant select on streams to clarity_app;

-- How a stream is read. A row is never changed: an edit is a new version with the sequence from which it holds.
create table mappings (
  workspace_id uuid not null default app_workspace(),
  id uuid not null,
  stream_id uuid not null,
  version int not null check (version > 0),
  from_epoch int not null,
  from_seq bigint not null,
  -- clarity_domain::mapping::MappingSpec
  spec jsonb not null,
  created_at timestamptz not null default now(),
  -- Null: inferred.
  created_by uuid,
  primary key (workspace_id, id),
  unique (workspace_id, stream_id, version),
  foreign key (workspace_id, stream_id) references streams (workspace_id, id)
);
select protect('mappings', 3);
grant select, insert on mappings to clarity_worker, clarity_app;

-- What is measured. `number` is what chunks carry as the field id.
create table metrics (
  workspace_id uuid not null default app_workspace(),
  id uuid not null,
  number int not null check (number > 0),
  stream_id uuid not null,
  column_name text not null,
  name text not null,
  unit text not null default '',
  sample_type text not null check (sample_type in ('float', 'integer', 'boolean', 'text', 'time')),
  -- Fields that no mapping names, kept as typed extras.
  extra boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, number),
  unique (workspace_id, stream_id, column_name, sample_type),
  foreign key (workspace_id, stream_id) references streams (workspace_id, id)
);
select protect('metrics', 3);
grant select, insert, update on metrics to clarity_worker, clarity_app;
