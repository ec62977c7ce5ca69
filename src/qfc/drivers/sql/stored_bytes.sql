select coalesce(sum({file_storage_bytes}), 0)::bigint as bytes from {project} p
