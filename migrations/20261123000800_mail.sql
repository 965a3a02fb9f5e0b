-- Letters on their way: written in the transaction of what they tell of, and sent by the server once that is committed (an
-- outbox). Their bodies hold links that let the bearer in, so both are emptied when a letter has been sent or given up.
create table auth.mails (
  id uuid primary key,
  -- The letter's name, for support: what it was, never what it said.
  kind text not null,
  to_address text not null check (length(to_address) <= 254),
  subject text not null,
  body_text text not null,
  body_html text not null,
  created_at timestamptz not null default now(),
  -- Moved ahead by whoever takes the letter, so that two servers do not send it at once; 'infinity': never sent, but kept for
  -- the page of a server that has no mail server.
  next_attempt_at timestamptz not null default now(),
  attempts int not null default 0,
  sent_at timestamptz,
  gave_up_at timestamptz,
  -- A code, never the mail server's own words: they may repeat the address.
  last_error text
);
create index mails_due on auth.mails (next_attempt_at) where sent_at is null and gave_up_at is null;
create index mails_by_time on auth.mails (created_at desc, id desc);

grant select, insert, update, delete on auth.mails to clarity_auth;

insert into ops.tables_outside_workspaces (table_name, reason)
values ('auth.mails', 'letters to people, some of whom have no workspace yet; clarity_auth only');
