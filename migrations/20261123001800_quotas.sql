-- What a workspace's plan is, and what it has used of it. The plan is the platform's operator's to say: only the owner of the
-- tables writes it, by `clarity-server set-plan`. What was used is counted where it becomes certain, in the same transaction.

-- A workspace without a row has the plan that the installation gives to all.
create table workspace_plans (
  workspace_id uuid not null default app_workspace(),
  plan text not null check (plan in ('unlimited', 'trial', 'standard', 'enterprise')),
  -- clarity_domain::plan::Agreed: limits that differ from the plan's; null is none.
  agreed jsonb not null default '{}' check (jsonb_typeof(agreed) = 'object'),
  set_at timestamptz not null default now(),
  primary key (workspace_id)
);
select protect('workspace_plans', 4);
grant select on workspace_plans to clarity_app, clarity_ingest;

-- What had become durable of a source before its first segment of a day (UTC). `source_cursors` counts on for ever, so a day's
-- use is the next day's row less this one, or the cursor less the last row: exact, whatever retention removes, and a row a day
-- is all that it costs.
create table usage_openings (
  workspace_id uuid not null default app_workspace(),
  source_id uuid not null,
  day date not null,
  events_before bigint not null,
  bytes_before bigint not null,
  primary key (workspace_id, source_id, day),
  foreign key (workspace_id, source_id) references sources (workspace_id, id)
);
select protect('usage_openings', 4);
grant select, insert on usage_openings to clarity_ingest;
grant select on usage_openings to clarity_app;

-- Files that members took away, a row a day (UTC).
create table export_days (
  workspace_id uuid not null default app_workspace(),
  day date not null default (now() at time zone 'utc')::date,
  exports int not null default 1 check (exports > 0),
  primary key (workspace_id, day)
);
select protect('export_days', 2);
grant select, insert, update on export_days to clarity_app;

-- That a limit of the month has come near, was reached, or is passed: each is said once.
create table usage_notices (
  workspace_id uuid not null default app_workspace(),
  month date not null,
  what text not null check (what in ('events_per_month', 'bytes_per_month')),
  -- Per cent.
  share int not null check (share in (80, 100, 120)),
  noticed_at timestamptz not null default now(),
  primary key (workspace_id, month, what, share)
);
select protect('usage_notices', 4);
grant select, insert on usage_notices to clarity_ingest;
grant select on usage_notices to clarity_app;

-- Since when agents have to wait for the plan's rate, and when one last did: it is over when that is a minute ago.
create table slowdowns (
  workspace_id uuid not null default app_workspace(),
  since timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  primary key (workspace_id)
);
select protect('slowdowns', 4);
grant select, insert, update on slowdowns to clarity_ingest;
grant select on slowdowns to clarity_app;
