-- The cluster-wide login roles, one for each kind of process. Run as a superuser, once a cluster, by
-- `clarity-server bootstrap` (and by the test kit), which replaces every :'name_password' with a quoted literal. Running it
-- again sets the passwords, and what a role may do beyond policies (nothing, but replication for backups). What each role may do
-- in the database is granted by the migrations.
do $$
declare
  role_name text;
begin
  foreach role_name in array array[
    'clarity_owner', 'clarity_auth', 'clarity_app', 'clarity_ingest', 'clarity_worker', 'clarity_system',
    'clarity_global', 'clarity_ops', 'clarity_backup'
  ] loop
    if not exists (select from pg_roles where rolname = role_name) then
      execute format('create role %I login nosuperuser nobypassrls nocreatedb nocreaterole noinherit noreplication', role_name);
    elsif exists (
      select from pg_roles r
      where r.rolname = role_name
        and (not r.rolcanlogin or r.rolsuper or r.rolbypassrls or r.rolcreatedb or r.rolcreaterole or r.rolinherit
          or (r.rolreplication and role_name <> 'clarity_backup'))
    ) then
      execute format('alter role %I login nosuperuser nobypassrls nocreatedb nocreaterole noinherit noreplication', role_name);
    end if;
  end loop;
end
$$;

alter role clarity_backup replication;
alter role clarity_owner password :'owner_password';
alter role clarity_auth password :'auth_password';
alter role clarity_app password :'app_password';
alter role clarity_ingest password :'ingest_password';
alter role clarity_worker password :'worker_password';
alter role clarity_system password :'system_password';
alter role clarity_global password :'global_password';
alter role clarity_ops password :'ops_password';

alter role clarity_app set statement_timeout = '10s';
alter role clarity_app set lock_timeout = '2s';
alter role clarity_app set idle_in_transaction_session_timeout = '15s';
alter role clarity_auth set statement_timeout = '5s';
alter role clarity_auth set lock_timeout = '2s';
alter role clarity_ingest set statement_timeout = '30s';
alter role clarity_ingest set idle_in_transaction_session_timeout = '30s';
alter role clarity_worker set idle_in_transaction_session_timeout = '5min';
alter role clarity_system set statement_timeout = '30s';
alter role clarity_ops set statement_timeout = '5s';
alter role clarity_ops set lock_timeout = '2s';
alter role clarity_ops set idle_in_transaction_session_timeout = '5s';
