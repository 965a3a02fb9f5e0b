-- Members who are limited to sites. Operators and viewers alone: whoever administers a workspace administers all of it. A limited
-- member sees the machines of their sites and what is measured of them; what cannot be told by machine they do not see at all.

-- Null: every site. A list holds ids of `sites`, which this schema does not see: one that is gone, or never was, opens nothing.
alter table auth.memberships add column sites uuid[];
alter table auth.memberships add constraint sites_are_for_lower_roles check (sites is null or role in ('operator', 'viewer'));
alter table auth.memberships add constraint sites_are_told
  check (cardinality(sites) <= 200 and array_position(sites, null) is null);
-- What the membership will have.
alter table auth.invitations add column sites uuid[];
alter table auth.invitations add constraint invited_sites_are_for_lower_roles check (sites is null or role in ('operator', 'viewer'));
alter table auth.invitations add constraint invited_sites_are_told
  check (cardinality(sites) <= 200 and array_position(sites, null) is null);

-- Whether the member of this transaction sees every site. Nothing said is a no.
create function app_every_site() returns boolean
  language sql stable parallel safe
  as $$ select coalesce(pg_catalog.current_setting('app.sites', true) operator(pg_catalog.=) '*', false) $$;

-- The sites that they see otherwise; none where the setting is no list of ids.
create function app_sites() returns uuid[]
  language sql stable parallel safe
  as $$
    select case
      when pg_catalog.current_setting('app.sites', true)
           operator(pg_catalog.~) '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(,[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})*$'
      then pg_catalog.string_to_array(pg_catalog.current_setting('app.sites', true), ',')::pg_catalog.uuid[]
      else '{}'::pg_catalog.uuid[]
    end
  $$;
grant execute on function app_every_site(), app_sites() to clarity_app;

-- Beside the boundary, restrictive as it is: no permissive policy opens what these shut. For members alone, since workers and
-- ingest act for nobody. `every site` comes first, so that whoever is not limited pays for nothing behind it.
create policy member_sites on sites as restrictive for all to clarity_app
  using ((select app_every_site()) or id = any ((select app_sites())::uuid[]));
create policy member_sites on assets as restrictive for all to clarity_app
  using ((select app_every_site()) or site_id = any ((select app_sites())::uuid[]));

-- What is a machine's: by the machines that are seen, which the policy of `assets` says.
create policy member_sites on latest_samples as restrictive for all to clarity_app
  using ((select app_every_site())
         or asset_number in (select a.number from assets a where a.workspace_id = (select app_workspace())));
create policy member_sites on rollups as restrictive for all to clarity_app
  using ((select app_every_site())
         or asset_number in (select a.number from assets a where a.workspace_id = (select app_workspace())));
create policy member_sites on state_intervals as restrictive for all to clarity_app
  using ((select app_every_site())
         or asset_number in (select a.number from assets a where a.workspace_id = (select app_workspace())));
create policy member_sites on dirty_marks as restrictive for all to clarity_app
  using ((select app_every_site())
         or asset_number in (select a.number from assets a where a.workspace_id = (select app_workspace())));
-- A hot chunk holds several machines (its own number is 0, which is no machine's): one with a row of theirs is read, and whoever
-- reads it takes the rows of the machines that they asked for. One that does not say whose rows it has is not shown.
create policy member_sites on sample_chunks as restrictive for all to clarity_app
  using ((select app_every_site())
         or asset_number in (select a.number from assets a where a.workspace_id = (select app_workspace()))
         or asset_numbers && (select array_agg(a.number) from assets a where a.workspace_id = (select app_workspace())));

-- Rows of a source that belong to no machine that we know of.
create policy member_sites on records as restrictive for all to clarity_app using ((select app_every_site()));
create policy member_sites on record_extras as restrictive for all to clarity_app using ((select app_every_site()));
create policy member_sites on dead_letters as restrictive for all to clarity_app using ((select app_every_site()));
create policy member_sites on replays as restrictive for all to clarity_app using ((select app_every_site()));
