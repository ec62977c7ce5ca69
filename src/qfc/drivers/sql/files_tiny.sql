-- Rasters and databases whose newest version has no room even for their own header.
select {found_files} and v.size < 16 and lower(f.name) ~ '[.](tif|tiff|gpkg|mbtiles)$'
order by project, f.name
limit %(limit)s
