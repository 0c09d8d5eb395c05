"""The tests that get a second try on a busy machine, each by name and with the reason. All others get none.

A test of the engine or the store that needs one has a race: find it.
"""

CLICKS = "a real browser: where other tests fill the cores, a click may come before the page's own script is there"
KILLS = "kills and signals at moments of a running process, which a stalled machine moves"
WAITS = "several processes that load torch, and a limit on how long that may take"

RERUNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "tests/browser/test_compare.py": (
        CLICKS,
        (
            "test_three_runs_from_the_list_to_a_fresh_browser",
            "test_the_basket_follows_and_the_report_needs_no_network",
        ),
    ),
    "tests/browser/test_datasets.py": (
        CLICKS,
        ("test_a_repeat_is_found_in_an_upload_and_taken_out_and_back",),
    ),
    "tests/browser/test_fit.py": (
        CLICKS,
        (
            "test_the_fit_panel_follows_the_batch_size",
            "test_memory_that_ran_short_is_seen_in_list_and_page",
        ),
    ),
    "tests/browser/test_flows.py": (
        CLICKS,
        (
            "test_a_link_to_a_run_opens_first_thing_on_a_fresh_server",
            "test_the_demo_from_the_button_to_a_file_that_works",
            "test_the_zoom_survives_refreshes_and_the_run_stops",
            "test_start_pressed_in_two_tabs_starts_one_run",
            "test_photos_come_in_by_upload_and_a_bad_zip_is_refused_in_words",
            "test_6000_photos_come_in_by_upload_and_train_with_resnet18",
            "test_a_name_opens_its_run_and_ticks_outlive_refreshes",
        ),
    ),
    "tests/browser/test_go_on.py": (
        CLICKS,
        ("test_a_finished_run_is_extended_and_branched_by_clicks",),
    ),
    "tests/browser/test_lab.py": (
        CLICKS,
        ("test_the_lab_measures_and_draws_two_ways_side_by_side",),
    ),
    "tests/browser/test_records.py": (
        CLICKS,
        (
            "test_ticked_runs_are_tagged_archived_and_taken_away_as_a_file",
            "test_notes_are_written_on_a_page_that_moves",
        ),
    ),
    "tests/browser/test_results.py": (
        CLICKS,
        (
            "test_a_cell_opens_as_many_images_as_its_number",
            "test_two_runs_are_compared_down_to_their_images",
        ),
    ),
    "tests/browser/test_search.py": (
        CLICKS,
        ("test_a_search_from_clicks_to_a_file",),
    ),
    "tests/browser/test_transfer.py": (
        CLICKS,
        ("test_own_images_from_the_scan_to_thaw_marks_on_the_curves",),
    ),
    "tests/browser/test_upload.py": (
        CLICKS,
        (
            "test_a_name_typed_meanwhile_is_taken_and_a_taken_one_asks_for_another",
            "test_the_keyboard_cancels_and_nothing_is_left",
            "test_what_cannot_be_taken_is_told_before_it_is_sent",
        ),
    ),
    "tests/faults/test_bad_data.py": (
        KILLS,
        (
            "test_a_bad_zip_is_refused_in_words_and_leaves_nothing",
            "test_images_that_cannot_be_decoded_are_set_aside_and_listed",
        ),
    ),
    "tests/faults/test_bad_input.py": (
        KILLS,
        (
            "test_a_bad_spec_is_refused_in_words",
            "test_bad_arguments_are_refused_in_words",
            "test_overrides_are_checked_like_the_file",
        ),
    ),
    "tests/faults/test_dashboard_killed.py": (
        KILLS,
        ("test_killing_the_dashboard_touches_no_run",),
    ),
    "tests/faults/test_disk_full.py": (
        KILLS,
        (
            "test_no_room_for_a_checkpoint_pauses_the_run_until_there_is",
            "test_not_a_byte_left_ends_neither_the_run_nor_the_supervisor",
        ),
    ),
    "tests/faults/test_processes_killed.py": (
        KILLS,
        (
            "test_a_killed_worker_is_told_within_seconds_and_goes_on",
            "test_a_killed_supervisor_finds_its_worker_again",
            "test_worker_and_supervisor_killed_at_once_as_in_a_reboot",
            "test_a_worker_stopped_dead_is_found_and_replaced",
            "test_a_run_that_always_dies_is_failed_in_the_end",
            "test_of_two_supervisors_one_leaves",
            "test_racing_callers_start_one_supervisor",
            "test_shutdown_leaves_no_process",
        ),
    ),
    "tests/faults/test_ranks_killed.py": (
        KILLS,
        (
            "test_who_is_killed_takes_all_along_and_the_run_goes_on_bit_equal",
            "test_a_rank_that_hangs_is_found_by_lack_of_progress",
        ),
    ),
    "tests/faults/test_repeated_deaths.py": (
        KILLS,
        (
            "test_a_crash_in_the_same_epoch_twice_is_failed_with_its_reason",
            "test_killed_five_times_without_a_new_checkpoint_it_is_failed",
            "test_a_stranger_who_locks_the_database_holds_nobody_up",
        ),
    ),
    "tests/faults/test_search_killed.py": (
        KILLS,
        (
            "test_a_killed_driver",
            "test_a_killed_trial_goes_on_from_its_checkpoint",
            "test_a_killed_raylet_ends_the_driver_which_is_started_again",
            "test_half_a_line_in_the_control_file_waits_for_the_rest",
        ),
    ),
    "tests/faults/test_stop_and_diverge.py": (
        KILLS,
        (
            "test_stop_while_starting",
            "test_stop_while_queued",
            "test_stop_while_running_saves_leaves_no_process_and_resumes_where_it_was",
            "test_a_loss_that_is_nan_ends_the_run_with_advice",
            "test_two_starts_with_one_key_make_one_run",
            "test_delete_stops_first_and_frees_the_disk",
        ),
    ),
    "tests/faults/test_supervisor_at_any_time.py": (
        KILLS,
        (
            "test_killed_again_and_again_at_random_one_attempt_trains_and_each_step_counts_once",
            "test_a_stranger_with_a_dead_workers_number_is_never_signalled",
        ),
    ),
    "tests/flows/test_ddp.py": (
        WAITS,
        (
            "test_copies_and_ranks_reach_the_losses_of_one_process",
            "test_stopped_ranks_leave_together_and_go_on_bit_equal",
            "test_on_another_number_of_processes_it_goes_on_and_says_so",
        ),
    ),
    "tests/flows/test_go_on_from_checkpoints.py": (
        WAITS,
        (
            "test_parameters_are_counted_alike_by_the_run_and_in_its_file",
            "test_extend_and_branch_are_new_runs_and_the_finished_one_never_changes",
            "test_branches_that_cannot_fit_are_refused_in_words",
            "test_one_branch_asked_for_twice_is_one_run",
            "test_a_run_goes_back_to_an_earlier_checkpoint",
            "test_a_damaged_copy_fails_the_child_instead_of_starting_it_anew",
        ),
    ),
    "tests/flows/test_lab.py": (
        WAITS,
        (
            "test_a_strategy_is_measured",
            "test_what_cannot_be_measured_says_why",
        ),
    ),
    "tests/flows/test_pipeline.py": (
        WAITS,
        (
            "test_stages_apart_reach_the_losses_of_one_process",
            "test_a_stopped_pipeline_goes_on_bit_equal",
            "test_what_a_pipeline_began_one_process_goes_on_with",
        ),
    ),
    "tests/flows/test_pretrained_weights.py": (
        WAITS,
        (
            "test_a_missing_file_is_named_with_its_place_and_put_there_it_trains",
            "test_the_page_names_the_missing_file_before_the_start",
            "test_a_file_that_is_no_weights_is_told_and_the_rest_of_the_form_stands",
        ),
    ),
    "tests/flows/test_search_cli.py": (
        WAITS,
        (
            "test_a_search_is_run_listed_extended_and_deleted",
            "test_pause_continue_and_stop",
            "test_what_cannot_work_is_refused_in_words",
            "test_the_example_search_reaches_97_percent",
        ),
    ),
    "tests/flows/test_trackers.py": (
        WAITS,
        ("test_a_run_is_logged_where_it_can_be_and_finishes",),
    ),
    "tests/flows/test_train_from_files.py": (
        WAITS,
        (
            "test_the_demo_reaches_97_percent_and_its_file_does_too",
            "test_digits_as_a_zip_of_class_folders",
            "test_photos_import_and_train_with_resnet18",
        ),
    ),
    "tests/flows/test_train_from_torchvision.py": (
        WAITS,
        (
            "test_files_are_taken_up_where_they_lie_and_train",
            "test_files_put_by_hand_go_with_the_last_data_set_that_reads_them",
            "test_a_csv_of_files_on_the_disk_is_scanned_and_trains",
            "test_a_resumed_run_keeps_the_data_it_began_with",
            "test_words_of_the_commands",
        ),
    ),
    "tests/web/test_serve.py": (
        WAITS,
        (
            "test_ctrl_c_closes_the_dashboard_and_names_what_goes_on",
            "test_a_launcher_killed_outright_leaves_no_dashboard",
            "test_its_address_is_told_once_it_answers",
            "test_what_keeps_it_from_serving_is_told_in_words",
            "test_a_taken_port_is_named_with_the_way_out",
        ),
    ),
    "tests/web/test_viewers.py": (
        WAITS,
        ("test_viewers_get_whole_pages_and_what_is_new_in_them",),
    ),
}
