//! Every bound that has a name has a test, and a new name without a test fails here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where each bound is reached; a name that stands in two files stands here twice.
const REACHED: &[(&str, &str)] = &[
    ("ACCUSERS_MAX", "a_suspicion_names_as_many_accusers_as_count"),
    ("ADMISSIONS_MAX", "the_number_of_admissions_is_bounded"),
    ("ANSWERED_MAX", "a_pull_is_answered_with_what_sixteen_datagrams_carry"),
    ("ATTEMPTS_MAX", "a_probe_makes_three_pings_and_asks_as_many_relays_as_configured"),
    ("BYTES_MAX", "others_never_take_more_than_their_bytes_and_the_own_ones_stay"),
    ("OPEN_ATTEMPTS_MAX", "attempts_are_bounded_for_each_purpose"),
    ("DATAGRAM_MAX", "a_datagram_beyond_nine_thousand_bytes_is_not_looked_at"),
    ("DEPTH_MAX", "members_at_one_place_make_no_tree_deeper_than_eight_and_leave_none_behind"),
    ("EXACT_MAX", "a_sample_that_everything_is_refused_to_ends"),
    ("EXPIRIES_MAX", "one_tick_declares_sixty_four_suspects_dead_and_the_rest_stays_due"),
    ("FORGOTTEN_MAX", "sixteen_addresses_of_forgotten_members_are_kept_each_once_and_the_oldest_goes"),
    ("KNOWN_PEERS_MAX", "known_peers_beyond_the_bound_are_skipped"),
    ("KNOWN_PEERS_OPEN_MAX", "all_seeds_and_eight_known_peers_are_asked_at_once"),
    ("INTRODUCTIONS_MAX", "sixteen_introductions_are_open_at_once"),
    ("LEAF_MAX", "a_leaf_splits_when_it_is_more_than_full_and_is_whole_again_when_few_are_left"),
    ("LEN_MAX", "the_longest_ack_to_a_node_that_is_no_member_is_no_longer_than_the_shortest_ping"),
    ("MARKS_MAX", "the_marks_of_many_origins_take_turns"),
    ("METADATA_MAX", "the_limits_are_inclusive_and_the_error_names_both_lengths"),
    ("MISFITS_MAX", "it_behaves_like_a_list_that_is_sorted_by_sends_each_time"),
    ("OPEN_MAX", "four_pings_may_be_answered_and_the_oldest_makes_room"),
    ("OUTDATED_MAX", "one_answer_corrects_sixteen_outdated_claims"),
    ("PAGES_MAX", "a_session_that_a_peer_keeps_alive_ends"),
    ("PAYLOAD_MAX", "the_limits_are_inclusive_and_the_error_names_both_lengths"),
    ("PEERS_MAX", "no_more_than_eight_members_are_asked_in_one_session"),
    ("RELAYS_MAX", "a_probe_makes_three_pings_and_asks_as_many_relays_as_configured"),
    ("RANGES_MAX", "a_pull_names_sixteen_ranges"),
    ("RECENT_MAX", "of_many_tombstones_the_latest_that_died_are_visited"),
    ("REFUSED_MAX", "attempts_are_bounded_for_each_purpose"),
    ("REPLIES_MAX", "four_strangers_at_a_time_make_this_node_ask_back"),
    ("SAMPLE_MAX", "a_welcome_names_eight_members_beside_the_one_who_says_it"),
    ("SEEDS_MAX", "a_seed_beyond_the_bound_is_refused_and_none_of_its_list_is_remembered"),
    ("SENDS_MAX", "it_behaves_like_a_stable_sort_by_sends"),
    ("SUSPECT_LEN_MAX", "the_longest_suspicion_has_seven_accusers"),
    ("TOKEN_USES_MAX", "a_token_that_gets_no_answer_is_given_up_for_a_new_one"),
    ("TRIES_MAX", "an_introduction_is_given_up_after_a_few_attempts"),
    ("TRIES_MAX", "four_pages_are_in_flight_and_each_is_asked_for_three_times"),
    ("UPDATES_MAX", "the_longest_datagram_carries_sixty_four_updates"),
    ("WINDOW_MAX", "what_is_too_far_ahead_is_not_kept_and_is_asked_for_later"),
    ("WORK_MAX", "the_work_is_bounded_and_the_window_too"),
];

/// What bounds no behaviour, and why it has no test here.
const OTHERS: &[(&str, &str)] = &[("SLOTS_MAX", "2³⁰ members fill no machine that runs tests")];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of this crate") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn text(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a source of this crate");
        (path, text)
    };
    found.into_iter().map(read).collect()
}

/// The constants of the sources, tests excepted, whose name says that they bound something.
fn named() -> Vec<String> {
    let mut names = Vec::new();
    for (path, text) in text("src") {
        if path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs") {
            continue;
        }
        let code = text.split("\nmod tests {").next().unwrap_or_default();
        for line in code.lines() {
            let name = line.split_once("const ").and_then(|(_, rest)| rest.split_once(':'));
            names.extend(name.map(|(name, _)| name.to_owned()).filter(|name| name.ends_with("_MAX")));
        }
    }
    names.sort();
    names
}

#[test]
fn every_named_bound_is_reached_by_a_test() {
    let known = REACHED.iter().chain(OTHERS);
    let mut known: Vec<String> = known.map(|(name, _)| (*name).to_owned()).collect();
    known.sort();
    assert_eq!(named(), known);

    let all: String = text("src").into_iter().chain(text("tests")).map(|(_, text)| text).collect();
    let missing: BTreeSet<&str> =
        REACHED.iter().map(|(_, test)| *test).filter(|test| !all.contains(&format!("fn {test}("))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
