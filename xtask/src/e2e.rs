//! `cargo xtask e2e`: journeys in a real Chromium against release processes, on a stack of its own with free ports.
//!
//! The tests find the stack through `CLARITY_STACK`, the name of a JSON file (see `end2end/support/stack.mjs`). The
//! journeys pair their agents themselves, as a person does, so the stack has none; its plant writes from the start.

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::json;

use crate::{
    build,
    paths::{Mode, Paths},
    process::{run_within, step},
    services, setup,
    stack::{DATABASE, Interrupt, SERVER, Stack, outside},
    stamp,
};

#[derive(Debug, Default, Args)]
pub struct EndToEnd {
    /// Only the tests whose name matches this
    #[arg(long)]
    grep: Option<String>,
    /// Run what was built last
    #[arg(long)]
    no_build: bool,
    /// Keep the stack's folder, and say where it is
    #[arg(long)]
    keep: bool,
}

/// They take ten minutes on two cores.
const JOURNEYS_WITHIN: Duration = Duration::from_secs(30 * 60);
const PLANT_ROWS_PER_SECOND: u32 = 50;
const DELETION_GRACE_S: u32 = 30;
/// One of the platform's own people, who has still to enrol.
const OPS_EMAIL: &str = "anna@clarity.example";

pub fn main(paths: &Paths, args: &EndToEnd) -> Result<()> {
    let interrupt = Interrupt::listen()?;
    setup::for_stack(paths)?;
    let chromium = setup::for_browser(paths)?;
    if !args.no_build {
        build::all(paths, Mode::Release)?;
    }

    let dir = paths.stage(Mode::Release, "e2e");
    services::remove_stack(paths, Mode::Release, &dir)?;
    let mut stack = Stack::new(paths, Mode::Release, &dir, &interrupt, None)?;
    let outcome = journeys(paths, args, &mut stack, &chromium);
    let stopped = stack.stop_all();
    if outcome.is_err() || args.keep {
        eprintln!("          logs: {}", stack.logs().display());
    } else {
        services::remove_stack(paths, Mode::Release, &dir)?;
    }
    outcome.and(stopped)
}

fn journeys(paths: &Paths, args: &EndToEnd, stack: &mut Stack, chromium: &Path) -> Result<()> {
    // A journey waits for the end of a workspace.
    stack.surround(SERVER, vec![("CLARITY_DELETION_GRACE".into(), DELETION_GRACE_S.to_string())]);
    step("platform: database, mail server, identity provider, name server, server, workers", || {
        stack.start_platform(None)?;
        stack.start_mailbox()?;
        stack.start_outside()?;
        stack.start_server()?;
        stack.start_workers("workers", "all")
    })?;
    step("customer: database, plant", || {
        stack.start_customer()?;
        stack.start_plant(PLANT_ROWS_PER_SECOND, &["--quiet"])
    })?;
    let description = stack.dir().join("stack.json");
    fs::write(&description, serde_json::to_string_pretty(&describe(stack, chromium)?)?)?;

    let mut node = Command::new("node");
    node.current_dir(paths.join("end2end")).args(["--test", "--test-concurrency=1", "--test-reporter=spec"]);
    if let Some(pattern) = &args.grep {
        node.args(["--test-name-pattern", pattern]);
    }
    // Not only on success: a journey whose process died should be told as that.
    let outcome = run_within(
        "journeys in Chromium",
        JOURNEYS_WITHIN,
        node.args(tests(paths)?).env("CLARITY_STACK", &description),
    );
    stack.check()?;
    outcome
}

fn describe(stack: &Stack, chromium: &Path) -> Result<serde_json::Value> {
    let (platform, customer) = (stack.platform()?, stack.customer()?);
    let url = stack.web_url();
    let ours = ["add-ops-user", "--email", OPS_EMAIL, "--name", "Anna Berg", "--public-url", url.as_str()];
    let ours = stack.admin(&ours)?;
    let ours: serde_json::Value = serde_json::from_str(&ours).context("answer of add-ops-user")?;
    Ok(json!({
        "url": stack.web_url(),
        "agentUrl": stack.agent_url(),
        "ca": stack.ca(),
        "dir": stack.dir(),
        "mails": stack.mails(),
        "ops": { "email": OPS_EMAIL, "name": "Anna Berg", "link": ours["link"] },
        "provider": {
            "issuer": stack.issuer()?,
            "clientId": outside::CLIENT_ID,
            "clientSecret": outside::CLIENT_SECRET,
            "accounts": stack.accounts(),
        },
        "records": stack.records(),
        "chromium": chromium,
        "agent": stack.bin("clarity-agent"),
        "server": stack.bin("clarity-server"),
        "operator": stack.operator_env()?,
        "serverEnv": stack.server_env()?,
        "workers": stack.bin("clarity-workers"),
        "workersEnv": stack.workers_env()?,
        "database": {
            "psql": setup::psql()?,
            "host": platform.host,
            "port": platform.port,
            "user": platform.user,
            "password": platform.password,
            "name": DATABASE,
        },
        "customer": {
            "host": customer.host,
            "port": customer.port,
            "database": stack.customer_database()?,
            "reader": "clarity_reader",
            "readerPassword": stack.secrets.reader_password,
            "adminUrl": customer.url(stack.customer_database()?),
            "publication": "clarity",
        },
    }))
}

fn tests(paths: &Paths) -> Result<Vec<std::path::PathBuf>> {
    let mut files = stamp::files_below(&paths.join("end2end/tests"))?;
    files.retain(|file| file.to_string_lossy().ends_with(".test.mjs"));
    anyhow::ensure!(!files.is_empty(), "there are no tests in end2end/tests");
    Ok(files)
}
