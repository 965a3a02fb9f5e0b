-- Run as a superuser inside the new database, once a database. It belongs to clarity_owner; nobody else gets in by default.
-- `:"database"` is replaced with the quoted name of the database.
revoke all on database :"database" from public;
grant connect on database :"database"
  to clarity_auth, clarity_app, clarity_ingest, clarity_worker, clarity_system, clarity_global, clarity_ops;
grant create, connect, temporary on database :"database" to clarity_owner;
alter schema public owner to clarity_owner;
revoke all on schema public from public;
