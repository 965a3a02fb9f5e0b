-- The customer's database, as the plant writes it. Running it again changes nothing.
create table if not exists machines (
  id text primary key,
  name text not null,
  line text not null,
  site text not null,
  model text not null,
  commissioned_on date not null,
  attributes jsonb not null default '{}'
);
comment on table machines is 'One row per machine. Names, lines, sites and dates are simulated.';

create table if not exists telemetry (
  machine_id text not null,
  ts timestamptz not null,
  cycle integer not null,
  setting1 double precision,
  setting2 double precision,
  setting3 double precision,
  t2 double precision,
  t24 double precision,
  t30 double precision,
  t50 double precision,
  p2 double precision,
  p15 double precision,
  p30 double precision,
  nf double precision,
  nc double precision,
  epr double precision,
  ps30 double precision,
  phi double precision,
  nrf double precision,
  nrc double precision,
  bpr double precision,
  farb double precision,
  htbleed double precision,
  nf_dmd double precision,
  pcnfr_dmd double precision,
  w31 double precision,
  w32 double precision,
  extra jsonb,
  primary key (machine_id, ts)
);
comment on table telemetry is
  'Turbofan engines. Values are recorded (C-MAPSS FD001); times are simulated, and so are values of rows whose extra says interpolated.';
-- LPC, HPC: low- and high-pressure compressor; LPT, HPT: the turbines; total temperatures and pressures, unless static.
comment on column telemetry.ts is 'time of the reading';
comment on column telemetry.cycle is 'cycle in the life of the engine; 1 is a new engine';
comment on column telemetry.setting1 is 'operational setting 1 (altitude)';
comment on column telemetry.setting2 is 'operational setting 2 (Mach number)';
comment on column telemetry.setting3 is 'operational setting 3 (throttle angle)';
comment on column telemetry.t2 is 'unit: °R; fan inlet temperature';
comment on column telemetry.t24 is 'unit: °R; LPC outlet temperature';
comment on column telemetry.t30 is 'unit: °R; HPC outlet temperature';
comment on column telemetry.t50 is 'unit: °R; LPT outlet temperature';
comment on column telemetry.p2 is 'unit: psia; fan inlet pressure';
comment on column telemetry.p15 is 'unit: psia; bypass duct pressure';
comment on column telemetry.p30 is 'unit: psia; HPC outlet pressure';
comment on column telemetry.nf is 'unit: rpm; fan speed';
comment on column telemetry.nc is 'unit: rpm; core speed';
comment on column telemetry.epr is 'engine pressure ratio (P50/P2)';
comment on column telemetry.ps30 is 'unit: psia; HPC outlet static pressure';
comment on column telemetry.phi is 'unit: pps/psi; fuel flow to Ps30';
comment on column telemetry.nrf is 'unit: rpm; corrected fan speed';
comment on column telemetry.nrc is 'unit: rpm; corrected core speed';
comment on column telemetry.bpr is 'bypass ratio';
comment on column telemetry.farb is 'burner fuel-air ratio';
comment on column telemetry.htbleed is 'bleed enthalpy';
comment on column telemetry.nf_dmd is 'unit: rpm; demanded fan speed';
comment on column telemetry.pcnfr_dmd is 'unit: rpm; demanded corrected fan speed';
comment on column telemetry.w31 is 'unit: lbm/s; HPT coolant bleed';
comment on column telemetry.w32 is 'unit: lbm/s; LPT coolant bleed';
comment on column telemetry.extra is 'simulated: fields that come and go';

create table if not exists rig_telemetry (
  machine_id text not null,
  ts timestamptz not null,
  ts1 double precision,
  ts2 double precision,
  ts3 double precision,
  ts4 double precision,
  vs1 double precision,
  se double precision,
  ce double precision,
  cp double precision,
  primary key (machine_id, ts)
);
comment on table rig_telemetry is 'Hydraulic test rig at 1 Hz. Values are recorded; times are simulated.';
comment on column rig_telemetry.ts is 'time of the reading';
comment on column rig_telemetry.ts1 is 'unit: °C; temperature 1';
comment on column rig_telemetry.ts2 is 'unit: °C; temperature 2';
comment on column rig_telemetry.ts3 is 'unit: °C; temperature 3';
comment on column rig_telemetry.ts4 is 'unit: °C; temperature 4';
comment on column rig_telemetry.vs1 is 'unit: mm/s; vibration';
comment on column rig_telemetry.se is 'unit: %; efficiency factor';
comment on column rig_telemetry.ce is 'unit: %; cooling efficiency (virtual)';
comment on column rig_telemetry.cp is 'unit: kW; cooling power (virtual)';

create table if not exists machine_states (
  id bigint generated always as identity primary key,
  machine_id text not null,
  state text not null check (state in ('running', 'idle', 'set-up', 'down')),
  reason text,
  started_at timestamptz not null,
  note text,
  simulated boolean not null
);
create index if not exists machine_states_machine on machine_states (machine_id, started_at);
comment on table machine_states is
  'One row per change of state. The states of the rig come from its recorded conditions, those of the engines are simulated.';
comment on column machine_states.started_at is 'when the machine entered the state';
comment on column machine_states.simulated is 'true: not recorded';

create table if not exists work_orders (
  id bigserial primary key,
  machine_id text not null,
  product text not null,
  quantity numeric(12,3) not null,
  status text not null check (status in ('planned', 'released', 'in progress', 'completed', 'cancelled')),
  due date,
  due_at timestamptz,
  tags text[] not null default '{}',
  payload jsonb not null default '{}',
  created_at timestamptz not null,
  updated_at timestamptz not null
);
comment on table work_orders is 'Simulated: inserted, updated and deleted all the time.';
comment on column work_orders.quantity is 'unit: kg; ordered amount';
