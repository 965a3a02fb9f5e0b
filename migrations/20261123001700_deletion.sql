-- Deleting a workspace: asked for by an owner, done by a worker when its time has come, and proven by a certificate of counts.
-- Until then nothing changes for anybody. Then all doors close in one transaction, and rows go in bounded batches; what has to
-- be done as the owner of the tables stands here, in functions that check everything themselves.

-- Asked for. A worker that has begun says so: from then on nobody takes it back.
create table auth.deletions (
  workspace_id uuid primary key references auth.workspaces (id),
  requested_by uuid not null references auth.users (id),
  requested_by_name text not null check (length(requested_by_name) between 1 and 400),
  requested_at timestamptz not null default now(),
  due_at timestamptz not null,
  begun_at timestamptz
);
create index deletions_by_time on auth.deletions (due_at);
grant select, insert, delete on auth.deletions to clarity_auth;

-- What is left of a workspace: the certificate. Of its name in the address only a hash is kept, so that nobody takes the name
-- for a year and is then taken for the one who had it.
create table auth.deleted_workspaces (
  workspace_id uuid primary key,
  name text not null,
  slug_hash bytea not null check (length(slug_hash) = 32),
  requested_by uuid not null,
  requested_by_name text not null,
  requested_at timestamptz not null,
  due_at timestamptz not null,
  begun_at timestamptz not null,
  finished_at timestamptz,
  -- Of the audit log's first and last entry, as they stood when the first of them went.
  first_audit_hash bytea check (length(first_audit_hash) = 32),
  last_audit_hash bytea check (length(last_audit_hash) = 32)
);
create index deleted_workspaces_by_slug on auth.deleted_workspaces (slug_hash);

-- Its counts, written with each batch.
create table auth.deleted_rows (
  workspace_id uuid not null references auth.deleted_workspaces (workspace_id),
  table_name text not null,
  rows_removed bigint not null,
  bytes_removed bigint not null,
  primary key (workspace_id, table_name)
);

-- Who is sent the certificate: the owners that the workspace had at its end. The letter is posted when the last row is gone; then
-- the address goes, and the hash of the letter's link stands here.
create table auth.certificate_links (
  id uuid primary key,
  workspace_id uuid not null references auth.deleted_workspaces (workspace_id),
  to_address text,
  token_hash bytea unique check (length(token_hash) = 32)
);
create index certificate_links_by_workspace on auth.certificate_links (workspace_id);

grant select on auth.deleted_workspaces, auth.deleted_rows to clarity_auth;
grant select, update on auth.certificate_links to clarity_auth;

insert into ops.tables_outside_workspaces (table_name, reason) values
  ('auth.deletions', 'when workspaces end, looked at for all of them; clarity_auth only'),
  ('auth.deleted_workspaces', 'proof of what is gone, there when its workspace is not; clarity_auth only'),
  ('auth.deleted_rows', 'its counts; clarity_auth only'),
  ('auth.certificate_links', 'read by a link''s hash, when the workspace is gone; clarity_auth only');

-- Every table with rows of workspaces, found in the catalogue, so that a new one cannot be forgotten, and in which turn it goes:
-- after those that refer to it, and the audit log last. The four above outlive their workspace.
create function erasable_tables() returns table (table_name text, turn int)
  language sql stable set search_path = pg_catalog
  as $$
    with recursive found as (
      select c.oid, n.nspname || '.' || c.relname as name
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attname = 'workspace_id' and not a.attisdropped
      where n.nspname in ('public', 'auth', 'ops', 'global')
        and c.relkind in ('r', 'p')
        and not c.relispartition
        and a.atttypid = 'uuid'::regtype
        and n.nspname || '.' || c.relname not in (
          'auth.deletions', 'auth.deleted_workspaces', 'auth.deleted_rows', 'auth.certificate_links'
        )
    ), waits as (
      select f.oid, 0 as turn
      from found f
      union
      select k.confrelid, w.turn + 1
      from waits w
      join pg_constraint k on k.conrelid = w.oid and k.contype = 'f' and k.confrelid <> k.conrelid
      where w.turn < 20
    )
    select f.name, max(w.turn) + case when f.name ~ '^public\.audit_' then 1000 else 0 end
    from found f
    join waits w on w.oid = f.oid
    group by f.name
    order by 2, 1
  $$;
grant execute on function erasable_tables() to clarity_worker;

-- Removes at most so many rows of a table and counts them into the certificate, in one transaction. For the functions below.
create function erase_rows(workspace uuid, wanted text, at_most int) returns table (removed bigint, freed bigint)
  language plpgsql security definer set search_path = pg_catalog, public
  as $$
