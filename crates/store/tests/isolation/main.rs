//! Proof of isolation, the SQL half: rules of the catalogue, the attempt matrix in two worlds, planted faults, and many
//! workspaces on few connections. `cargo test` runs the quick form, `cargo xtask test isolation` the whole.
//!
//! A binary of its own, because the catalogue says what is attacked and the faults need databases by the dozen.

// Helpers of tests fail by panicking, as tests do.
#![allow(clippy::unwrap_used)]

mod attempts;
mod blind;
#[path = "../it/catalogue/check.rs"]
mod check;
mod concurrency;
mod controls;
mod faults;
#[path = "../it/catalogue/frozen.rs"]
mod frozen;
mod matrix;
#[path = "../it/catalogue/objects.rs"]
mod objects;
mod outcome;
mod planted;
mod report;
#[path = "../it/catalogue/rules.rs"]
mod rules;
mod seed;
mod surface;
mod values;
mod worlds;

use std::path::PathBuf;
use std::time::Instant;

use matrix::{Findings, Scale};
use planted::Planted;
use report::Figures;
use surface::Surface;
use worlds::Worlds;

/// Where `cargo xtask test isolation` wants the figures.
const FIGURES: &str = "CLARITY_ISOLATION_JSON";
const TRANSACTIONS: u32 = 10_000;
/// Of what is wrong, as much is shown.
const SHOWN: usize = 30;
/// Of the whole form: fewer, and something in the catalogue was not read.
const LEAST_ATTEMPTS: usize = 100_000;

/// Rules, controls and the matrix, in both worlds; what is wrong, one line each.
async fn tried(base: &Worlds, scale: Scale<'_>, wrong: &mut Vec<String>) -> Findings {
    let started = Instant::now();
    let mut worlds = base.copy().await;
    let admin = worlds.with.db.admin().await;
    let surface = Surface::read(&admin).await;
    wrong.extend(check::check(&admin).await.into_iter().map(|finding| format!("rule: {finding}")));
    let controls = controls::run(&mut worlds, &surface, &[]).await;
    wrong.extend(controls.failed.iter().map(|control| format!("control: {control}")));
    println!(
        "{} roles, {} relations, {} functions; {} positive controls, {} failed",
        surface.roles.len(),
        surface.relations.len(),
        surface.functions.len(),
        controls.tried,
        controls.failed.len()
    );
    let findings = matrix::run(&mut worlds, &surface, scale).await;
    println!(
        "{} attempts in two worlds, {} leaks, {} differences, {:.1} s",
        findings.attempts(),
        findings.leaks.len(),
        findings.differences.len(),
        started.elapsed().as_secs_f64()
    );
    wrong.extend(findings.leaks.iter().map(|leak| format!("leak: {leak}")));
    wrong.extend(findings.differences.iter().map(|difference| format!("difference: {difference}")));
    for finding in wrong.iter().take(SHOWN) {
        println!("{finding}");
    }
    for world in [&worlds.with, &worlds.without] {
        if !world.intact().await {
            wrong.push(format!("the victim's rows in {} are not what they were", world.db.name()));
        }
    }
    findings
}

async fn planted(base: &Worlds, wrong: &mut Vec<String>) -> Vec<Planted> {
    let faults = Instant::now();
    let planted = planted::all(base).await;
    for fault in &planted {
        if !fault.found() {
            wrong.push(format!("not found: {}", fault.what));
        }
    }
    let found = planted.iter().filter(|fault| fault.found()).count();
    let only_listed = planted.iter().filter(|fault| fault.only_listed()).count();
    let only_tried = planted.iter().filter(|fault| fault.only_tried()).count();
    println!(
        "{found} of {} planted faults found, {only_tried} of them by attempts and no rule, {only_listed} by the list alone, {:.1} s\n",
        planted.len(),
        faults.elapsed().as_secs_f64()
    );
    planted
}

async fn interleaved(transactions: u32, wrong: &mut Vec<String>) {
    let started = Instant::now();
    let done = concurrency::run(transactions).await;
    println!(
        "{} transactions of 50 workspaces on 4 connections, {} of them dropped midway; {} rows seen, {} of another workspace, {:.1} s",
        done.finished + done.dropped,
        done.dropped,
        done.rows,
        done.foreign.len(),
        started.elapsed().as_secs_f64()
    );
    wrong.extend(done.foreign);
    if done.dropped < transactions / 10 || done.finished < transactions / 2 {
        wrong.push("too few transactions were dropped, or finished, for a proof".into());
    }
}

fn show(wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "{} findings, the first of them:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(SHOWN)].join("\n")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_reaches_another_workspace() {
    let base = Worlds::new().await;
    let mut wrong = Vec::new();
    tried(&base, Scale::Quick, &mut wrong).await;
    show(&wrong);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interleaved_transactions_stay_apart() {
    let mut wrong = Vec::new();
    interleaved(TRANSACTIONS / 5, &mut wrong).await;
    show(&wrong);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of the whole suite, for whoever plants another fault"]
async fn every_planted_fault_is_found() {
    let mut wrong = Vec::new();
    planted(&Worlds::new().await, &mut wrong).await;
    show(&wrong);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes: cargo xtask test isolation"]
async fn the_whole_suite() {
    let started = Instant::now();
    let base = Worlds::new().await;
    let mut wrong = Vec::new();
    let findings = tried(&base, Scale::Full, &mut wrong).await;
    if findings.attempts() < LEAST_ATTEMPTS {
        wrong.push(format!("{} attempts, and {LEAST_ATTEMPTS} are the least", findings.attempts()));
    }
    let planted = planted(&base, &mut wrong).await;
    interleaved(TRANSACTIONS, &mut wrong).await;
    let figures = Figures {
        attempts: findings.attempts(),
        leaks: findings.leaks.len(),
        differences: findings.differences.len(),
        planted: planted.len(),
        found: planted.iter().filter(|fault| fault.found()).count(),
        found_without_list: planted.iter().filter(|fault| fault.found_without_list()).count(),
        seconds: (started.elapsed().as_secs_f64() * 10.0).round() / 10.0,
    };
    figures.publish(std::env::var_os(FIGURES).map(PathBuf::from).as_deref());
    show(&wrong);
}
