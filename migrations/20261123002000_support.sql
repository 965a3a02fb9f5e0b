-- Our own people: who they are, apart from everybody else, and what they may see of a workspace after its owner said yes. Their
-- role reads nothing of a workspace without a live grant, and every read under one stands in that workspace's audit log.

-- Made by an operator's command alone. Until a password and a first code of their app were given, they are nobody.
create table auth.ops_users (
  id uuid primary key,
  email text not null unique check (email = lower(email) and length(email) <= 254),
  name text not null check (length(name) between 1 and 120),
  password_hash text,
  -- Of their authenticator app, sealed under the installation's key, bound to the person.
  totp_box bytea,
  -- The newest thirty seconds whose code was used: that code, and all before it, are spent.
  totp_step bigint not null default 0,
  enrol_hash bytea unique check (length(enrol_hash) = 32),
  enrol_expires_at timestamptz,
  enrolled_at timestamptz,
  created_at timestamptz not null default now(),
  failed_sign_ins int not null default 0,
  sign_in_blocked_until timestamptz,
  disabled_at timestamptz
);

create table auth.ops_sessions (
  token_hash bytea primary key check (length(token_hash) = 32),
  ops_user_id uuid not null references auth.ops_users (id),
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  address text not null default '',
  user_agent text not null default ''
);
create index ops_sessions_by_user on auth.ops_sessions (ops_user_id);

-- Those that have not ended: shorter than a member's, and over with whoever is disabled.
create view auth.live_ops_sessions with (security_invoker = true) as
  select s.token_hash, s.ops_user_id, u.name, u.email, s.last_seen_at
  from auth.ops_sessions s
  join auth.ops_users u on u.id = s.ops_user_id
  where s.revoked_at is null
    and s.expires_at > now()
    and s.last_seen_at > now() - interval '30 minutes'
    and u.enrolled_at is not null
    and u.disabled_at is null;

grant select, insert, update on auth.ops_users, auth.ops_sessions to clarity_auth;
grant select on auth.live_ops_sessions to clarity_auth;

-- What they did outside of workspaces: who came in, who was refused. Nobody changes an entry, nor removes one.
create table auth.ops_events (
  id uuid primary key,
  at timestamptz not null default now(),
  -- Nobody for an address that is none of ours; whose it was meant to be is not kept.
  ops_user_id uuid references auth.ops_users (id),
  act text not null check (act in ('add', 'disable', 'enrol', 'sign_in', 'sign_out')),
  outcome text not null check (outcome in ('done', 'refused')),
  address text not null default ''
);
create index ops_events_by_time on auth.ops_events (at);
grant select, insert on auth.ops_events to clarity_auth;

insert into ops.tables_outside_workspaces (table_name, reason) values
  ('auth.ops_users', 'our own people, who are in no workspace; clarity_auth only'),
  ('auth.ops_sessions', 'our own people''s, in no workspace; clarity_auth only'),
  ('auth.live_ops_sessions', 'our own people''s, in no workspace; clarity_auth only'),
  ('auth.ops_events', 'our own people''s, in no workspace; clarity_auth only');

-- Whom of our own people this transaction serves; none where the setting is no id.
create function app_ops_user() returns uuid
  language sql stable parallel safe
  as $$
    select case
      when pg_catalog.current_setting('app.ops_user', true) operator(pg_catalog.~) '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
      then pg_catalog.current_setting('app.ops_user', true)::pg_catalog.uuid
    end
  $$;
grant execute on function app_ops_user() to clarity_ops;