begin
  if wanted = 'public.audit_entries' then
    update auth.deleted_workspaces w
    set first_audit_hash = (select e.hash from audit_entries e where e.workspace_id = workspace order by e.seq limit 1),
        last_audit_hash = (select e.hash from audit_entries e where e.workspace_id = workspace order by e.seq desc limit 1)
    where w.workspace_id = workspace
      and w.last_audit_hash is null;
  end if;
  -- In partitions a place may name a row more, of the same workspace: it goes a little earlier.
  execute format(
    'with gone as (
       delete from %1$s x
       where x.workspace_id = $1
         and x.ctid = any(array(select p.ctid from %1$s p where p.workspace_id = $1 limit $2))
       returning pg_column_size(x) as size
     )
     select count(*), coalesce(sum(size), 0)::bigint from gone',
    wanted::regclass
  ) into removed, freed using workspace, at_most;
  if removed > 0 then
    insert into auth.deleted_rows as r (workspace_id, table_name, rows_removed, bytes_removed)
    values (workspace, wanted, removed, freed)
    on conflict (workspace_id, table_name) do update
    set rows_removed = r.rows_removed + excluded.rows_removed, bytes_removed = r.bytes_removed + excluded.bytes_removed;
  end if;
  return next;
end
$$;

-- Begins what is due: writes the certificate's head, notes whom it is for, and takes away in one transaction all that leads into
-- the workspace: seats, keys, tokens, codes, what wakes workers, and whom of our own people an owner lets in. 'held' while a
-- legal hold is open; then nothing changes.
create function begin_erasure() returns text
  language plpgsql security definer set search_path = pg_catalog, public
  as $$
declare
  workspace uuid := app_workspace();
  asked auth.deletions;
  door text;
begin
  if workspace is null then
    raise exception using errcode = '22023', message = 'an erasure needs a workspace';
  end if;
  perform pg_advisory_xact_lock_shared(hashtextextended('retention ' || workspace::text, 0));
  -- In order with those who change its members.
  perform from auth.workspaces w where w.id = workspace for update;
  select d.* into asked from auth.deletions d where d.workspace_id = workspace for update;
  if not found or asked.due_at > now() then
    raise exception using errcode = '42501', message = 'no deletion of this workspace is due';
  end if;
  if asked.begun_at is not null then
    return 'begun';
  end if;
  if exists (select from legal_holds h where h.workspace_id = workspace and h.lifted_at is null) then
    return 'held';
  end if;
  insert into auth.deleted_workspaces
    (workspace_id, name, slug_hash, requested_by, requested_by_name, requested_at, due_at, begun_at)
  select w.id, w.name, sha256(convert_to(w.slug, 'UTF8')), asked.requested_by, asked.requested_by_name, asked.requested_at,
         asked.due_at, now()
  from auth.workspaces w
  where w.id = workspace;
  insert into auth.certificate_links (id, workspace_id, to_address)
  select gen_random_uuid(), workspace, u.email
  from auth.memberships m
  join auth.users u on u.id = m.user_id
  where m.workspace_id = workspace
    and m.role = 'owner';
  for door in
    select t.table_name
    from erasable_tables() t
    where t.table_name !~ '^public\.' or t.table_name = 'public.support_grants'
    order by t.turn, t.table_name
  loop
    perform from erase_rows(workspace, door, 2147483647);
  end loop;
  update auth.deletions set begun_at = now() where workspace_id = workspace;
  return 'begun';
end
$$;
grant execute on function begin_erasure() to clarity_worker;

-- Whether the erasure of this transaction's workspace has begun, or is over: nothing can hold it up any more.
create function erasure_begun() returns boolean
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select exists (select from auth.deleted_workspaces w where w.workspace_id = app_workspace()) $$;
grant execute on function erasure_begun() to clarity_app;

-- The deletion of this transaction's workspace, locked, that has begun and that nothing holds up: two workers take turns. Of a
-- workspace that is gone, whatever still turns up is nobody's, a hold too: there is nothing left to be held.
create function check_erasure() returns timestamptz
  language plpgsql security definer set search_path = pg_catalog, public
  as $$
declare
  workspace uuid := app_workspace();
  begun timestamptz;
