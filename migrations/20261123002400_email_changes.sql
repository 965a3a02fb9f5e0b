-- Another e-mail address for somebody who has an account: it waits until the link of the letter to it is used, by its person,
-- signed in. The letter to the old address has a link of its own, which stops it. Of both only the hash of the secret is kept.

create table auth.email_changes (
  -- One at a time: a new one takes the place of the one before, whose links are dead.
  user_id uuid primary key references auth.users (id),
  -- Kept as well when an account has it already: then nobody knows the link, and the page looks the same.
  email text not null check (email = lower(email) and length(email) <= 254),
  token_hash bytea not null unique check (length(token_hash) = 32),
  stop_hash bytea not null unique check (length(stop_hash) = 32),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index email_changes_by_expiry on auth.email_changes (expires_at);

-- A change that was made, stopped or is over is removed: it is as unknown as one that never was.
grant select, insert, update, delete on auth.email_changes to clarity_auth;

insert into ops.tables_outside_workspaces (table_name, reason) values
  ('auth.email_changes', 'a person''s, not a workspace''s; clarity_auth only');
