j.finished_at
