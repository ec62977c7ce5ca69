"""Known reasons why a field edit is not in the data, as data. Looked for in what the last try said."""

from __future__ import annotations

from .signatures import Cause, signature

AGAIN = "then: qfc deltas reapply ID"

#: An edit of which nobody knows whether it is in the data; told by the feedback itself, never by its words.
IN_DOUBT = signature(
    "in-doubt",
    "its job was broken off; it may be in the data already",
    Cause.SERVER,
    r"may be in the data already",
    "Compare it with the data: qfc deltas show ID; only when it is not there: qfc deltas reapply ID",
)

DELTA_SIGNATURES = (
    signature(
        "F01",
        "the feature is not there",
        Cause.PROJECT,
        r"Unable to find feature",
        f"Apply the edit that made the feature first (qfc deltas list --project PROJECT shows the order); {AGAIN}",
    ),
    signature(
        "F02",
        "the layer is not in the project any more",
        Cause.PROJECT,
        r"No layer with id",
        f"The project's owner has to bring the layer back under its old id and upload the project; {AGAIN}",
    ),
    signature(
        "F03",
        "somebody else had changed the same meanwhile",
        Cause.CLIENT,
        r"There are conflicts with the already existing feature",
        f"See the values: qfc deltas show ID; enter them by hand, or let later edits win, {AGAIN}",
    ),
    signature(
        "F05-key",
        "features of the layer have no usable key",
        Cause.PROJECT,
        r"Composite \(multi-column\)|has no primary key|neither has a primary key|Comma in field name"
        r'|has no field "fid"|features have no name',
        f"Give the table one key column without a comma in its name, upload the project; {AGAIN}",
    ),
    signature(
        "F05-edit",
        "the layer cannot be edited",
        Cause.PROJECT,
        r"Cannot start editing layer|cannot be edited|is no vector layer",
        f"Make the layer's source one that can be written, upload the project; {AGAIN}",
    ),
    signature(
        "F05-commit",
        "the layer's source refused the edit",
        Cause.PROJECT,
        r"Failed to commit changes|source refused the edit|database refused the edit|could not be written"
        r"|cannot be written|kept the feature",
        f"provider_errors has the source's own words: qfc deltas show ID; mend what they name, {AGAIN}",
    ),
    signature(
        "F05-damaged",
        "the layer's file is damaged",
        Cause.PROJECT,
        r"is damaged|is no GeoJSON",
        f"The project's owner has to upload a good file; {AGAIN}",
    ),
    signature(
        "F08",
        "the storage quota was used up",
        Cause.CLIENT,
        r"over_quota|API_PAYMENT_REQUIRED",
        "Give the owner more: qfc users quota NAME; then in their order: qfc deltas reapply --project PROJECT",
    ),
    signature(
        "F10",
        "the person may not make this edit",
        Cause.CLIENT,
        r"is not permitted to",
        f"Give the person a role that may, {AGAIN}; or leave it",
    ),
    signature(
        "E03",
        "the external database is not reached",
        Cause.PROJECT,
        r"database cannot be reached|connection to the database was lost|Connection to database failed",
        f"See that the database runs and lets the workers in; {AGAIN}",
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
        "what the device sent cannot be read",
        Cause.CLIENT,
        r"delta cannot be read",
        "See what it sent: qfc deltas show ID; enter it by hand, and report it to the maker of the app",
    ),
    signature(
        "cancelled",
        "its job was cancelled by an operator",
        Cause.CLIENT,
        r"cancelled by an operator",
        "To have it applied after all: qfc deltas reapply ID",
    ),
)

#: What a state says of itself where the last try left no words.
BY_STATUS = {"conflict": "F03", "unpermitted": "F10"}
