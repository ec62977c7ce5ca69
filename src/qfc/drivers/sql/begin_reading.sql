-- All queries of a view see the same moment. What takes longer is given up: nobody waits for it, and the server has other
-- work. JIT costs more than it saves on queries of milliseconds.
begin isolation level repeatable read read only;
set local statement_timeout = '10s';
set local timezone = 'UTC';
set local jit = off
