begin isolation level read committed read write;
set local statement_timeout = '30s';
set local lock_timeout = '5s';
set local timezone = 'UTC';
set local jit = off
