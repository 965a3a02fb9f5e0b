-- Addresses that workspaces had before: a member who follows an old link is led on, and nobody else ever gets the address, so that
-- nobody is taken for the one who had it.

create table auth.former_slugs (
  slug text primary key check (slug ~ '^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$'),
  workspace_id uuid not null references auth.workspaces (id),
  -- When it was left last.
  left_at timestamptz not null default now()
);
create index former_slugs_by_workspace on auth.former_slugs (workspace_id);
grant select, insert, update on auth.former_slugs to clarity_auth;

-- Of a deleted workspace's old addresses a hash is kept, as of its last one, and nobody takes them for a year.
create table auth.deleted_slugs (
  slug_hash bytea primary key check (length(slug_hash) = 32),
  deleted_at timestamptz not null default now()
);
grant select on auth.deleted_slugs to clarity_auth;

insert into ops.tables_outside_workspaces (table_name, reason) values
  ('auth.former_slugs', 'read by an address, before a workspace is known; clarity_auth only'),
  ('auth.deleted_slugs', 'hashes of addresses that are nobody''s for a year; clarity_auth only');

-- As before, and notes what the old addresses were before they go with the other doors.
create or replace function begin_erasure() returns text
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
  insert into auth.deleted_slugs (slug_hash)
  select sha256(convert_to(f.slug, 'UTF8'))
  from auth.former_slugs f
  where f.workspace_id = workspace
  on conflict (slug_hash) do update set deleted_at = excluded.deleted_at;
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
