//! The binary as an operator meets it: pair, run, status, doctor, SIGTERM.

use crate::uplink::SOON;
use crate::uplink::ingest::Ingest;
use clarity_testkit::wait_until;
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

fn agent(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clarity-agent"));
    command.arg("--state").arg(dir).args(args).kill_on_drop(true).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
    command
}

async fn pair(dir: &Path, ingest: &Ingest) {
    let mut child = agent(dir, &["pair", "--server", &ingest.url, "--code", "k7qm-4txr"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut words = String::new();
    while let Some(line) = tokio::time::timeout(SOON, lines.next_line()).await.unwrap().unwrap() {
        if line.trim().split(' ').count() == 6 && line.starts_with("    ") {
            words = line.trim().to_owned();
            break;
        }
    }
    assert_eq!(words.split(' ').count(), 6, "the words are printed before anyone approves");
    assert!(!dir.join("identity.json").exists(), "not paired before approval");
    ingest.approve.notify_one();
    let status = tokio::time::timeout(SOON, child.wait()).await.unwrap().unwrap();
    assert!(status.success());
}

async fn stop(mut child: Child) {
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    let status = tokio::time::timeout(Duration::from_secs(5), child.wait()).await.expect("within 5 s").unwrap();
    assert_eq!(status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn pair_run_status_doctor_stop() {
    let (temp, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    let dir = temp.path().join("agent");
    let wrong = agent(&dir, &["pair", "--server", &ingest.url, "--code", "AAAA-AAAA"]).output().await.unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("This code is not right."));

    let unpaired = agent(&dir, &["run"]).output().await.unwrap();
    assert!(String::from_utf8_lossy(&unpaired.stderr).contains("not paired yet"));

    pair(&dir, &ingest).await;
    std::fs::write(dir.join("agent.toml"), "[spool]\nlimit_bytes = 10000000\n").unwrap();
    let child = agent(&dir, &["run"]).spawn().unwrap();
    wait_until("the agent is connected", SOON, || async { ingest.with(|s| s.connections == 1) }).await;

    let second = agent(&dir, &["run"]).output().await.unwrap();
    assert!(String::from_utf8_lossy(&second.stderr).contains("runs on"), "one agent a folder");

    wait_until("status says connected", SOON, || async {
        agent(&dir, &["status"]).output().await.unwrap().status.success()
    })
    .await;
    let status = agent(&dir, &["status", "--json"]).output().await.unwrap();
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["connection"]["state"], "connected");
    assert_eq!(status["name"], "press-shop");

    let doctor = agent(&dir, &["doctor", "--json"]).output().await.unwrap();
    let checks: Vec<Value> = serde_json::from_slice(&doctor.stdout).unwrap();
    let outcome = |name: &str| checks.iter().find(|c| c["name"] == name).map(|c| c["outcome"].clone());
    for name in ["folder", "pairing", "key", "DNS", "connection", "server", "clock"] {
        assert_eq!(outcome(name), Some("passed".into()), "{name}: {checks:#?}");
    }
    assert_eq!(outcome("agent.toml"), Some("attention".into()), "it names no source");
    assert_eq!(ingest.with(|s| s.connections), 1, "the doctor does not take the connection over");
    stop(child).await;
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_with_its_line() {
    let (temp, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    pair(temp.path(), &ingest).await;
    std::fs::write(temp.path().join("agent.toml"), "[spool]\nlimit_byte = 10000000\n").unwrap();
    let out = agent(temp.path(), &["run"]).output().await.unwrap();
    assert_eq!(out.status.code(), Some(1));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("line 2") && said.contains("`limit_bytes`"), "{said}");
}
