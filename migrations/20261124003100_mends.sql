-- Links that stop a change of e-mail address, each in a row of its own: whoever asks again, or takes back and asks again, does
-- not put out the link that the old mailbox has already.

create table auth.email_stops (
  stop_hash bytea primary key check (length(stop_hash) = 32),
  user_id uuid not null references auth.users (id),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index email_stops_by_user on auth.email_stops (user_id);
create index email_stops_by_expiry on auth.email_stops (expires_at);

-- Gone when a change was made (the mailbox is not the person's any more), when one was stopped, and when they are over.
grant select, insert, delete on auth.email_stops to clarity_auth;

insert into ops.tables_outside_workspaces (table_name, reason) values
  ('auth.email_stops', 'a person''s, not a workspace''s; clarity_auth only');

alter table auth.email_changes drop column stop_hash;