begin
  perform pg_advisory_xact_lock_shared(hashtextextended('retention ' || workspace::text, 0));
  select d.begun_at into begun
  from auth.deletions d
  where d.workspace_id = workspace
    and d.due_at <= now()
    and d.begun_at is not null
  for update;
  if not found then
    select w.begun_at into begun
    from auth.deleted_workspaces w
    where w.workspace_id = workspace
      and w.finished_at is not null
      and not exists (select from auth.workspaces o where o.id = workspace)
    for update;
    if not found then
      raise exception using errcode = '42501', message = 'no deletion of this workspace has begun';
    end if;
    return begun;
  end if;
  if exists (select from legal_holds h where h.workspace_id = workspace and h.lifted_at is null) then
    raise exception using errcode = '42501', message = 'a legal hold is open';
  end if;
  return begun;
end
$$;

-- Removes a batch of one of `erasable_tables()`. That a deletion is due, has begun and is not held is looked at here.
create function erase_batch(wanted text, at_most int) returns table (removed bigint, freed bigint)
  language plpgsql security definer set search_path = pg_catalog, public
  as $$
begin
  perform check_erasure();
  if at_most is null or at_most not between 1 and 50000 then
    raise exception using errcode = '22023', message = 'a batch needs a bound';
  end if;
  if not exists (select from erasable_tables() t where t.table_name = wanted) then
    raise exception using errcode = '22023', message = 'no table of workspaces';
  end if;
  return query select e.removed, e.freed from erase_rows(app_workspace(), wanted, at_most) e;
end
$$;
grant execute on function erase_batch(text, int) to clarity_worker;

-- Ends it: when no table has a row of the workspace any more, and so long after its doors closed that whoever was still inside
-- has left, the workspace itself goes. False: not yet.
create function finish_erasure(settled_s int) returns boolean
  language plpgsql security definer set search_path = pg_catalog, public
  as $$
declare
  workspace uuid := app_workspace();
  begun timestamptz := check_erasure();
  one text;
  has_rows boolean;
begin
  if settled_s is null or settled_s < 0 or begun > now() - make_interval(secs => settled_s) then
    return false;
  end if;
  for one in select t.table_name from erasable_tables() t loop
    execute format('select exists (select from %s x where x.workspace_id = $1)', one::regclass) into has_rows using workspace;
    if has_rows then
      return false;
    end if;
  end loop;
  delete from auth.deletions where workspace_id = workspace;
  delete from auth.workspaces where id = workspace;
  update auth.deleted_workspaces set finished_at = now() where workspace_id = workspace and finished_at is null;
  return true;
end
$$;
grant execute on function finish_erasure(int) to clarity_worker;

-- Which workspaces' time has come, for the worker that then works in each of them.
create function auth.list_due_deletions() returns table (workspace_id uuid)
  language sql stable security definer set search_path = pg_catalog, auth
  as $$ select d.workspace_id from auth.deletions d where d.due_at <= now() order by d.due_at limit 100 $$;
grant execute on function auth.list_due_deletions() to clarity_system;

-- Which are gone since a day: a worker that was in one for longer than its end took may have written a line of its own work.
create function auth.list_just_deleted() returns table (workspace_id uuid)
  language sql stable security definer set search_path = pg_catalog, auth
  as $$
    select w.workspace_id
    from auth.deleted_workspaces w
    where w.finished_at > now() - interval '1 day'
    order by w.finished_at, w.workspace_id
  $$;
grant execute on function auth.list_just_deleted() to clarity_system;

-- The bodies of bronze, byte for byte, for the export that an owner takes away: nobody else among members reads a payload.
create function export_bronze(after_source uuid, after_epoch int, after_seq bigint, at_most int)
  returns table (source_id uuid, epoch int, first_seq bigint, event_count int, received_at timestamptz, hash bytea, body bytea)
  language plpgsql stable security definer set search_path = pg_catalog, public
  as $$
begin
  if app_workspace() is null or session_user <> 'clarity_app' or app_rank() < 4 then
    raise exception using errcode = '42501', message = 'an export needs a workspace and the rank of an owner';
  end if;
  if at_most is null or at_most not between 1 and 100 then
    raise exception using errcode = '22023', message = 'a piece needs a bound';
  end if;
  return query
    select b.source_id, b.epoch, b.first_seq, b.event_count, b.received_at, b.hash, b.body
    from bronze_segments b
    where b.workspace_id = app_workspace()
      and (after_source is null or (b.source_id, b.epoch, b.first_seq) > (after_source, after_epoch, after_seq))
    order by b.source_id, b.epoch, b.first_seq
    limit at_most;
end
$$;
grant execute on function export_bronze(uuid, int, bigint, int) to clarity_app;
