-- Rewriting history: the agents' masking policies applied to what is kept already. Bronze is nobody's to change; for this it is
-- changed by one function, which looks itself whether a rewrite of that workspace is running and no hold is open.

create table rewrites (
  workspace_id uuid not null default app_workspace(),
  id uuid not null,
  requested_by uuid not null,
  requested_at timestamptz not null default now(),
  -- clarity_domain::masking::MaskPolicy of agents, as they were when it was asked for.
  policies jsonb not null,
  -- Of hashes: made when it begins, thrown away when it ends, so that nobody can try values afterwards. Members never read it.
  hash_key bytea check (length(hash_key) = 32),
  segments_total bigint,
  segments_done bigint not null default 0,
  values_masked bigint not null default 0,
  letters_changed bigint not null default 0,
  finished_at timestamptz,
  -- Why it ended before its end, in words.
  stopped text,
  primary key (workspace_id, id)
);
-- One at a time.
create unique index rewrites_running on rewrites (workspace_id) where finished_at is null;
select protect('rewrites', 3);
grant select (workspace_id, id, requested_by, requested_at, policies, segments_total, segments_done, values_masked,
              letters_changed, finished_at, stopped) on rewrites to clarity_app;
grant insert (workspace_id, id, requested_by, policies) on rewrites to clarity_app;
grant select on rewrites to clarity_worker;
grant update (hash_key, segments_total, segments_done, values_masked, letters_changed, finished_at, stopped) on rewrites
  to clarity_worker;

-- How far a rewrite is with each source, and where it ends there: what comes later is masked by its agent.
create table rewrite_sources (
  workspace_id uuid not null default app_workspace(),
  rewrite_id uuid not null,
  source_id uuid not null,
  at_epoch int not null default 1,
  at_seq bigint not null default 1,
  end_epoch int not null,
  end_seq bigint not null,
  -- When the read models were made anew.
  models_at timestamptz,
  primary key (workspace_id, rewrite_id, source_id),
  foreign key (workspace_id, rewrite_id) references rewrites (workspace_id, id),
  foreign key (workspace_id, source_id) references sources (workspace_id, id)
);
select protect('rewrite_sources', 4);
grant select, insert, update on rewrite_sources to clarity_worker;
grant select on rewrite_sources to clarity_app;

-- The rewrite that a segment's body and hash are of. Null: as received.
alter table bronze_segments add column rewritten_by uuid;

-- Changes segments of one source and epoch; gives how many. A body that is null stays, and so does its size.
create function ops.rewrite_segments(
  running uuid, of_source uuid, of_epoch int, seqs bigint[], hashes bytea[], bodies bytea[], sizes int[]
) returns int
  language plpgsql security definer set search_path = pg_catalog, public
  as $$
declare
  workspace uuid := app_workspace();
  changed int;
begin
  if workspace is null then
    raise exception using errcode = '42501', message = 'a rewrite needs a workspace';
  end if;
  perform pg_advisory_xact_lock_shared(hashtextextended('retention ' || workspace::text, 0));
  if exists (select from legal_holds h where h.workspace_id = workspace and h.lifted_at is null) then
    raise exception using errcode = '42501', message = 'a legal hold is open';
  end if;
  if not exists (select from rewrites r where r.workspace_id = workspace and r.id = running and r.finished_at is null) then
    raise exception using errcode = '42501', message = 'no rewrite is running';
  end if;
  update bronze_segments b
  set hash = n.hash, body = coalesce(n.body, b.body), raw_bytes = coalesce(n.size, b.raw_bytes), rewritten_by = running
  from unnest(seqs, hashes, bodies, sizes) as n (first_seq, hash, body, size)
  where b.workspace_id = workspace and b.source_id = of_source and b.epoch = of_epoch and b.first_seq = n.first_seq;
  get diagnostics changed = row_count;
  return changed;
end
$$;
grant execute on function ops.rewrite_segments(uuid, uuid, int, bigint[], bytea[], bytea[], int[]) to clarity_worker;

-- Puts a rewrite that was asked for into the workers' queue, as ops.request_job does with replays.
create function ops.request_rewrite(wanted uuid) returns uuid
  language plpgsql security definer set search_path = pg_catalog, public
  as $$
declare
  made uuid := gen_random_uuid();
  workspace uuid := app_workspace();
begin
  if workspace is null or app_rank() < 3 then
    raise exception using errcode = '42501', message = 'a rewrite needs a workspace and the rank of an admin';
  end if;
  if not exists (select from rewrites r where r.workspace_id = workspace and r.id = wanted and r.finished_at is null) then
    raise exception using errcode = '22023', message = 'there is no such rewrite';
  end if;
  insert into ops.jobs (id, workspace_id, kind, ref_id) values (made, workspace, 'rewrite', wanted);
  return made;
end
$$;
grant execute on function ops.request_rewrite(uuid) to clarity_app;
