-- Setting a workspace up: where it is, its first site, its people, its first source. Each step can be done, skipped and come
-- back to; what was said of it stands here.

-- A word for people, e.g. "Northern Europe". Nothing depends on it.
alter table auth.workspaces add column region text not null default '' check (length(region) <= 60);

-- A step without a row is open. `reminder` skipped: the Overview does not name the set-up any more. `sample` skipped: the sample
-- data of a workspace without an event is hidden.
create table set_up_steps (
  workspace_id uuid not null default app_workspace(),
  step text not null check (step in ('place', 'site', 'colleagues', 'source', 'reminder', 'sample')),
  outcome text not null check (outcome in ('done', 'skipped')),
  said_by uuid not null,
  said_at timestamptz not null default now(),
  primary key (workspace_id, step)
);
select protect('set_up_steps', 3);
grant select, insert, update on set_up_steps to clarity_app;
