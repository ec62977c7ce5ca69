"""The page in a store that says how its sets are restored without qfc."""

MANUAL = """# Backups of a QFieldCloud stack

Made by qfc. No qfc is needed to restore them: `age`, `zstd`, `tar` and PostgreSQL's `pg_restore` are enough.
`key.txt` stands for the file with the key from the recovery sheet.

    sets/ID/manifest.json             what is in the set; sets/ID/manifest.json.sig is its signature
    sets/ID/database.dump.zst.age     the database, in the custom format of pg_dump
    sets/ID/references.jsonl.zst      the list of objects, one per line: sha256, file, checksums, sizes
    sets/ID/places.jsonl.zst.age      of a deployment: sha256, store and key of every object, in order
    sets/ID/configuration.tar.zst.age settings
    sets/ID/secrets.tar.zst.age       SECRET_KEY and other secrets
    objects/KEY/ab/abcd….zst.age      files, by the sha256 of their content; sets share them

Files without `.age` are not encrypted: leave `age` out there.

The database:

    age --decrypt --identity key.txt sets/ID/database.dump.zst.age | zstd --decompress > database.dump
    createdb restored
    pg_restore --no-owner --dbname=restored database.dump

The secrets:

    age --decrypt --identity key.txt sets/ID/secrets.tar.zst.age | zstd --decompress | tar --extract

The files, each to the place where the node looks for it:

    zstd --decompress --stdout sets/ID/references.jsonl.zst |
        sed 's/.*"sha256":"\\([0-9a-f]*\\)".*"file":"\\([^"]*\\)".*/\\1 \\2/' |
        while read -r sha256 file; do
            folder=blobs/$(printf %.2s "$sha256")
            mkdir -p "$folder"
            age --decrypt --identity key.txt "$file" | zstd --decompress > "$folder/$sha256"
        done

An official server names them by path: upload the file with each sha256 under its key in places.jsonl.
"""
