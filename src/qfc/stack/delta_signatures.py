"""Known reasons why an edit is not in the data, as data. They are matched against the message of the last attempt."""

from __future__ import annotations

from .signatures import Cause, signature

AGAIN = "then: qfc deltas reapply ID"

#: An edit that may or may not be in the data; the fields of its feedback decide, never the words.
IN_DOUBT = signature(
    "in-doubt",
    "its job was interrupted, and it may be in the data already",
    Cause.SERVER,
    r"may be in the data already",
    "Compare it with the data: qfc deltas show ID; only if it is missing: qfc deltas reapply ID",
)

DELTA_SIGNATURES = (
    signature(
        "F01",
        "the feature does not exist",
        Cause.PROJECT,
        r"Unable to find feature",
        f"First apply the edit that created the feature (in order: qfc deltas list --project PROJECT); {AGAIN}",
    ),
    signature(
        "F02",
        "the layer is no longer in the project",
        Cause.PROJECT,
        r"No layer with id",
        f"Ask the project's owner to restore the layer under its old id and upload the project; {AGAIN}",
    ),
    signature(
        "F02-invalid",
        "the layer cannot be opened",
        Cause.PROJECT,
        r'^Invalid layer "',
        f"See what is wrong with its data source: qfc projects status PROJECT; repair that, {AGAIN}",
    ),
    signature(
        "F03",
        "another edit had changed the same values",
        Cause.CLIENT,
        r"There are conflicts with the already existing feature",
        f"See the values: qfc deltas show ID; enter them by hand, or let later edits win, {AGAIN}",
    ),
    signature(
        "F05-key",
        "the layer has no usable primary key",
        Cause.PROJECT,
        r"Composite \(multi-column\)|has no primary key|neither has a primary key|Comma in field name"
        r'|has no field "fid"|features have no name',
        f"Give the table a single key column without a comma in its name, and upload the project; {AGAIN}",
    ),
    signature(
        "F05-twice",
        "several features have the key of one",
        Cause.PROJECT,
        r"More than one feature match",
        f"Make the key unique in the layer's data, and upload the project; {AGAIN}",
    ),
    signature(
        "F05-added",
        "the layer's source added something else than the feature",
        Cause.PROJECT,
        r"Expected only one feature|Expected the layer with the added layer",
        "Look for triggers and rules of the table that add rows; compare the data before anything else:"
        " qfc deltas show ID",
    ),
    signature(
        "F05-edit",
        "the layer cannot be edited",
        Cause.PROJECT,
        r"Cannot start editing layer|cannot be edited|is no vector layer|Expected layer .* to be a vector layer",
        f"Give the layer a writable data source, and upload the project; {AGAIN}",
    ),
    signature(
        "F05-commit",
        "the layer's source refused the edit",
        Cause.PROJECT,
        r"Failed to commit changes|Unable to add new feature|Unable to change (?:geometry|attribute)"
        r"|Unable delete feature|Unable to create a valid feature|source refused the edit|database refused the edit"
        r"|could not be written|cannot be written|kept the feature",
        f"Read the source's message in provider_errors: qfc deltas show ID; repair its cause, {AGAIN}",
    ),
    signature(
        "F05-damaged",
        "the layer's file is damaged",
        Cause.PROJECT,
        r"is damaged|is no GeoJSON",
        f"Ask the project's owner to upload an intact file; {AGAIN}",
    ),
    signature(
        "F08",
        "the storage quota was used up",
        Cause.CLIENT,
        r"over_quota|API_PAYMENT_REQUIRED",
        "Raise the owner's quota: qfc users quota NAME --set SIZE; then: qfc deltas reapply --project PROJECT",
    ),
    signature(
        "F10",
        "the user is not allowed to make this edit",
        Cause.CLIENT,
        r"is not permitted to",
        f"Leave the edit out, or give the user a role that allows it, {AGAIN}",
    ),
    signature(
        "E03",
        "the external database cannot be reached",
        Cause.PROJECT,
        r"database cannot be reached|connection to the database was lost|Connection to database failed",
        f"Make sure that the database runs and accepts connections from the workers; {AGAIN}",
    ),
    signature(
        "D08",
        "the worker died",
        Cause.SERVER,
        r"worker died each time|came to no good end|unexpectedly terminated|WORKER_DIED",
        f"See why: qfc logs --service worker_wrapper; {AGAIN}",
    ),
    signature(
        "malformed",
        "the edit cannot be parsed",
        Cause.CLIENT,
        r"delta cannot be read|Unknown delta method",
        "Enter the edit by hand, and report it to the maker of the app; see what the device sent: qfc deltas show ID",
    ),
    signature(
        "malformed-shape",
        "the edit's geometry cannot be read",
        Cause.CLIENT,
        r"Empty WKT string|Null geometry from wkt|neither null nor a WKT string",
        "Draw the geometry again on the device, or enter it by hand; see what the device sent: qfc deltas show ID",
    ),
    signature(
        "cancelled",
        "an operator cancelled its job",
        Cause.CLIENT,
        r"cancelled by an operator",
        "To apply it after all: qfc deltas reapply ID",
    ),
)

#: The signatures of states, for edits whose last attempt left no message.
BY_STATUS = {"conflict": "F03", "unpermitted": "F10"}
