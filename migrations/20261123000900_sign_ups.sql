-- Links that were sent by mail: to make an account, and to choose a new password. Of a link only the hash of its secret is kept;
-- whoever opens it reads that mailbox, and that is all it proves.

create table auth.sign_ups (
  token_hash bytea primary key check (length(token_hash) = 32),
  email text not null check (email = lower(email) and length(email) <= 254),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index sign_ups_by_email on auth.sign_ups (email);
create index sign_ups_by_expiry on auth.sign_ups (expires_at);

create table auth.password_resets (
  token_hash bytea primary key check (length(token_hash) = 32),
  user_id uuid not null references auth.users (id),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index password_resets_by_user on auth.password_resets (user_id);
create index password_resets_by_expiry on auth.password_resets (expires_at);

-- A link that was used is removed: it is as unknown as one that never was.
grant select, insert, delete on auth.sign_ups, auth.password_resets to clarity_auth;

insert into ops.tables_outside_workspaces (table_name, reason) values
  ('auth.sign_ups', 'before there is a person or a workspace; clarity_auth only'),
  ('auth.password_resets', 'a person''s, not a workspace''s; clarity_auth only');
