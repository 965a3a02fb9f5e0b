//! How the set-up and the wait for the first machine are said. Plain Rust.

use clarity_domain::view::{
    live::LiveUpdate,
    set_up::{SetUp, SetUpStep, StepState, Waiting, WaitingFor},
};

use crate::{
    paths,
    ui::{number, steps::StepLink},
};

pub const fn step_name(step: SetUpStep) -> &'static str {
    match step {
        SetUpStep::Place => "Place and time zone",
        SetUpStep::Site => "First site",
        SetUpStep::Colleagues => "Colleagues",
        SetUpStep::Source => "First source",
    }
}

/// The steps with `at` open; `None`: all are over.
pub fn links(slug: &str, set_up: &SetUp, at: Option<SetUpStep>) -> Vec<StepLink> {
    let link = |step: SetUpStep| {
        let state = set_up.state(step);
        StepLink {
            name: step_name(step),
            remark: match state {
                StepState::Open => "",
                StepState::Done => "done",
                StepState::Skipped => "skipped",
            },
            href: paths::set_up_step(slug, step),
            done: state == StepState::Done,
            now: at == Some(step),
        }
    };
    SetUpStep::ALL.into_iter().map(link).collect()
}

/// Where a help leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Connect,
    /// The source, or all of them where it is about none.
    Source,
    DeadLetters,
}

/// What is missing, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Help {
    pub title: String,
    pub message: String,
    pub way: Way,
    pub act: &'static str,
}

pub fn help(waiting: &Waiting) -> Help {
    let agent = waiting.agent.as_deref().unwrap_or("The agent");
    let source = waiting.source.as_ref().map_or("The source", |(_, name)| name.as_str());
    let (title, message, way, act) = match waiting.cause {
        WaitingFor::Agent => (
            "No source is connected".to_owned(),
            "Connect a database you already have. A small agent beside it calls out to us; nothing calls in.".to_owned(),
            Way::Connect,
            "Connect a source",
        ),
        WaitingFor::Connection => (
            format!("Waiting for {agent}"),
            format!(
                "{agent} is paired and has never connected. On its machine, start it with clarity-agent run; clarity-agent doctor \
                 says what is in its way. It needs connections outward on port 443, and none inward."
            ),
            Way::Source,
            "See the agents",
        ),
        WaitingFor::AgentBack => (
            format!("{agent} is not heard"),
            "It was connected before. See that its machine is on, that clarity-agent run is running there, and that connections \
             outward on port 443 are allowed. What happens meanwhile is read when it is back."
                .to_owned(),
            Way::Source,
            "See the agents",
        ),
        WaitingFor::Source => (
            "No source is configured".to_owned(),
            format!(
                "{agent} is connected, and its configuration names no source. Add one to its agent.toml, start it again, and run \
                 clarity-agent doctor to see what it finds. Credentials stay on that machine."
            ),
            Way::Source,
            "See the agents",
        ),
        WaitingFor::Sight => (
            format!("{source} cannot be read"),
            format!("{agent} is connected and says what is in its way:"),
            Way::Source,
            "See the source",
        ),
        WaitingFor::Rows => (
            "Waiting for the first event".to_owned(),
            format!(
                "{source} is connected and is being read. Machines appear here by themselves with its first event: when a row is \
                 found in its tables, or written to them."
            ),
            Way::Source,
            "See the source",
        ),
        WaitingFor::Refine => (
            "The first events are stored".to_owned(),
            format!(
                "Events of {source} are stored, and are being read into machines. That takes seconds; when it takes minutes, the \
                 platform is behind: nothing is lost, and there is nothing for you to do."
            ),
            Way::Source,
            "See the source",
        ),
        WaitingFor::Machine => (
            "Events arrive, and name no machine".to_owned(),
            format!(
                "The tables of {source} are read, and none has both a column that names a machine and one with its values or \
                 states. Add the tables that have to what the agent reads."
            ),
            Way::Source,
            "See the streams",
        ),
        WaitingFor::DeadLetters => (
            if waiting.dead_letters == 1 {
                "1 event could not be read".to_owned()
            } else {
                format!("{} events could not be read", number::whole(waiting.dead_letters))
            },
            "None is lost: they are kept with the cause, and can be replayed when it is mended.".to_owned(),
            Way::DeadLetters,
            "See the causes",
        ),
        WaitingFor::OwnSites => (
            "No machine of your sites yet".to_owned(),
            "You see the machines of your sites alone, and none is at them. An admin or owner says which sites you see, and at \
             which site a machine is."
                .to_owned(),
            Way::Source,
            "See the sources",
        ),
    };
    Help { title, message, way, act }
}

/// There is a machine: the page is another one.
pub fn is_over(update: &LiveUpdate) -> bool {
    update.kpis.as_ref().is_some_and(|kpis| kpis.machines_total > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::{ids::SourceId, role::Role, view::overview::Kpis};
    use uuid::Uuid;

    fn waiting(cause: WaitingFor) -> Waiting {
        Waiting {
            cause,
            agent: Some("plant-pc".into()),
            source: Some((SourceId(Uuid::nil()), "plant-db".into())),
            since: None,
            dead_letters: 12,
            problems: Vec::new(),
            may_set_up: true,
        }
    }

    #[test]
    fn each_cause_says_what_and_what_to_do() {
        use WaitingFor::{Agent, AgentBack, Connection, DeadLetters, Machine, OwnSites, Refine, Rows, Sight, Source};
        for (cause, title, way) in [
            (Agent, "No source is connected", Way::Connect),
            (Connection, "Waiting for plant-pc", Way::Source),
            (AgentBack, "plant-pc is not heard", Way::Source),
            (Source, "No source is configured", Way::Source),
            (Sight, "plant-db cannot be read", Way::Source),
            (Rows, "Waiting for the first event", Way::Source),
            (Refine, "The first events are stored", Way::Source),
            (Machine, "Events arrive, and name no machine", Way::Source),
            (DeadLetters, "12 events could not be read", Way::DeadLetters),
            (OwnSites, "No machine of your sites yet", Way::Source),
        ] {
            let help = help(&waiting(cause));
            assert_eq!((help.title.as_str(), help.way), (title, way));
            assert!(!help.message.is_empty() && !help.act.is_empty(), "{cause:?}");
        }
    }

    #[test]
    fn a_machine_ends_the_wait() {
        let machines = |machines_total| LiveUpdate {
            kpis: Some(Kpis { machines_total, ..Kpis::default() }),
            ..LiveUpdate::default()
        };
        assert!(is_over(&machines(1)) && !is_over(&machines(0)) && !is_over(&LiveUpdate::default()));
    }

    #[test]
    fn the_step_that_is_open_is_marked() {
        let set_up = SetUp {
            role: Role::Owner,
            name: "Nordmark".into(),
            region: String::new(),
            time_zone: "UTC".into(),
            site: "Nordmark".into(),
            site_zone: "UTC".into(),
            site_zone_fixed: false,
            zones: Vec::new(),
            states: [StepState::Done, StepState::Skipped, StepState::Open, StepState::Open],
            invited: Vec::new(),
            reminds: true,
        };
        let marks: Vec<_> = links("a", &set_up, set_up.next()).iter().map(|l| (l.remark, l.done, l.now)).collect();
        assert_eq!(marks, [("done", true, false), ("skipped", false, false), ("", false, true), ("", false, false)]);
        assert_eq!(links("a", &set_up, None)[3].href, "/w/a/welcome?step=source");
    }
}
