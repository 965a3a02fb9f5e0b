-- The machines of a limited member's sites are asked for by a function, where policies had the query itself: a statement opens
-- every table that its plan names, looked at or not, so whoever sees every site paid for `assets` with each table they read.

-- The numbers of the machines that the member of this transaction sees, which the policies of `assets` say. Not in SQL: that
-- would be put into the plan again.
create function app_machines() returns setof int
  language plpgsql stable parallel safe
  as $$
  begin
    return query
      select a.number from public.assets a where a.workspace_id operator(pg_catalog.=) (select public.app_workspace());
  end
  $$;
grant execute on function app_machines() to clarity_app;

alter policy member_sites on latest_samples
  using ((select app_every_site()) or asset_number in (select m.number from app_machines() m(number)));
alter policy member_sites on rollups
  using ((select app_every_site()) or asset_number in (select m.number from app_machines() m(number)));
alter policy member_sites on state_intervals
  using ((select app_every_site()) or asset_number in (select m.number from app_machines() m(number)));
alter policy member_sites on dirty_marks
  using ((select app_every_site()) or asset_number in (select m.number from app_machines() m(number)));
alter policy member_sites on sample_chunks
  using ((select app_every_site())
         or asset_number in (select m.number from app_machines() m(number))
         or asset_numbers && (select array_agg(m.number) from app_machines() m(number)));
