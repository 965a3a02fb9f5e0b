//! How an entry is said.

use clarity_domain::{
    audit::{Act, ActorKind, Outcome},
    view::audit::AuditRow,
};

use crate::ui::pill::Tone;

/// Who acted, and what stands small below: the address of a person, the kind of anybody else.
pub fn actor(row: &AuditRow) -> (String, String) {
    let kind = match row.actor_kind {
        ActorKind::Person => "",
        ActorKind::Agent => "agent",
        ActorKind::Service => "service",
        ActorKind::Support => "Clarity Stream support",
    };
    let mailbox = row.actor.strip_suffix('>').and_then(|text| text.rsplit_once(" <"));
    match (row.actor_kind, mailbox) {
        (ActorKind::Person, Some((name, email))) => (name.to_owned(), email.to_owned()),
        _ => (row.actor.clone(), kind.to_owned()),
    }
}

pub const fn outcome(outcome: Outcome) -> (Tone, &'static str) {
    match outcome {
        Outcome::Done => (Tone::Ok, "Done"),
        Outcome::Refused => (Tone::Warn, "Refused"),
    }
}

/// What the filter of acts offers, in the order of their words.
pub fn acts() -> Vec<(String, String)> {
    let mut acts: Vec<(String, String)> =
        Act::ALL.iter().map(|act| (act.as_str().to_owned(), act.words().to_owned())).collect();
    acts.sort_by(|a, b| a.1.cmp(&b.1));
    acts.insert(0, (String::new(), "All".to_owned()));
    acts
}

pub fn outcomes() -> Vec<(String, String)> {
    let both = [Outcome::Done, Outcome::Refused];
    let mut all = vec![(String::new(), "All".to_owned())];
    all.extend(both.map(|one| (one.as_str().to_owned(), outcome(one).1.to_owned())));
    all
}

/// Which places the page shows.
pub fn places(rows: &[AuditRow]) -> String {
    match (rows.last(), rows.first()) {
        (Some(last), Some(first)) if last.seq == first.seq => format!("Entry {}", first.seq),
        (Some(last), Some(first)) => format!("Entries {} to {}", last.seq, first.seq),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(actor_kind: ActorKind, actor: &str) -> AuditRow {
        AuditRow {
            seq: 4,
            at: 0,
            actor_kind,
            actor: actor.into(),
            act: "session.sign_in".into(),
            object_kind: String::new(),
            object: String::new(),
            outcome: Outcome::Done,
            address: String::new(),
        }
    }

    #[test]
    fn a_person_is_a_name_and_an_address_and_others_their_kind() {
        let said = |kind, name: &str| actor(&row(kind, name));
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(said(ActorKind::Person, "Maja <x> Lind <maja@n.example>"), pair("Maja <x> Lind", "maja@n.example"));
        assert_eq!(said(ActorKind::Person, "Maja"), pair("Maja", ""));
        assert_eq!(said(ActorKind::Support, "command: rebuild"), pair("command: rebuild", "Clarity Stream support"));
        assert_eq!(said(ActorKind::Agent, "hall 2 <3>"), pair("hall 2 <3>", "agent"));
    }

    #[test]
    fn filters_offer_everything_once() {
        assert_eq!(acts().len(), Act::ALL.len() + 1);
        assert_eq!(acts()[0], (String::new(), "All".to_owned()));
        assert_eq!(outcomes().len(), 3);
        let mut rows = vec![row(ActorKind::Person, "a")];
        assert_eq!((places(&rows).as_str(), places(&[]).as_str()), ("Entry 4", ""));
        rows.push(AuditRow { seq: 2, ..rows[0].clone() });
        assert_eq!(places(&rows), "Entries 2 to 4");
    }
}
