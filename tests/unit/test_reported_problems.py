"""Each problem that operators or current releases have shown, and the test that holds it.

A line is what was reported, the test, and words that the test's file, or the file of its data, must have. A test that
is renamed or loses its case fails here.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
LINES = "unit/test_checks_logs.py::test_a_line_is_found_under_its_condition"
REASONS = "unit/test_failure_signatures.py::test_known_failures"
EDITS = "unit/test_failure_signatures.py::test_why_an_edit_is_not_there"
HANDS = "unit/test_operators_hands.py::"
USAGE = "acceptance/test_cli_usage.py::"
LIFE = "acceptance/test_cli_lifecycle.py::"
STATE = "unit/test_embedded_state.py::"
KNOWN = "known_lines.py"
#: Problems of servers that nobody knew; in a file of data, or else in that of the test.
NOT_KNOWN_YET: tuple[tuple[str, str, str], ...] = (
    ("host.docker.internal on Linux", REASONS, "host.docker.internal"),
    ("client version is too old", LINES, "client version"),
    ("settings of the admin without a table",
     "unit/test_checks_logs.py::test_settings_of_the_admin_that_have_no_table_need_migrations", "constance_constance"),
    ("manifest of static files", LINES, f"{KNOWN}: Missing staticfiles manifest entry"),
    ("a name that nginx cannot resolve", LINES, f"{KNOWN}: host not found in upstream"),
    ("a file that nginx cannot open", "unit/test_checks_logs.py::test_dh_parameters_that_nginx_cannot_open",
     "BIO_new_file"),
    ("connections that the application ends", LINES, "upstream prematurely closed"),
    ("forms without their referer", LINES, "Referer checking"),
    ("features skipped in a finished package",
     "integration/test_rows_work.py::test_a_fault_in_work_is_found_and_repaired_where_that_is_promised",
     "Skipping feature ID"),
    *((f"delta: {told}", EDITS, told) for told in (
        "Invalid layer", "More than one feature match", "Unable to create a valid feature", "Unable to add new feature",
        "Unable to change geometry", "Unable to change attribute", "Unable delete feature", "Empty WKT string",
        "Null geometry", "Expected only one feature", "to be a vector layer", "Unknown delta method")),
    ("UNABLE_TO_CONTINUE", REASONS, "UNABLE_TO_CONTINUE"),
    *((f"code {code}", REASONS, code) for code in (
        "restricted_project_modification", "operation_not_allowed_for_template", "qgis_project_file_not_allowed",
        "invalid_qgis_project_file")),
    ("OIDC token already used", LINES, f"{KNOWN}: token already used"),
    ("login loop of people who are not staff", LINES, "G05-staff"),
    ("smtp4dev reachable from outside", "unit/test_checks_containers.py::test_mail_that_everybody_can_read",
     "smtp4dev"),
    ("change_me in every secret",
     "unit/test_checks_shipped.py::test_placeholders_of_templates_are_known_in_every_secret", "change_me"),
    ("qfc_webdav_pwd", "unit/test_checks_shipped.py::test_the_password_of_webdav_matters_where_it_runs",
     "qfc_webdav_pwd"),
    ("WORKER_QGIS_MEMORY_LIMIT without effect", "unit/test_checks_containers.py::test_lines_that_nothing_reads",
     "WORKER_QGIS_MEMORY_LIMIT"),
    ("values that end the start", "unit/test_checks_logs.py::test_values_that_end_the_start", "ValueError"),
)  # fmt: skip
#: What new users stumbled over on a bare account, by its number in the report.
OPERATORS_HANDS: tuple[tuple[str, str, str], ...] = (
    ("1 recreate leaves workers stopped",
     f"{LIFE}test_recreating_one_service_after_a_change_of_settings_leaves_none_stopped", "recreate"),
    ("2 up without its data", f"{STATE}test_a_stack_whose_data_are_gone_is_not_started_empty", "gone"),
    ("3 init of a running stack", f"{LIFE}test_a_running_stack_keeps_its_folder_and_a_folder_its_stack", "--folder"),
    ("4 a busy port", f"{LIFE}test_a_port_that_another_program_uses_is_refused_or_replaced_on_request", "port"),
    ("5 secrets in files", f"{HANDS}test_keys_of_a_bucket_may_be_in_files", "_FILE"),
    ("6 logs --grep and levels", f"{HANDS}test_logs_are_searched_as_they_are_printed", "grep"),
    ("7 hints keep --stack", f"{HANDS}test_commands_name_the_stack_that_the_operator_named", "--stack"),
    ("8 plans of dry runs", f"{HANDS}test_a_dry_run_of_repairs_prints_the_plan", "dry"),
    ("9 restart and drain of a stopped stack",
     f"{HANDS}test_workers_of_a_stopped_stack_are_not_drained_and_not_restarted", "drain"),
    ("9 scale 0", f"{HANDS}test_the_last_worker_is_stopped_after_a_question_only", "scale"),
    ("9 the last superuser", f"{HANDS}test_the_last_superuser_is_disabled_after_a_question_only", "superuser"),
    ("10 EACCES", f"{STATE}test_a_port_for_which_this_account_has_no_right_is_not_said_to_be_taken", "EACCES"),
    ("11 80 columns: status", f"{HANDS}test_the_status_of_a_stack_fits_80_columns_with_names_in_one_piece", "80"),
    ("11 80 columns: the rest", f"{HANDS}test_stacks_jobs_and_audit_fit_80_columns", "80"),
    ("12 full disk", f"{HANDS}test_a_full_disk_is_down_in_status_and_in_health", "disk"),
    ("13 doctor of a stopped stack", f"{HANDS}test_the_doctor_says_one_thing_of_a_stopped_stack", "stopped"),
    ("14 kill -9 of the supervisor", f"{LIFE}test_when_only_the_supervisor_dies_up_ends_its_orphans_and_keeps_the_port",
     "kill"),
    ("15 Ctrl-C at once", f"{USAGE}test_ctrl_c_in_the_first_moments_is_no_traceback", "SIGINT"),
    ("15 closed output", f"{USAGE}test_closed_streams_are_no_error", "streams"),
    ("15 full output", f"{USAGE}test_output_that_cannot_be_written_is_one_sentence", "/dev/full"),
    ("15 broken pipe", f"{USAGE}test_what_is_printed_can_be_piped_into_a_program_that_stops_reading", "pipe"),
    ("16 names in the admin", "integration/test_node_admin.py::test_every_row_has_a_name_of_its_own", "object"),
    ("16 fonts of foreign hosts",
     "integration/test_api_status.py::test_the_document_of_the_api_is_served_without_the_internet", "/docs/"),
    ("17 the address in the network",
     f"{STATE}test_a_server_on_all_addresses_is_reached_from_this_machine_and_from_its_network", "0.0.0.0"),
    ("17 TLS missing there", f"{HANDS}test_a_server_on_the_network_without_tls_is_a_finding", "B09-none"),
    ("18 zones", f"{HANDS}test_times_are_utc_and_say_so", "UTC"),
    ("19 did you mean", f"{HANDS}test_names_that_were_meant_are_suggested", "mean"),
    ("19 completion", f"{HANDS}test_shells_are_offered_names_of_the_stack", "complet"),
    ("20 progress on a terminal",
     "unit/test_progress.py::test_a_terminal_gets_a_bar_that_leaves_nothing_behind", "bar"),
    ("20 progress of up and doctor", "unit/test_progress.py::test_a_start_and_a_diagnosis_tell_how_far_they_are", "up"),
    ("21 service install", "unit/test_service_unit.py::test_a_unit_is_installed_seen_and_removed", "install"),
    ("21 stacks remove", f"{USAGE}test_a_stack_is_removed_from_the_configuration_and_its_data_stay", "remove"),
    ("21 guided init", f"{USAGE}test_on_a_terminal_init_asks_for_the_most_important_settings", "init"),
    ("21 man page", "unit/test_reference_is_current.py::test_the_man_page_is_in_the_wheel_and_says_every_command",
     "man1"),
    ("21 requests in the node's log",
     "integration/test_api_status.py::test_each_request_is_a_line_in_the_log_without_secrets", "request"),
)  # fmt: skip


@cache
def names_in(path: str) -> frozenset[str]:
    """Return the names of the tests in a file."""
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    return frozenset(one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef))


@pytest.mark.parametrize(("line", "test", "words"), [*NOT_KNOWN_YET, *OPERATORS_HANDS])
def test_what_was_reported_has_its_test(line: str, test: str, words: str) -> None:
    path, _, name = test.partition("::")
    assert name in names_in(path), line
    data, _, said = words.rpartition(": ")
    assert said in (TESTS / (data or path)).read_text(encoding="utf-8"), line


def test_every_number_of_the_report_has_a_test() -> None:
    """But for 22: a benchmark, which is run and not tested."""
    assert {int(line.split()[0]) for line, _, _ in OPERATORS_HANDS} == set(range(1, 22))
