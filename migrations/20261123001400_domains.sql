-- Domains that a workspace says are its own. One counts once a text with its token was found in its DNS, which only who runs the
-- domain can put there. Two workspaces may have shown the same one: a company may have two.

create table workspace_domains (
  workspace_id uuid not null default app_workspace(),
  id uuid not null,
  -- In ASCII. What a domain is, is said in clarity_domain::domains.
  domain text not null check (domain ~ '^[a-z0-9.-]{4,230}$'),
  -- It stands in public DNS: no secret.
  token text not null check (length(token) between 1 and 64),
  added_by uuid not null,
  added_at timestamptz not null default now(),
  verified_at timestamptz,
  last_checked_at timestamptz,
  -- Of the last check; null when the text was found.
  last_problem text check (last_problem in ('nothing', 'other', 'failed', 'slow')),
  last_found text check (length(last_found) <= 300),
  primary key (workspace_id, id),
  constraint workspace_domains_once unique (workspace_id, domain)
);
select protect('workspace_domains', 4);
grant select, insert, delete on workspace_domains to clarity_app;
grant update (verified_at, last_checked_at, last_problem, last_found) on workspace_domains to clarity_app;
