case when j.status in ('finished', 'failed', 'stopped')
     then coalesce(j.finished_at, j.docker_finished_at, j.docker_started_at, j.started_at, j.created_at) end
