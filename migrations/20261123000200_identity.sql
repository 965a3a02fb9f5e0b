-- Who may enter. Schema auth is for clarity_auth alone: it is read before a workspace is known, so it stands outside RLS, and
-- the functions at the end are the only way from a secret's hash to a scope: exact match, one row, pinned search path.

create table auth.users (
  id uuid primary key,
  email text not null unique check (email = lower(email) and length(email) <= 254),
  name text not null check (length(name) between 1 and 120),
  password_hash text not null,
  created_at timestamptz not null default now(),
  email_verified_at timestamptz,
  failed_sign_ins int not null default 0,
  sign_in_blocked_until timestamptz
);

create table auth.workspaces (
  id uuid primary key,
  slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$'),
  name text not null check (length(name) between 1 and 120),
  time_zone text not null default 'UTC',
  created_at timestamptz not null default now()
);

create table auth.memberships (
  workspace_id uuid not null references auth.workspaces (id),
  user_id uuid not null references auth.users (id),
  role text not null check (role in ('owner', 'admin', 'operator', 'viewer')),
  created_at timestamptz not null default now(),
  primary key (workspace_id, user_id)
);
create index memberships_by_user on auth.memberships (user_id);

create table auth.sessions (
  token_hash bytea primary key check (length(token_hash) = 32),
  id uuid not null unique,
  user_id uuid not null references auth.users (id),
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  address text not null default '',
  user_agent text not null default ''
);
create index sessions_by_user on auth.sessions (user_id);

-- Those that have not ended: the one place that says when a session does.
create view auth.live_sessions with (security_invoker = true) as
  select * from auth.sessions
  where revoked_at is null
    and expires_at > now()
    and last_seen_at > now() - interval '12 hours';

create table auth.agent_keys (
  agent_id uuid primary key,
  workspace_id uuid not null references auth.workspaces (id),
  public_key bytea not null unique check (length(public_key) = 32),
  -- Rotates with every Welcome: an agent that shows an older one is a clone. `offered` was sent and becomes `generation` when the
  -- agent speaks again, so that a Welcome lost on the way locks nobody out.
  generation bigint not null default 0,
  offered bigint not null default 0,
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);
create index agent_keys_by_workspace on auth.agent_keys (workspace_id);

-- A one-time code is four characters that find the row and four that prove it: five wrong proofs end it.
create table auth.pairings (
  id uuid primary key,
  workspace_id uuid not null references auth.workspaces (id),
  agent_name text not null check (length(agent_name) between 1 and 80),
  locator text not null check (length(locator) = 4),
  secret_hash bytea not null check (length(secret_hash) = 32),
  created_by uuid not null references auth.users (id),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  attempts int not null default 0,
  claimed_at timestamptz,
  agent_id uuid,
  public_key bytea check (length(public_key) = 32),
  hostname text,
  address text,
  agent_version text,
  approved_at timestamptz,
  approved_by uuid references auth.users (id),
  refused_at timestamptz
);
-- Locators are given anew once a pairing has ended; the service picks one that no open pairing has.
create index pairings_by_locator on auth.pairings (locator, created_at desc);
create index pairings_by_workspace on auth.pairings (workspace_id, created_at desc);

grant select, insert, update on
  auth.users, auth.workspaces, auth.memberships, auth.sessions, auth.agent_keys, auth.pairings to clarity_auth;
grant delete on auth.sessions, auth.memberships to clarity_auth;
grant select on auth.live_sessions to clarity_auth;

insert into ops.tables_outside_workspaces (table_name, reason)
select 'auth.' || t, 'read before a workspace is known; clarity_auth only'
from unnest(array['users', 'workspaces', 'memberships', 'sessions', 'live_sessions', 'agent_keys', 'pairings']) t;

-- A live session's member of one workspace, or of none when the slug is not theirs.
create function auth.resolve_session(session_hash bytea, workspace_slug text)
  returns table (user_id uuid, workspace_id uuid, slug text, workspace_name text, time_zone text, role text)
  language sql stable security definer set search_path = pg_catalog, auth
  as $$
    select s.user_id, w.id, w.slug, w.name, w.time_zone, m.role
    from auth.live_sessions s
    join auth.memberships m on m.user_id = s.user_id
    join auth.workspaces w on w.id = m.workspace_id
    where s.token_hash = session_hash
      and w.slug = workspace_slug
    limit 1
  $$;

-- The workspace of an agent's key, with the key itself so that the challenge can be checked.
create function auth.resolve_agent(wanted uuid)
  returns table (agent_id uuid, workspace_id uuid, public_key bytea, generation bigint, offered bigint, revoked boolean)
  language sql stable security definer set search_path = pg_catalog, auth
  as $$
    select k.agent_id, k.workspace_id, k.public_key, k.generation, k.offered, k.revoked_at is not null
    from auth.agent_keys k
    where k.agent_id = wanted
    limit 1
  $$;

grant execute on function auth.resolve_session(bytea, text), auth.resolve_agent(uuid) to clarity_auth;

-- For jobs that an operator of the platform starts on its machine (rebuild, verify, replay), by the workspace's slug.
create function auth.workspace_by_slug(wanted text) returns uuid
  language sql stable security definer set search_path = pg_catalog, auth
  as $$ select w.id from auth.workspaces w where w.slug = wanted limit 1 $$;
grant usage on schema auth to clarity_system;
grant execute on function auth.workspace_by_slug(text) to clarity_system;
