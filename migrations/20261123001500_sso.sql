-- Single sign-on: a workspace's own identity provider (OpenID Connect). It is asked before anybody is known, so its tables stand in
-- schema auth, for clarity_auth alone. Everything is keyed by the workspace: what a provider says counts in its own workspace and
-- nowhere else.

create table auth.sso_connections (
  id uuid primary key,
  workspace_id uuid not null unique references auth.workspaces (id),
  -- As the provider writes itself, to the last slash.
  issuer text not null check (length(issuer) between 1 and 500),
  client_id text not null check (length(client_id) between 1 and 300),
  -- Sealed under the installation's key, bound to the workspace.
  client_secret_box bytea not null,
  -- Nobody comes in as an owner.
  default_role text not null check (default_role in ('admin', 'operator', 'viewer')),
  enabled boolean not null default false,
  -- Of members whose sessions did not come by it, none has a seat here but owners who are marked for it.
  required boolean not null default false check (enabled or not required),
  -- What the last test found, for the page; no token in it.
  test_found jsonb,
  -- When an owner last came back from it as themselves.
  tested_at timestamptz,
  created_by uuid not null references auth.users (id),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- Who a provider's subject is here. Never found by an e-mail address.
create table auth.sso_identities (
  workspace_id uuid not null references auth.workspaces (id),
  issuer text not null check (length(issuer) <= 500),
  subject text not null check (length(subject) between 1 and 255),
  user_id uuid not null references auth.users (id),
  linked_at timestamptz not null default now(),
  last_used_at timestamptz,
  primary key (workspace_id, issuer, subject)
);
create index sso_identities_by_user on auth.sso_identities (user_id, workspace_id);

-- One way to a provider and back, or the minutes in which somebody shows that an account is theirs. Each is used once, in the
-- browser that began it.
create table auth.sso_attempts (
  -- Of what the provider gives back, or of the cookie for `link`.
  state_hash bytea primary key check (length(state_hash) = 32),
  workspace_id uuid not null references auth.workspaces (id),
  purpose text not null check (purpose in ('sign_in', 'test', 'link')),
  -- Where it was begun: nobody takes the place of others by beginning often.
  network text not null check (length(network) <= 40),
  issuer text not null,
  -- Of a cookie that only the browser has.
  browser_hash bytea not null check (length(browser_hash) = 32),
  nonce_hash bytea check (length(nonce_hash) = 32),
  verifier_box bytea,
  -- Asked to sign in at the provider anew, to confirm that it is them.
  again boolean not null default false,
  -- A page of ours to go on to.
  next text check (length(next) <= 2000),
  -- The owner who tests, or whose account is to be linked.
  user_id uuid references auth.users (id),
  -- For `link`: whom the provider named.
  subject text check (length(subject) between 1 and 255),
  -- For `link`: the provider has verified the address, and its domain was the workspace's.
  vouched boolean not null default false,
  tries int not null default 0,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  consumed_at timestamptz
);
create index sso_attempts_by_expiry on auth.sso_attempts (expires_at);
create index sso_attempts_by_workspace on auth.sso_attempts (workspace_id, created_at);

-- Whoever was taken out of a workspace, or left it: its provider does not bring them back, whomever it knows them as. An
-- invitation does, and takes the mark away.
create table auth.removed_members (
  workspace_id uuid not null references auth.workspaces (id),
  user_id uuid not null references auth.users (id),
  removed_at timestamptz not null default now(),
  primary key (workspace_id, user_id)
);

-- A session that a provider vouched for is one of that workspace only.
alter table auth.sessions add column sso_workspace_id uuid references auth.workspaces (id) on delete cascade;
-- An owner who may come in by password though single sign-on is required.
alter table auth.memberships add column break_glass boolean not null default false;
alter table auth.memberships add constraint break_glass_is_for_owners check (not break_glass or role = 'owner');

grant select, insert, update, delete on auth.sso_connections, auth.sso_identities, auth.sso_attempts to clarity_auth;
grant select, insert, delete on auth.removed_members to clarity_auth;

insert into ops.tables_outside_workspaces (table_name, reason) values
  ('auth.sso_connections', 'asked before anybody is known; clarity_auth only'),
  ('auth.sso_identities', 'read before a session is made; clarity_auth only'),
  ('auth.sso_attempts', 'before there is a session; clarity_auth only'),
  ('auth.removed_members', 'asked before a session is made; clarity_auth only');

-- Again, for the new column.
create or replace view auth.live_sessions with (security_invoker = true) as
  select * from auth.sessions
  where revoked_at is null
    and expires_at > now()
    and last_seen_at > now() - interval '12 hours';

-- As before; a session of a provider has a seat in its workspace alone, while that provider is asked, and is as good as one with a
-- second factor there: the provider is the workspace's own.
drop function auth.resolve_session(bytea, text);
create function auth.resolve_session(session_hash bytea, workspace_slug text)
  returns table (user_id uuid, workspace_id uuid, slug text, workspace_name text, time_zone text, role text,
                 second_factor_required boolean, second_factor boolean, confirmed_at timestamptz,
                 sso_required boolean, break_glass boolean, by_sso boolean)
  language sql stable security definer set search_path = pg_catalog, auth
  as $$
    select s.user_id, w.id, w.slug, w.name, w.time_zone, m.role,
           w.second_factor_required, s.second_factor_at is not null or s.sso_workspace_id is not null, s.confirmed_at,
           coalesce(c.required, false), m.break_glass, s.sso_workspace_id is not null
    from auth.live_sessions s
    join auth.memberships m on m.user_id = s.user_id
    join auth.workspaces w on w.id = m.workspace_id
    left join auth.sso_connections c on c.workspace_id = w.id
    where s.token_hash = session_hash
      and w.slug = workspace_slug
      and (s.sso_workspace_id is null or (s.sso_workspace_id = w.id and c.enabled))
    limit 1
  $$;
revoke execute on function auth.resolve_session(bytea, text) from public;
grant execute on function auth.resolve_session(bytea, text) to clarity_auth;
