-- Replays of dead letters, asked for by members and carried out by a worker: all open letters of one cause in one stream.
create table replays (
  workspace_id uuid not null default app_workspace(),
  id uuid not null,
  source_id uuid not null,
  stream_name text not null,
  fingerprint text not null,
  requested_by uuid not null,
  requested_at timestamptz not null default now(),
  total bigint not null,
  -- By the worker: letters that landed, and letters that failed again.
  landed bigint not null default 0,
  failed bigint not null default 0,
  finished_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, source_id) references sources (workspace_id, id)
);
-- One at a time for a cause.
create unique index replays_running on replays (workspace_id, source_id, stream_name, fingerprint) where finished_at is null;
select protect('replays', 3);
grant select, insert on replays to clarity_app;
grant select, update on replays to clarity_worker;

-- Puts a job for the workspace of this transaction into the workers' queue: the one thing a member's transaction may do there.
-- The workspace is the transaction's own, never an argument.
create function ops.request_job(wanted_kind text, wanted_ref uuid) returns uuid
  language plpgsql security definer set search_path = pg_catalog
  as $$
declare
  made uuid := gen_random_uuid();
  workspace uuid := public.app_workspace();
begin
  if workspace is null or public.app_rank() < 3 then
    raise exception using errcode = '42501', message = 'a job needs a workspace and the rank of an admin';
  end if;
  if wanted_kind not in ('replay') then
    raise exception using errcode = '22023', message = 'unknown kind of job';
  end if;
  insert into ops.jobs (id, workspace_id, kind, ref_id) values (made, workspace, wanted_kind, wanted_ref);
  perform pg_notify('clarity_jobs', made::text);
  return made;
end
$$;
grant usage on schema ops to clarity_app;
grant execute on function ops.request_job(text, uuid) to clarity_app;
