//! The words of the frame's lines.

use clarity_domain::{
    plan::{Limit, Standing},
    role::Permission,
    view::{session::Frame, support::SupportNow, usage::PlanNotice},
};
use leptos::server_fn::ServerFn;

use super::FrameNote;
use crate::{
    features::{deletion::api::Keep, support::api::EndSupport},
    paths,
    ui::pill::Tone,
};

/// The most pressing first.
pub fn of(frame: &Frame) -> Vec<FrameNote> {
    let slug = &frame.workspace.slug;
    let owns = frame.workspace.role.may(Permission::OwnWorkspace);
    let leaving = frame.deleted_at.map(|at| FrameNote {
        tone: Tone::Bad.as_str().into(),
        before: "This workspace is deleted with all that is in it on ".into(),
        at: Some(at),
        with_day: true,
        after: ".".into(),
        page: owns.then(|| ("About the deletion".into(), paths::deletion(slug))),
        act: owns.then(|| ("Keep workspace".into(), Keep::url().into())),
        fields: vec![("slug".into(), slug.clone())],
        ..FrameNote::default()
    });
    let support = frame.support.iter().map(|one| inside(slug, one));
    let plan = frame.notices.iter().map(|notice| FrameNote {
        tone: tone(notice.standing).as_str().into(),
        before: notice_words(*notice),
        after: if owns { String::new() } else { " An owner sees the plan.".into() },
        page: owns.then(|| ("Plan and usage".into(), paths::usage(slug))),
        ..FrameNote::default()
    });
    let limited = frame.limited_to.as_deref().map(|sites| FrameNote {
        tone: Tone::Idle.as_str().into(),
        before: limited_words(sites),
        ..FrameNote::default()
    });
    leaving.into_iter().chain(support).chain(plan).chain(limited).collect()
}

/// What a member of some sites sees, and what not.
fn limited_words(sites: &[String]) -> String {
    let named = match sites {
        [] => "You see no site at the moment: those that you were limited to are gone.".to_owned(),
        [one] => format!("You see the machines of {one}."),
        [all @ .., last] => format!("You see the machines of {} and {last}.", all.join(", ")),
    };
    format!("{named} What belongs to no machine is neither shown nor counted for you.")
}

fn inside(slug: &str, one: &SupportNow) -> FrameNote {
    FrameNote {
        tone: Tone::Warn.as_str().into(),
        before: format!("{} of Clarity Stream may read how your agents and sources are, until ", one.name),
        at: Some(one.ends_at),
        after: ".".into(),
        act: one.may_end.then(|| ("End now".into(), EndSupport::url().into())),
        fields: vec![("slug".into(), slug.into()), ("id".into(), one.id.to_string())],
        until: Some(one.ends_at),
        ..FrameNote::default()
    }
}

fn tone(standing: Standing) -> Tone {
    if standing == Standing::Over { Tone::Bad } else { Tone::Warn }
}

fn notice_words(notice: PlanNotice) -> String {
    let what = match notice.limit {
        Limit::EventsPerSecond => "events a second",
        Limit::EventsPerMonth => "events for this month",
        Limit::BytesPerMonth => "data for this month",
        Limit::Assets => "machines",
        Limit::Seats => "seats",
        Limit::ExportsPerDay => "exports for today",
    };
    let share = notice.standing.share().unwrap_or_default();
    let begin = format!("This workspace has used {share} % of its plan's {what}");
    if notice.standing == Standing::Over && Limit::OF_THE_MONTH.contains(&notice.limit) {
        return format!("{begin}: new data waits in the agents' spools until the month ends or the plan is changed.");
    }
    match notice.limit {
        Limit::Seats if notice.standing >= Standing::Reached => {
            format!("{begin}: nobody more can be invited or join until a seat is free.")
        }
        Limit::ExportsPerDay if notice.standing >= Standing::Reached => {
            format!("{begin}: the next one is possible from midnight UTC on.")
        }
        _ => format!("{begin}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_names_its_sites() {
        let words = |sites: &[&str]| limited_words(&sites.iter().map(|site| (*site).to_owned()).collect::<Vec<_>>());
        assert!(words(&[]).starts_with("You see no site"));
        assert!(words(&["Plant North"]).starts_with("You see the machines of Plant North. What"));
        assert!(words(&["A", "B", "C"]).starts_with("You see the machines of A, B and C. What"));
    }

    #[test]
    fn a_notice_says_what_follows() {
        let words = |limit, standing| notice_words(PlanNotice { limit, standing });
        assert_eq!(
            words(Limit::EventsPerMonth, Standing::Near),
            "This workspace has used 80 % of its plan's events for this month."
        );
        assert!(words(Limit::BytesPerMonth, Standing::Over).contains("waits in the agents' spools"));
        assert_eq!(words(Limit::Seats, Standing::Near), "This workspace has used 80 % of its plan's seats.");
        assert!(words(Limit::Seats, Standing::Reached).contains("until a seat is free"));
        assert!(words(Limit::ExportsPerDay, Standing::Reached).contains("from midnight UTC on"));
        assert_eq!(words(Limit::Assets, Standing::Over), "This workspace has used 120 % of its plan's machines.");
    }
}
