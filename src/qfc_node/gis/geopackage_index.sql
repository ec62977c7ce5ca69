-- The R-tree of a feature table and the triggers that keep it correct, as in GeoPackage 1.4 (annex F.3); and the
-- triggers for GDAL's feature count. Words after a colon stand for quoted names, "name" for a literal.
CREATE VIRTUAL TABLE :index USING rtree(id, minx, maxx, miny, maxy);
-- split
CREATE TRIGGER :index_insert AFTER INSERT ON :table
WHEN (NEW.:geometry NOT NULL AND NOT ST_IsEmpty(NEW.:geometry))
BEGIN
    INSERT OR REPLACE INTO :index VALUES (NEW.:key, ST_MinX(NEW.:geometry), ST_MaxX(NEW.:geometry),
                                          ST_MinY(NEW.:geometry), ST_MaxY(NEW.:geometry));
END;
CREATE TRIGGER :index_update6 AFTER UPDATE OF :geometry ON :table
WHEN OLD.:key = NEW.:key AND (NEW.:geometry NOTNULL AND NOT ST_IsEmpty(NEW.:geometry))
     AND (OLD.:geometry NOTNULL AND NOT ST_IsEmpty(OLD.:geometry))
BEGIN
    UPDATE :index SET minx = ST_MinX(NEW.:geometry), maxx = ST_MaxX(NEW.:geometry),
                      miny = ST_MinY(NEW.:geometry), maxy = ST_MaxY(NEW.:geometry) WHERE id = NEW.:key;
END;
CREATE TRIGGER :index_update7 AFTER UPDATE OF :geometry ON :table
WHEN OLD.:key = NEW.:key AND (NEW.:geometry NOTNULL AND NOT ST_IsEmpty(NEW.:geometry))
     AND NOT (OLD.:geometry NOTNULL AND NOT ST_IsEmpty(OLD.:geometry))
BEGIN
    INSERT INTO :index VALUES (NEW.:key, ST_MinX(NEW.:geometry), ST_MaxX(NEW.:geometry),
                               ST_MinY(NEW.:geometry), ST_MaxY(NEW.:geometry));
END;
CREATE TRIGGER :index_update2 AFTER UPDATE OF :geometry ON :table
WHEN OLD.:key = NEW.:key AND (NEW.:geometry ISNULL OR ST_IsEmpty(NEW.:geometry))
BEGIN
    DELETE FROM :index WHERE id = OLD.:key;
END;
CREATE TRIGGER :index_update5 AFTER UPDATE ON :table
WHEN OLD.:key != NEW.:key AND (NEW.:geometry NOTNULL AND NOT ST_IsEmpty(NEW.:geometry))
BEGIN
    DELETE FROM :index WHERE id = OLD.:key;
    INSERT OR REPLACE INTO :index VALUES (NEW.:key, ST_MinX(NEW.:geometry), ST_MaxX(NEW.:geometry),
                                          ST_MinY(NEW.:geometry), ST_MaxY(NEW.:geometry));
END;
CREATE TRIGGER :index_update4 AFTER UPDATE ON :table
WHEN OLD.:key != NEW.:key AND (NEW.:geometry ISNULL OR ST_IsEmpty(NEW.:geometry))
BEGIN
    DELETE FROM :index WHERE id IN (OLD.:key, NEW.:key);
END;
CREATE TRIGGER :index_delete AFTER DELETE ON :table
WHEN OLD.:geometry NOT NULL
BEGIN
    DELETE FROM :index WHERE id = OLD.:key;
END;
-- split
CREATE TRIGGER :count_insert AFTER INSERT ON :table
BEGIN
    UPDATE gpkg_ogr_contents SET feature_count = feature_count + 1 WHERE lower(table_name) = lower(:name);
END;
CREATE TRIGGER :count_delete AFTER DELETE ON :table
BEGIN
    UPDATE gpkg_ogr_contents SET feature_count = feature_count - 1 WHERE lower(table_name) = lower(:name);
END;