-- A request for access with what became of it. Who asked stands in it as they were called then. It lives from its approval to
-- ends_at, or until somebody ends it; it is never made longer.
create table support_grants (
  workspace_id uuid not null default app_workspace(),
  id uuid not null,
  ops_user_id uuid not null,
  ops_name text not null,
  ops_email text not null,
  reason text not null check (length(reason) between 1 and 500),
  minutes int not null check (minutes between 1 and 240),
  requested_at timestamptz not null default now(),
  -- Lapsed: nobody decided within a day.
  decision text check (decision in ('approved', 'refused', 'lapsed')),
  decided_at timestamptz,
  decided_by uuid,
  decided_by_name text,
  ends_at timestamptz,
  ended_at timestamptz,
  ended_by_name text,
  primary key (workspace_id, id),
  constraint support_grants_decided check ((decision is null) = (decided_at is null)),
  constraint support_grants_ends check (
    (decision is not distinct from 'approved') = (ends_at is not null)
    and (ends_at is null or ends_at <= decided_at + make_interval(mins => minutes))
  )
);
-- One open request of a person.
create unique index support_grants_open on support_grants (workspace_id, ops_user_id) where decision is null;
create index support_grants_by_time on support_grants (workspace_id, requested_at);
select protect('support_grants', 4);
-- Every member sees that somebody looks; owners decide. Nobody of a workspace makes a request.
grant select on support_grants to clarity_app;
grant update (decision, decided_at, decided_by, decided_by_name, ends_at, ended_at, ended_by_name) on support_grants to clarity_app;
-- Who asked sees what became of it.
create policy support_own on support_grants for select to clarity_ops
  using (workspace_id = (select app_workspace()) and ops_user_id = (select app_ops_user()));
grant select (workspace_id, id, ops_user_id, reason, minutes, requested_at, decision, decided_at, decided_by_name, ends_at, ended_at)
  on support_grants to clarity_ops;

-- Whether an owner of the transaction's workspace lets the transaction's person in, at this moment: not when it began. An account
-- that was made anew is not the one that was let in before.
create function ops_grant_live() returns boolean
  language sql stable security definer set search_path = pg_catalog, public
  as $$
    select exists (
      select from support_grants g
      join auth.ops_users u on u.id = g.ops_user_id
      where g.workspace_id = app_workspace()
        and g.ops_user_id = app_ops_user()
        and g.decision = 'approved'
        and g.ended_at is null
        and g.ends_at > clock_timestamp()
        and u.disabled_at is null
        and u.enrolled_at <= g.requested_at
    )
  $$;
revoke execute on function ops_grant_live() from public;
grant execute on function ops_grant_live() to clarity_ops;

-- What support sees, and no column beside it: how agents, sources and streams are, and why events could not be read. No sample,
-- no payload, no person.
create policy support_reads on agents for select to clarity_ops
  using (workspace_id = (select app_workspace()) and (select ops_grant_live()));
grant select (workspace_id, id, name, version, seen_at, connected, denied, revoked_at) on agents to clarity_ops;

-- A status has the agent's free text beside its word for how the source is: support reads the word, if it is one of ours.
alter table sources add column state text generated always as (
  case
    when status ->> 'state' in ('connecting', 'snapshot', 'streaming', 'waiting', 'paused', 'failed') then status ->> 'state'
  end
) stored;
create policy support_reads on sources for select to clarity_ops
  using (workspace_id = (select app_workspace()) and (select ops_grant_live()));
grant select (workspace_id, id, agent_id, name, kind, product, paused, state, status_at) on sources to clarity_ops;

create policy support_reads on source_cursors for select to clarity_ops
  using (workspace_id = (select app_workspace()) and (select ops_grant_live()));
grant select (workspace_id, source_id, durable_events, changed_at) on source_cursors to clarity_ops;

create policy support_reads on streams for select to clarity_ops
  using (workspace_id = (select app_workspace()) and (select ops_grant_live()));
grant select (workspace_id, id, source_id, name, events, last_event_at) on streams to clarity_ops;

create policy support_reads on dead_letters for select to clarity_ops
  using (workspace_id = (select app_workspace()) and (select ops_grant_live()));
grant select (workspace_id, source_id, stream_name, fingerprint, cause, created_at, replayed_at) on dead_letters to clarity_ops;

