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

#: The page in a restic repository.
RESTIC_MANUAL = """# Backups of a QFieldCloud stack in restic

Made by qfc. No qfc is needed to restore them: `restic` and PostgreSQL's `pg_restore` are enough. The password of the
repository is on the recovery sheet.

Each snapshot has one set, and the objects that no set before it had. All snapshots together have everything:

    export RESTIC_REPOSITORY=… RESTIC_PASSWORD_FILE=password.txt
    restic check --read-data
    restic snapshots --tag qfc-set
    for snapshot in $(restic snapshots --json --tag qfc-set | grep -o '"short_id":"[0-9a-f]*"' | cut -d'"' -f4); do
        restic restore "$snapshot" --target everything
    done

    everything/sets/ID/manifest.json      what is in the set; manifest.json.sig is its signature
    everything/sets/ID/database.dump      the database: pg_restore --no-owner --dbname=restored database.dump
    everything/sets/ID/references.jsonl   the list of its objects; places.jsonl: of a deployment, their stores and keys
    everything/sets/ID/configuration.tar  settings
    everything/sets/ID/secrets.tar        SECRET_KEY and other secrets
    everything/objects/ab/abcd…           files, by the sha256 of their content, as the node keeps them below blobs/
"""
