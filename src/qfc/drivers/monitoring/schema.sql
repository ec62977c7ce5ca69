create table if not exists meta (name text primary key, value text not null);
create table if not exists looks (at real not null, quiet integer not null, look text not null);
create index if not exists looks_at on looks (at);
create table if not exists notes (id integer primary key, first real not null, last real not null, times integer not null,
                                  text text not null);
create table if not exists incidents (id integer primary key, alert text not null, title text not null,
                                      severity text not null, opened real not null, closed real);
create index if not exists incidents_open on incidents (alert) where closed is null;
create table if not exists events (incident integer not null references incidents on delete cascade, at real not null,
                                   kind text not null, text text not null);
create index if not exists events_incident on events (incident);
create table if not exists letters (id integer primary key, at real not null, message text not null);
create table if not exists deliveries (letter integer not null references letters on delete cascade, route text not null,
                                       tries integer not null, next real, error text, primary key (letter, route));