-- Asks for access to the transaction's workspace in the transaction's person's name, and writes that into its audit log. Their
-- name is read here: nobody asks in another's. False: a request of theirs is open already. What an account of before had asked
-- for has lapsed with it. Once a workspace's doors are closed, nobody asks there.
create function request_support(wanted uuid, wanted_reason text, wanted_minutes int, from_address text, of_request uuid)
  returns boolean
  language plpgsql security definer set search_path = pg_catalog, public
  as $$
declare
  workspace uuid := app_workspace();
  person auth.ops_users;
begin
  select u.* into person from auth.ops_users u where u.id = app_ops_user() and u.disabled_at is null;
  if workspace is null or person.id is null then
    raise exception using errcode = '42501', message = 'a request needs a workspace and a person of ours';
  end if;
  -- In order with the one who closes its doors.
  perform from auth.workspaces w where w.id = workspace for share;
  if not found or exists (select from auth.deletions d where d.workspace_id = workspace and d.begun_at is not null) then
    raise exception using errcode = '42501', message = 'this workspace is being deleted';
  end if;
  update support_grants g
  set decision = 'lapsed', decided_at = now()
  where g.workspace_id = workspace
    and g.decision is null
    and (g.requested_at < now() - interval '24 hours' or (g.ops_user_id = person.id and g.requested_at < person.enrolled_at));
  if exists (
    select from support_grants g
    where g.workspace_id = workspace and g.ops_user_id = person.id and g.decision is null
  ) then
    return false;
  end if;
  insert into support_grants (workspace_id, id, ops_user_id, ops_name, ops_email, reason, minutes)
  values (workspace, wanted, person.id, person.name, person.email, wanted_reason, wanted_minutes);
  insert into audit_entries
    (workspace_id, actor_kind, actor_id, actor_name, act, object_kind, object_id, after, address, request_id)
  values (
    workspace, 'support', person.id, person.name || ' <' || person.email || '>', 'support.request', 'support_grant',
    wanted::text, jsonb_build_object('reason', wanted_reason, 'minutes', wanted_minutes), coalesce(from_address, ''), of_request
  );
  return true;
end
$$;
revoke execute on function request_support(uuid, text, int, text, uuid) from public;
grant execute on function request_support(uuid, text, int, text, uuid) to clarity_ops;

-- Writes into the workspace's audit log what is about to be read, in the name of who reads and of who let them. No row: no grant
-- is live, and nothing was written.
create function note_support_read(what text, from_address text, of_request uuid)
  returns table (grant_id uuid, approver text, open_until timestamptz)
  language plpgsql security definer set search_path = pg_catalog, public
  as $$
declare
  workspace uuid := app_workspace();
  live support_grants;
begin
  if not ops_grant_live() then
    return;
  end if;
  select g.* into live
  from support_grants g
  join auth.ops_users u on u.id = g.ops_user_id and u.enrolled_at <= g.requested_at
  where g.workspace_id = workspace
    and g.ops_user_id = app_ops_user()
    and g.decision = 'approved'
    and g.ended_at is null
    and g.ends_at > clock_timestamp()
  order by g.ends_at desc
  limit 1;
  if live.id is null then
    return;
  end if;
  insert into audit_entries
    (workspace_id, actor_kind, actor_id, actor_name, act, object_kind, object_id, object_name, after, address, request_id)
  values (
    workspace, 'support', live.ops_user_id, live.ops_name || ' <' || live.ops_email || '>', 'support.read', 'support_grant',
    live.id::text, coalesce(what, ''),
    jsonb_build_object('approved_by', live.decided_by_name, 'reason', live.reason), coalesce(from_address, ''), of_request
  );
  grant_id := live.id;
  approver := live.decided_by_name;
  open_until := live.ends_at;
  return next;
end
$$;
revoke execute on function note_support_read(text, text, uuid) from public;
grant execute on function note_support_read(text, text, uuid) to clarity_ops;
